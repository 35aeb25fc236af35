// SPDX-License-Identifier: Apache-2.0

package portmap

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const wan1 = "urn:schemas-upnp-org:service:WANIPConnection:1"

// description of a UPnP router with one service, as deep as real ones are.
func description(kind, control string) string {
	return `<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType>
<deviceList><device><deviceList><device><serviceList>
<service><serviceType>` + kind + `</serviceType><serviceId>x</serviceId><controlURL>` + control + `</controlURL><SCPDURL>/x.xml</SCPDURL></service>
</serviceList></device></deviceList></device></deviceList></device></root>`
}

// giving answers like a router with this address that takes any mapping.
func giving(external string) func(string, map[string]string) (int, string) {
	return func(action string, _ map[string]string) (int, string) {
		if action == "GetExternalIPAddress" {
			return 0, "<NewExternalIPAddress>" + external + "</NewExternalIPAddress>"
		}
		if action == "GetSpecificPortMappingEntry" {
			return 0, "<NewInternalPort>5000</NewInternalPort><NewInternalClient>127.0.0.1</NewInternalClient>"
		}
		return 0, ""
	}
}

// except answers a code to an action when the arguments fit.
func except(action string, code int, fits func(map[string]string) bool) func(string, map[string]string) (int, string) {
	usual := giving(fakeAddr.String())
	return func(a string, args map[string]string) (int, string) {
		if a == action && fits(args) {
			return code, ""
		}
		return usual(a, args)
	}
}

func always(map[string]string) bool { return true }

func TestUPnP(t *testing.T) {
	for _, tc := range []struct {
		name, description string
		soap              func(string, map[string]string) (int, string)
		verdict           Verdict
		err               string   // a part of it
		actions           []string // the first ones
	}{
		{
			"opens", description(wan1, "/ctl"), giving("198.51.100.7"), Open, "",
			[]string{"GetExternalIPAddress", "AddPortMapping 5000 7200"},
		},
		{
			"with PPP", description("urn:schemas-upnp-org:service:WANPPPConnection:1", "ctl?x=1"), giving("198.51.100.7"), Open, "",
			[]string{"GetExternalIPAddress", "AddPortMapping 5000 7200"},
		},
		{
			"725: permanent leases alone", description(wan1, "/ctl"),
			except("AddPortMapping", 725, func(args map[string]string) bool { return args["NewLeaseDuration"] != "0" }), Open, "",
			[]string{"GetExternalIPAddress", "AddPortMapping 5000 7200", "AddPortMapping 5000 0"},
		},
		{
			"refuses", description(wan1, "/ctl"), except("AddPortMapping", 606, always), Refused, "AddPortMapping: error 606",
			[]string{"GetExternalIPAddress", "AddPortMapping 5000 7200"},
		},
		{
			"718 for each port", description(wan1, "/ctl"), except("AddPortMapping", 718, always), Refused, "AddPortMapping: error 718", nil,
		},
		{"CGNAT", description(wan1, "/ctl"), giving("100.100.1.1"), Shared, "100.100.1.1", []string{"GetExternalIPAddress"}},
		{"no address", description(wan1, "/ctl"), giving(""), Shared, "no public address", []string{"GetExternalIPAddress"}},
		{"a name for an address", description(wan1, "/ctl"), giving("router.lan"), Shared, "no public address", []string{"GetExternalIPAddress"}},
		{"an address of IPv6", description(wan1, "/ctl"), giving("2001:db8::1"), Shared, "no public address", []string{"GetExternalIPAddress"}},
		{"control at another host", description(wan1, "http://127.0.0.1:80/ctl"), giving("198.51.100.7"), None, "no answer", nil},
		{"control at a name", description(wan1, "http://localhost/ctl"), giving("198.51.100.7"), None, "no answer", nil},
		{"no service", description("urn:schemas-upnp-org:service:Layer3Forwarding:1", "/ctl"), giving("198.51.100.7"), None, "no answer", nil},
		{"no XML", "hello", giving("198.51.100.7"), None, "no answer", nil},
		{"too long", strings.Repeat(" ", maxBody) + description(wan1, "/ctl"), giving("198.51.100.7"), None, "no answer", nil},
		{"too deep", strings.Repeat("<a>", maxBody/3), giving("198.51.100.7"), None, "no answer", nil},
		{
			"an answer without end", description(wan1, "/ctl"),
			func(string, map[string]string) (int, string) { return 0, strings.Repeat("<a>", 1<<20) }, None, "GetExternalIPAddress", nil,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newFakeRouter(t)
			r.serveUPnP(tc.description, tc.soap)
			m := r.run(func(t *timing) { t.checkUP = time.Hour })
			s := m.await("known", func(s State) bool { return s.Verdict != Asking })
			if s.Verdict != tc.verdict || (s.Err == nil) != (tc.err == "") || s.Err != nil && !strings.Contains(s.Err.Error(), tc.err) {
				t.Errorf("got %+v, want %v, %q", s, tc.verdict, tc.err)
			}
			if done := r.done(); tc.actions != nil {
				if diff := cmp.Diff(tc.actions, done[:min(len(done), len(tc.actions))]); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			}
			m.stop()
			done := r.done()
			if deleted := len(done) > 0 && done[len(done)-1] == "DeletePortMapping 5000"; deleted != (tc.verdict == Open) {
				t.Errorf("deleted: %v; did %v", deleted, done)
			}
		})
	}
}

