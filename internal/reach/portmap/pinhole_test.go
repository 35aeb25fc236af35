// SPDX-License-Identifier: Apache-2.0

package portmap

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestPinhole opens the firewall for IPv6 with UPnP. The router's IPv6 address is ::1.
func TestPinhole(t *testing.T) {
	own := netip.MustParseAddr("::1")
	external := netip.AddrPortFrom(own, testPort)
	id := func(action string, _ map[string]string) (int, string) {
		if action == "AddPinhole" {
			return 0, "<UniqueID>77</UniqueID>"
		}
		return 0, ""
	}
	failing := func(action string, code int, times int) func(string, map[string]string) (int, string) {
		return func(a string, args map[string]string) (int, string) {
			if a == action && times > 0 {
				times--
				return code, ""
			}
			return id(a, args)
		}
	}
	for _, tc := range []struct {
		name string
		soap func(string, map[string]string) (int, string)
		open bool
		err  string
		// actions up to the one that is awaited, and at the end
		actions, end []string
	}{
		{"opens", id, true, "", []string{"AddPinhole", "GetPinholePackets", "GetPinholePackets"}, []string{"DeletePinhole"}},
		{"the firewall is off", failing("AddPinhole", 702, 99), true, "", []string{"AddPinhole"}, nil},
		{"refuses", failing("AddPinhole", 606, 99), false, "AddPinhole: error 606", []string{"AddPinhole"}, nil},
		{"no number", func(string, map[string]string) (int, string) { return 0, "<UniqueID>x</UniqueID>" }, false, "no number", []string{"AddPinhole"}, nil},
		{"is renewed when it is lost", failing("GetPinholePackets", 704, 1), true, "",
			[]string{"AddPinhole", "GetPinholePackets", "UpdatePinhole", "GetPinholePackets"}, []string{"DeletePinhole"}},
		{"does not know the question", failing("GetPinholePackets", 401, 99), true, "",
			[]string{"AddPinhole", "GetPinholePackets", "GetPinholePackets"}, []string{"DeletePinhole"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newFakeRouter(t)
			location, err := url.Parse(r.serveUPnP(description(firewallKind, "/ctl"), tc.soap))
			if err != nil {
				t.Fatal(err)
			}
			l, err := net.Listen("tcp", net.JoinHostPort("::1", location.Port()))
			if err != nil {
				t.Skipf("needs the same port at ::1: %v", err)
			}
			server := &http.Server{Handler: http.HandlerFunc(r.answerSOAP)}
			go func() { _ = server.Serve(l) }()
			t.Cleanup(func() { _ = server.Close() })
			n := networkOf(r.addr)
			n.gateway6, n.own6 = own, []netip.Addr{own}
			m := runMapper(t, func() network { return n }, func(int) error { return nil }, func(t *timing) { t.retry, t.maxRetry = time.Minute, time.Minute })
			if tc.open {
				m.await("open", func(s State) bool { return slices.Equal(s.External, []netip.AddrPort{external}) && s.Protocol == UPnP })
			} else if s := m.await("refused", func(s State) bool { return s.Err6 != nil }); !strings.Contains(s.Err6.Error(), tc.err) || len(s.External) != 0 {
				t.Errorf("got %+v, want %q", s, tc.err)
			}
			awaitTrue(t, "all actions", func() bool { return len(r.done()) >= len(tc.actions) })
			if diff := cmp.Diff(tc.actions, r.done()[:len(tc.actions)]); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			m.stop()
			done := slices.DeleteFunc(r.done(), func(action string) bool { return action != "DeletePinhole" })
			if diff := cmp.Diff(tc.end, done, cmp.Transformer("nil", func(s []string) string { return strings.Join(s, " ") })); diff != "" {
				t.Errorf("at the end: -want +got:\n%s", diff)
			}
		})
	}
}
