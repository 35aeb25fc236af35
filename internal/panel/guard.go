// SPDX-License-Identifier: Apache-2.0

package panel

import (
	"mime"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/costream-obs/costream-obs/media"
)

// turnedAway is what everybody reads who is not let in, whatever the reason.
const turnedAway = "Open the panel with the address that this command prints: costream-obs panel\n"

// refuse tells nothing but where the address is.
func refuse(w http.ResponseWriter) {
	http.Error(w, strings.TrimSuffix(turnedAway, "\n"), http.StatusForbidden)
}

// admit returns the part of the path after the token, or false for a request that gets nothing.
func admit(r *http.Request, access Access) (path string, ok bool) {
	token, path, found := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if !access.matches(token) || !found || !rightHost(r) {
		return "", false
	}
	switch r.Method {
	case http.MethodGet:
		return path, path == "" || ownPage(r.Header)
	case http.MethodPost:
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		return path, ownPage(r.Header) && r.Header.Get("Origin") == "http://"+r.Host && err == nil && kind == "application/json"
	}
	return "", false
}

// ownPage reports whether no other page sent the request. Browsers send this header, other programs need not.
func ownPage(h http.Header) bool {
	site := h.Get("Sec-Fetch-Site")
	return site == "" || site == "same-origin" || site == "none"
}

// rightHost reports whether the request names the address that it came to. A name that a stranger's DNS server makes point to
// this machine is not that.
func rightHost(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return false
	}
	at := local.AddrPort()
	host, port, err := net.SplitHostPort(r.Host)
	if err != nil || port != strconv.Itoa(int(at.Port())) {
		return false
	}
	if host == "localhost" {
		return at.Addr().Unmap().IsLoopback()
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap() == at.Addr().Unmap().WithZone("")
}

// visitor is the key of a function in a request's context that tells whether its connection is welcome.
type visitor struct{}

// mayVisit reports whether a connection is of a program of our user, or of another machine that --panel-listen lets in. Another
// user of this machine gets nothing, even one who has learned the token.
func mayVisit(conn net.Conn) bool {
	uid, known := media.UserOf(conn)
	if known {
		return uid == os.Geteuid()
	}
	local, is := conn.LocalAddr().(*net.TCPAddr)
	return is && !local.IP.IsLoopback()
}

// welcome is the answer for a request's connection.
func welcome(r *http.Request) bool {
	may, known := r.Context().Value(visitor{}).(func() bool)
	return known && may()
}

// setHeaders are those of every answer.
func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "+
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// bounded is a listener that has so many connections at most; more than that are closed at once.
type bounded struct {
	net.Listener
	room chan struct{}
}

// Accept implements net.Listener.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case b.room <- struct{}{}:
			leave := sync.OnceFunc(func() { <-b.room })
			if tcp, is := conn.(*net.TCPConn); is {
				return &counted{TCPConn: tcp, leave: leave}, nil
			}
			leave()
			_ = conn.Close()
		default:
			_ = conn.Close()
		}
	}
}

// counted is a whole TCP connection, because net/http closes one way of it before it refuses a request.
type counted struct {
	*net.TCPConn
	leave func()
}

// Close implements net.Conn.
func (c *counted) Close() error {
	defer c.leave()
	return c.TCPConn.Close()
}