// TestUPnPConflict has another machine at our port: we take another one and tell it.
func TestUPnPConflict(t *testing.T) {
	t.Parallel()
	r := newFakeRouter(t)
	r.serveUPnP(description(wan1, "/ctl"), except("AddPortMapping", 718, func(args map[string]string) bool { return args["NewExternalPort"] == "5000" }))
	m := r.run(func(t *timing) { t.checkUP = time.Hour })
	s := m.awaitVerdict(Open)
	port := s.External[0].Port()
	if port == testPort {
		t.Fatalf("got %+v", s)
	}
	m.stop()
	if done, want := r.done(), fmt.Sprintf("DeletePortMapping %d", port); done[len(done)-1] != want {
		t.Errorf("did %v, want %q at the end", done, want)
	}
}

// TestUPnPLost has a router that forgets the mapping, or gives it to another.
func TestUPnPLost(t *testing.T) {
	for _, tc := range []struct {
		name string
		code int
		out  string
	}{
		{"forgotten", 714, ""},
		{"another's", 0, "<NewInternalPort>5000</NewInternalPort><NewInternalClient>127.0.0.9</NewInternalClient>"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newFakeRouter(t)
			usual := giving("198.51.100.7")
			var adds atomic.Int32
			r.serveUPnP(description(wan1, "/ctl"), func(action string, args map[string]string) (int, string) {
				switch {
				case action == "AddPortMapping":
					adds.Add(1)
				case action == "GetSpecificPortMappingEntry" && adds.Load() == 1:
					return tc.code, tc.out
				}
				return usual(action, args)
			})
			m := r.run(nil)
			m.awaitVerdict(Open)
			awaitTrue(t, "mapped again", func() bool { return adds.Load() >= 2 })
			if s := m.State(); s.Verdict != Open {
				t.Errorf("got %+v", s)
			}
		})
	}
}

// TestUPnPElsewhere has answers to the search that lead elsewhere, or come from elsewhere. Nobody there is asked anything.
func TestUPnPElsewhere(t *testing.T) {
	var asked atomic.Int32
	elsewhere := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) })}
	l, err := net.Listen("tcp", netip.AddrPortFrom(freshAddr(), 0).String())
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = elsewhere.Serve(l) }()
	t.Cleanup(func() { _ = elsewhere.Close() })
	t.Run("location", func(t *testing.T) {
		r := newFakeRouter(t)
		r.change(func() {
			r.ssdp = func(*net.UDPAddr) []string {
				return []string{ssdpAnswer(fmt.Sprintf("http://%v/desc.xml", l.Addr())), ssdpAnswer("http://localhost/"), ssdpAnswer("file:///etc/passwd")}
			}
		})
		r.run(nil).awaitVerdict(None)
	})
	t.Run("redirect", func(t *testing.T) {
		r := newFakeRouter(t)
		own, err := net.Listen("tcp", netip.AddrPortFrom(r.addr, 0).String())
		if err != nil {
			t.Fatal(err)
		}
		var redirected atomic.Int32
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			redirected.Add(1)
			http.Redirect(w, q, fmt.Sprintf("http://%v/desc.xml", l.Addr()), http.StatusFound)
		})}
		go func() { _ = server.Serve(own) }()
		t.Cleanup(func() { _ = server.Close() })
		r.change(func() {
			r.ssdp = func(*net.UDPAddr) []string {
				return []string{ssdpAnswer(fmt.Sprintf("http://%v/desc.xml", own.Addr()))}
			}
		})
		r.run(nil).awaitVerdict(None)
		if redirected.Load() == 0 {
			t.Error("the router was not asked")
		}
	})
	t.Run("source", func(t *testing.T) {
		r := newFakeRouter(t)
		stranger := newFakeRouter(t)
		location := stranger.serveUPnP(description(wan1, "/ctl"), giving("198.51.100.7"))
		out, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(stranger.addr, 0)))
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		r.change(func() {
			r.ssdp = func(from *net.UDPAddr) []string {
				_, _ = out.WriteToUDP([]byte(ssdpAnswer(location)), from)
				return nil
			}
		})
		r.run(nil).awaitVerdict(None)
		if done := stranger.done(); len(done) != 0 {
			t.Errorf("the stranger was asked for %v", done)
		}
	})
	if asked.Load() != 0 {
		t.Errorf("somebody elsewhere was asked %d times", asked.Load())
	}
}

