// SPDX-License-Identifier: Apache-2.0

package portmap

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/huin/goupnp/soap"
)

// igd is a UPnP router (Internet Gateway Device) and its services that open ports.
type igd struct {
	address  netip.Addr // the default gateway
	wan      []service
	firewall *service // for IPv6; nil: none
}

// service is a part of a UPnP router.
type service struct {
	kind    string // a URN
	control url.URL
}

// The kinds of services that open ports, the best first.
const firewallKind = "urn:schemas-upnp-org:service:WANIPv6FirewallControl:1"

var wanKinds = []string{
	"urn:schemas-upnp-org:service:WANIPConnection:2",
	"urn:schemas-upnp-org:service:WANIPConnection:1",
	"urn:schemas-upnp-org:service:WANPPPConnection:1",
}

// Bounds on what anybody in the local network can make us read.
const (
	maxBody      = 64 << 10 // descriptions have some 5 kB
	maxServices  = 32
	maxLocations = 4
	httpTimeout  = 3 * time.Second
)

// parseDescription finds the services in a router's description of itself. Their addresses must be those of the
// description's own host. It reads one token after the other, so that depth costs nothing.
func parseDescription(text []byte, location *url.URL) ([]service, error) {
	if len(text) > maxBody {
		return nil, errors.New("a long description")
	}
	d := xml.NewDecoder(bytes.NewReader(text))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // what we look for is ASCII
	base := location
	host, err := httpHost(location)
	if err != nil {
		return nil, err
	}
	var services []service
	var element, kind, control string
	for len(services) < maxServices {
		token, err := d.Token()
		if err == io.EOF {
			return services, nil
		}
		if err != nil {
			return nil, fmt.Errorf("description: %s", brief(err))
		}
		switch t := token.(type) {
		case xml.StartElement:
			element = t.Name.Local
			if element == "service" {
				kind, control = "", ""
			}
		case xml.CharData:
			switch value := strings.TrimSpace(string(t)); {
			case value == "":
			case element == "URLBase":
				if u, err := location.Parse(value); err == nil && sameHost(u, host.Addr()) {
					base = u
				}
			case element == "serviceType":
				kind = value
			case element == "controlURL":
				control = value
			}
		case xml.EndElement:
			element = ""
			if t.Name.Local != "service" || kind == "" || control == "" {
				break
			}
			if u, err := base.Parse(control); err == nil && sameHost(u, host.Addr()) {
				services = append(services, service{kind, *u})
			}
			kind, control = "", ""
		}
	}
	return services, nil
}

func sameHost(u *url.URL, host netip.Addr) bool {
	a, err := httpHost(u)
	return err == nil && a.Addr() == host
}

func (g *igd) take(services []service) {
	for _, kind := range wanKinds {
		for _, s := range services {
			if s.kind == kind {
				g.wan = append(g.wan, s)
			}
		}
	}
	for _, s := range services {
		if s.kind == firewallKind && g.firewall == nil {
			g.firewall = &s
		}
	}
}

// httpClient speaks to one address only, from one of ours, whatever the URLs say. It uses no proxy, follows no redirect and
// reads no more than maxBody.
func httpClient(own, router netip.Addr) *http.Client {
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(own, 0))}
	return &http.Client{
		Timeout:       httpTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: limited{&http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				_, port, err := net.SplitHostPort(address)
				if err != nil {
					return nil, err
				}
				return dialer.DialContext(ctx, network, net.JoinHostPort(router.String(), port))
			},
			DisableKeepAlives:      true,
			DisableCompression:     true, // a small body must stay small
			MaxResponseHeaderBytes: 16 << 10,
		}},
	}
}

// limited cuts the bodies of answers at maxBody.
type limited struct{ http.RoundTripper }

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := l.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(answer.Body, maxBody), answer.Body}
	return answer, nil
}

func fetchDescription(ctx context.Context, c *http.Client, location *url.URL) ([]service, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, location.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("description: %w", err)
	}
	answer, err := c.Do(request)
	if err != nil {
		return nil, fmt.Errorf("description: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("description: HTTP status %d", answer.StatusCode)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("description: %w", err)
	}
	return parseDescription(text, location)
}

// call makes a request of a service. in and out point to structs of strings.
func (s service) call(ctx context.Context, c *http.Client, action string, in, out any) error {
	client := soap.NewSOAPClient(s.control)
	client.HTTPClient = *c
	if err := client.PerformActionCtx(ctx, s.kind, action, in, out); err != nil {
		if code := faultCode(err); code != 0 {
			return &fault{action, code}
		}
		return fmt.Errorf("%s: %s: %s", UPnP, action, brief(err))
	}
	return nil
}

// brief cuts an error that may contain what the router sent.
func brief(err error) string {
	const most = 200
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, err.Error())
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}

// fault is an error that a service answered.
type fault struct {
	action string
	code   int
}

func (f *fault) Error() string { return fmt.Sprintf("%s: error %d", f.action, f.code) }

// faultCode returns the error code of UPnP in an error, 0 if there is none.
func faultCode(err error) int {
	if f := (*fault)(nil); errors.As(err, &f) {
		return f.code
	}
	if f := (*soap.SOAPFaultError)(nil); errors.As(err, &f) {
		return f.Detail.UPnPError.Errorcode
	}
	return 0
}

// refused makes a refusal of a fault; other errors stay what they are.
func refused(err error) error {
	if f := (*fault)(nil); errors.As(err, &f) {
		return &refusal{UPnP, f.Error()}
	}
	return err
}

// finder finds the UPnP router, for all workers of a Mapper.
type finder struct {
	network func() network
	limit   time.Duration
	log     *slog.Logger

	turn  chan struct{} // holds a value while nobody searches
	found *igd
	at    time.Time // of found
}

// foundFor is how long a router is taken as found: long enough for workers that wait for each other, and shorter than any
// retry, since a router that has started anew may be found elsewhere.
const foundFor = time.Second

func newFinder(network func() network, limit time.Duration, log *slog.Logger) *finder {
	f := &finder{network: network, limit: limit, log: log, turn: make(chan struct{}, 1)}
	f.turn <- struct{}{}
	return f
}

// find returns a router that opens ports.
func (f *finder) find(ctx context.Context) (*igd, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-f.turn:
	}
	defer func() { f.turn <- struct{}{} }()
	if f.at.IsZero() || time.Since(f.at) > foundFor {
		found, err := f.search(ctx)
		if err != nil {
			return nil, err
		}
		f.found, f.at = found, time.Now()
	}
	if f.found == nil {
		return nil, fmt.Errorf("%s: %w", UPnP, errSilent)
	}
	return f.found, nil
}

// search returns nil when there is no such router.
func (f *finder) search(ctx context.Context) (*igd, error) {
	n := f.network()
	s, err := newSearcher(n)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", UPnP, err)
	}
	defer s.close()
	client := httpClient(n.own4, s.gateway)
	seen := make(map[string]bool)
	var found *igd
	s.answers(ctx, f.limit, func(location *url.URL) bool {
		if seen[location.String()] || len(seen) >= maxLocations {
			return false
		}
		seen[location.String()] = true
		services, err := fetchDescription(ctx, client, location)
		f.log.Debug("router: UPnP", "location", location, "services", len(services), "err", err)
		g := &igd{address: s.gateway}
		if g.take(services); len(g.wan) > 0 || g.firewall != nil {
			found = g
		}
		return found != nil
	})
	if found == nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return found, nil
}
