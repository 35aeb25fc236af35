// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// The ports of a TURN server where none is given (RFC 7065).
const (
	defaultPort    = 3478
	defaultTLSPort = 5349
)

// Transport is how we talk to the server.
type Transport string

// The transports.
const (
	UDP Transport = "UDP"
	TCP Transport = "TCP"
	TLS Transport = "TLS"
)

// Server is a TURN server and who we are there. It holds a secret.
type Server struct {
	User, Password string
	Host           string
	Port           uint16

	// Transports are tried one after the other.
	Transports []Transport
	// Verify has TLS check the server's certificate. Where TLS is but another way around a firewall that blocks UDP it
	// would protect nothing: what it carries is encrypted from peer to peer, and the password is never sent.
	Verify bool
}

// String keeps the secret out of logs.
func (s Server) String() string { return net.JoinHostPort(s.Host, strconv.Itoa(int(s.Port))) }

// GoString does too.
func (s Server) GoString() string { return s.String() }

// Parse reads turn:USER:PASSWORD@HOST:PORT or turns:USER:PASSWORD@HOST:PORT, each with an optional ?transport=udp or
// ?transport=tcp at its end. The port may be left out. In USER and PASSWORD, %3A stands for a colon, %40 for an @ and %25
// for a %. Its errors do not contain the text.
func Parse(text string) (Server, error) {
	s := Server{Port: defaultPort, Transports: []Transport{UDP, TCP, TLS}}
	scheme, rest, found := strings.Cut(text, ":")
	switch {
	case found && scheme == "turn":
	case found && scheme == "turns":
		s.Port, s.Transports, s.Verify = defaultTLSPort, []Transport{TLS}, true
	default:
		return Server{}, errForm
	}
	at := strings.LastIndexByte(rest, '@')
	if at < 0 || strings.HasPrefix(rest, "//") { // as in the address of a web page
		return Server{}, errForm
	}
	host, query, _ := strings.Cut(rest[at+1:], "?")
	switch {
	case query == "" || query == "transport=tcp" && s.Verify:
	case query == "transport=udp" && !s.Verify:
		s.Transports = []Transport{UDP}
	case query == "transport=tcp":
		s.Transports = []Transport{TCP}
	default:
		return Server{}, errors.New("the relay's transport must be ?transport=udp or ?transport=tcp; turns: needs tcp")
	}
	user, password, found := strings.Cut(rest[:at], ":")
	if !found || user == "" || password == "" {
		return Server{}, errForm
	}
	for _, part := range []struct{ from, to *string }{{&user, &s.User}, {&password, &s.Password}} {
		plain, err := url.PathUnescape(*part.from)
		if err != nil || strings.ContainsFunc(plain, func(r rune) bool { return r < ' ' }) {
			return Server{}, errors.New("the relay's user or password contains a % that stands for nothing: write %25 for a %")
		}
		*part.to = plain
	}
	return s, s.parseHost(host)
}

const form = "turn:USER:PASSWORD@HOST:PORT"

var errForm = errors.New("the relay must have the form " + form)

// parseHost reads HOST, HOST:PORT, [IPV6] or [IPV6]:PORT. Its errors do not contain the text either: whoever writes both halves
// the wrong way round has the password there.
func (s *Server) parseHost(text string) error {
	host, port := text, ""
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		host = text[1 : len(text)-1]
	} else if _, err := netip.ParseAddr(text); err != nil && strings.Contains(text, ":") {
		if host, port, err = net.SplitHostPort(text); err != nil || port == "" {
			*s = Server{}
			return errors.New("the relay's address is neither HOST nor HOST:PORT; the form is " + form)
		}
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			*s = Server{}
			return errors.New("the relay's port must be from 1 to 65535; the form is " + form)
		}
		s.Port = uint16(n)
	}
	if host == "" || strings.ContainsAny(host, " /\t@?#%") {
		*s = Server{}
		return errors.New("the relay's host is no name or address; the form is " + form)
	}
	s.Host = host
	return nil
}