// TestUPnPFlood has a router that answers the search with very many places. Few of them are looked at.
func TestUPnPFlood(t *testing.T) {
	r := newFakeRouter(t)
	var asked atomic.Int32
	l, err := net.Listen("tcp", netip.AddrPortFrom(r.addr, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) })}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	r.change(func() {
		r.ssdp = func(*net.UDPAddr) (all []string) {
			for i := range 200 {
				all = append(all, ssdpAnswer(fmt.Sprintf("http://%v/%d", l.Addr(), i)))
			}
			return all
		}
	})
	f := newFinder(func() network { return networkOf(r.addr) }, testTiming.search, slog.New(slog.DiscardHandler))
	if g, err := f.find(t.Context()); err == nil {
		t.Errorf("found %+v", g)
	}
	if n := asked.Load(); n == 0 || n > maxLocations {
		t.Errorf("looked at %d places, want 1 to %d", n, maxLocations)
	}
}

func TestParseDescription(t *testing.T) {
	location, _ := url.Parse("http://192.168.1.1:49000/dir/desc.xml")
	service := func(kind, control string) string {
		return "<service><serviceType>" + kind + "</serviceType><controlURL>" + control + "</controlURL></service>"
	}
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"usual", description(wan1, "/ctl"), []string{wan1 + " http://192.168.1.1:49000/ctl"}},
		{"relative", service("a", "ctl"), []string{"a http://192.168.1.1:49000/dir/ctl"}},
		{"base", "<r><URLBase>http://192.168.1.1:5000/</URLBase>" + service("a", "ctl") + "</r>", []string{"a http://192.168.1.1:5000/ctl"}},
		{"base elsewhere", "<r><URLBase>http://192.168.1.9:5000/</URLBase>" + service("a", "/ctl") + "</r>", []string{"a http://192.168.1.1:49000/ctl"}},
		{"spaces", service(" a\n", "\n/ctl "), []string{"a http://192.168.1.1:49000/ctl"}},
		{"half a service", "<r><service><serviceType>a</serviceType></service>" + service("b", "/ctl") + "</r>", []string{"b http://192.168.1.1:49000/ctl"}},
		{"Latin-1", `<?xml version="1.0" encoding="ISO-8859-1"?>` + service("a", "/ctl"), []string{"a http://192.168.1.1:49000/ctl"}},
		{"elsewhere", "<r>" + service("a", "http://192.168.1.2/") + service("b", "//192.168.1.2/") + service("c", "https://192.168.1.1/") + "</r>", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			services, err := parseDescription([]byte(tc.text), location)
			var got []string
			for _, s := range services {
				got = append(got, s.kind+" "+s.control.String())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
				t.Errorf("%v, -want +got:\n%s", err, diff)
			}
		})
	}
	if services, err := parseDescription([]byte("<r>"+strings.Repeat(service("a", "/c"), 2*maxServices)+"</r>"), location); err != nil || len(services) != maxServices {
		t.Errorf("got %d services and %v, want %d", len(services), err, maxServices)
	}
}

func FuzzParseDescription(f *testing.F) {
	f.Add([]byte(description(wan1, "/ctl")))
	f.Add([]byte(`<r><URLBase>http://192.168.1.1:5000/</URLBase><service><serviceType>a</serviceType><controlURL>c</controlURL></service></r>`))
	f.Add([]byte(`<?xml version="1.0" encoding="x"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`))
	location, _ := url.Parse("http://192.168.1.1:49000/dir/desc.xml")
	f.Fuzz(func(t *testing.T, text []byte) {
		services, err := parseDescription(text, location)
		if err != nil {
			return
		}
		if len(services) > maxServices {
			t.Errorf("%d services", len(services))
		}
		for _, s := range services {
			if s.control.Scheme != "http" || s.control.Hostname() != "192.168.1.1" {
				t.Errorf("%q leads to %v", text, s.control.String())
			}
		}
	})
}

func TestParseSSDP(t *testing.T) {
	for _, tc := range []struct{ name, answer, want string }{
		{"usual", ssdpAnswer("http://192.168.1.1:5000/rootDesc.xml"), "http://192.168.1.1:5000/rootDesc.xml"},
		{"other case", "HTTP/1.1 200 OK\nLocation:http://192.168.1.1/\nst: " + ssdpTargets[1] + "\n", "http://192.168.1.1/"},
		{"a television", strings.Replace(ssdpAnswer("http://192.168.1.1/"), "InternetGatewayDevice", "MediaRenderer", 1), ""},
		{"not found", strings.Replace(ssdpAnswer("http://192.168.1.1/"), "200", "404", 1), ""},
		{"a question", string(ssdpQuestion("239.255.255.250:1900", ssdpTargets[0])), ""},
		{"a name", ssdpAnswer("http://router/"), ""},
		{"HTTPS", ssdpAnswer("https://192.168.1.1/"), ""},
		{"a user", ssdpAnswer("http://a:b@192.168.1.1/"), ""},
		{"port 0", ssdpAnswer("http://192.168.1.1:0/"), ""},
		{"no location", ssdpAnswer(""), ""},
		{"long", ssdpAnswer("http://192.168.1.1/" + strings.Repeat("a", 2048)), ""},
		{"empty", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u, err := parseSSDP([]byte(tc.answer))
			if (err == nil) != (tc.want != "") || err == nil && u.String() != tc.want {
				t.Errorf("got %v and %v, want %q", u, err, tc.want)
			}
		})
	}
}

func FuzzParseSSDP(f *testing.F) {
	f.Add([]byte(ssdpAnswer("http://192.168.1.1:5000/rootDesc.xml")))
	f.Add([]byte(ssdpAnswer("http://[fe80::1%25eth0]:5000/rootDesc.xml")))
	f.Add(ssdpQuestion("239.255.255.250:1900", ssdpTargets[0]))
	f.Fuzz(func(t *testing.T, b []byte) {
		u, err := parseSSDP(b)
		if err != nil {
			return
		}
		if a, err := httpHost(u); err != nil || u.Scheme != "http" || a.Port() == 0 {
			t.Errorf("took %q as %v", b, u)
		}
	})
}

// answering answers each HTTP request with this body.
type answering []byte

func (a answering) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, ContentLength: -1, Body: io.NopCloser(strings.NewReader(string(a)))}, nil
}

// FuzzSOAP is about the answers of a router's service.
func FuzzSOAP(f *testing.F) {
	const envelope = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>%s</s:Body></s:Envelope>`
	f.Add(fmt.Appendf(nil, envelope, `<u:x xmlns:u="urn:x"><NewExternalIPAddress>198.51.100.7</NewExternalIPAddress></u:x>`))
	f.Add(fmt.Appendf(nil, envelope, `<s:Fault><faultcode>s:Client</faultcode><detail><UPnPError><errorCode>725</errorCode></UPnPError></detail></s:Fault>`))
	f.Add([]byte("<a>"))
	s := service{wan1, url.URL{Scheme: "http", Host: "192.168.1.1:5000", Path: "/ctl"}}
	f.Fuzz(func(t *testing.T, body []byte) {
		address, err := externalAddress(context.Background(), &http.Client{Transport: limited{answering(body)}}, s)
		if err == nil && !(address.Is4() && public(address)) {
			t.Errorf("took %q as %v", body, address)
		}
	})
}
