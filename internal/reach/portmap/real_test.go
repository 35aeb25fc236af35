// SPDX-License-Identifier: Apache-2.0

package portmap

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

// TestRealRouter opens the port at a real miniupnpd with each protocol and takes it back.
func TestRealRouter(t *testing.T) {
	const usual = "enable_upnp=yes\n"
	four, six := netip.MustParseAddrPort(realWAN+":5000"), netip.MustParseAddrPort("["+realGlobal+"]:5000")
	// What a router drops or refuses comes before what it accepts.
	const (
		silent     = "insert rule inet filter input udp dport 5351 drop"
		withoutPCP = "insert rule inet filter input udp dport 5351 @th,64,8 2 drop"
	)
	for _, tc := range []struct {
		name, config, rules string
		protocol            string
	}{
		{"PCP", usual + "enable_natpmp=yes", "", PCP},
		{"NAT-PMP, and PCP is dropped", usual + "enable_natpmp=yes", withoutPCP, NATPMP},
		{"UPnP, and the others are refused", usual + "enable_natpmp=no", "", UPnP},
		{"UPnP, and the others are dropped", usual + "enable_natpmp=yes", silent, UPnP},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := newHome(t, realWAN, tc.config)
			if tc.rules != "" {
				h.nft(tc.rules)
			}
			// A busy machine can only make it later, so one round in time is enough.
			inTime := false
			for round := 0; round < 3 && !inTime; round++ {
				m := h.start()
				s := m.await("IPv4 open", 10*time.Second, func(r report) bool { return r.Verdict == Open.String() })
				protocol, took := s.Protocol, s.After
				if !slices.Contains(s.External, four) || s.Gateway.String() != "192.168.1.1" {
					t.Errorf("got %+v, want %v", s, four)
				}
				if !slices.Contains(s.External, six) {
					s = m.await("IPv6 open", 10*time.Second, func(r report) bool { return slices.Contains(r.External, six) })
				}
				if got4, got6 := h.mapped(); !got4 || !got6 {
					t.Errorf("the router has IPv4 %v, IPv6 %v\n%s", got4, got6, h.output(h.router, "nft list table inet filter"))
				}
				stopped := m.stop()
				h.awaitClosed()
				t.Logf("open with %s after %v, all after %v, stopped after %v", protocol, took, s.After, stopped)
				inTime = protocol == tc.protocol && took < time.Second && stopped < time.Second
			}
			if !inTime {
				t.Errorf("never open with %s and stopped within a second each", tc.protocol)
			}
		})
	}
}

// TestRealRouterRestart ends the router's daemon and its rules, and starts it anew.
func TestRealRouterRestart(t *testing.T) {
	for _, tc := range []struct{ protocol, config string }{
		{PCP, "enable_upnp=no\nenable_natpmp=yes"},
		{UPnP, "enable_upnp=yes\nenable_natpmp=no"},
	} {
		t.Run(tc.protocol, func(t *testing.T) {
			h := newHome(t, realWAN, tc.config)
			m := h.start()
			isOpen := func(r report) bool { return r.Verdict == Open.String() && len(r.External) == 2 }
			if s := m.await("open", 10*time.Second, isOpen); s.Protocol != tc.protocol {
				t.Fatalf("got %+v, want %s", s, tc.protocol)
			}
			h.stopRouter()
			h.flush()
			m.await("not open", 10*time.Second, func(r report) bool { return r.Verdict == None.String() && len(r.External) == 0 })
			h.startRouter(tc.config)
			began := time.Now()
			m.await("open again", 10*time.Second, isOpen)
			t.Logf("open %v after the router's start", time.Since(began).Round(time.Millisecond))
			if four, six := h.mapped(); !four || !six {
				t.Errorf("the router has IPv4 %v, IPv6 %v", four, six)
			}
			m.stop()
			h.awaitClosed()
		})
	}
}

// TestRealGatewayChange takes the default routes away and brings them back, as a pulled cable does.
func TestRealGatewayChange(t *testing.T) {
	h := newHome(t, realWAN, "enable_upnp=yes\nenable_natpmp=yes")
	m := h.start()
	isOpen := func(r report) bool { return r.Verdict == Open.String() && len(r.External) == 2 }
	m.await("open", 10*time.Second, isOpen)
	began := time.Now()
	h.run(h.inside, "ip link set eth0 down")
	m.await("nothing", 5*time.Second, func(r report) bool { return r.Verdict == None.String() && len(r.External) == 0 })
	t.Logf("noticed after %v", time.Since(began).Round(time.Millisecond))
	h.run(h.inside, "ip link set eth0 up")
	h.run(h.inside, "ip addr replace "+realGlobal+"/64 dev eth0 nodad")
	h.run(h.inside, "ip route replace default via 192.168.1.1")
	h.run(h.inside, "ip -6 route replace default via fe80::1 dev eth0")
	began = time.Now()
	m.await("open again", 10*time.Second, isOpen)
	t.Logf("open again after %v", time.Since(began).Round(time.Millisecond))
	m.stop()
	h.awaitClosed()
}

// TestRealHostFirewall has a firewall on our own machine, which holds back answers to multicast questions.
func TestRealHostFirewall(t *testing.T) {
	h := newHome(t, realWAN, "enable_upnp=yes\nenable_natpmp=no")
	h.run(h.inside, "nft add table inet own")
	h.run(h.inside, "nft add chain inet own in { type filter hook input priority 0 ; policy drop ; }")
	h.run(h.inside, "nft add rule inet own in ct state established,related accept")
	h.run(h.inside, "nft add rule inet own in meta l4proto ipv6-icmp accept")
	s := h.start().await("IPv4 open", 10*time.Second, func(r report) bool { return r.Verdict == Open.String() })
	t.Logf("open after %v", s.After.Round(time.Millisecond))
	if s.Protocol != UPnP {
		t.Errorf("got %+v, want %s", s, UPnP)
	}
}

// TestRealNoRouter has a gateway that opens no ports: it answers nothing, or refuses all connections.
func TestRealNoRouter(t *testing.T) {
	for name, rule := range map[string]string{
		"silent":   "insert rule inet filter input meta l4proto { udp, tcp } drop",
		"refusing": "insert rule inet filter input meta l4proto { udp, tcp } reject",
	} {
		t.Run(name, func(t *testing.T) {
			h := newHome(t, realWAN, "enable_upnp=yes\nenable_natpmp=yes")
			h.nft(rule)
			m := h.start()
			s := m.await("a verdict", 10*time.Second, func(r report) bool { return r.Verdict != Asking.String() })
			t.Logf("%v after %v: %s", s.Verdict, s.After.Round(time.Millisecond), s.Err)
			if s.Verdict != None.String() || len(s.External) != 0 {
				t.Errorf("got %+v, want %v", s, None)
			}
			t.Logf("stopped after %v", m.stop())
		})
	}
}

// TestRealRouterShared has a router whose own address is that of a provider's customer among many, or of another router.
// Its firewall for IPv6 can still be opened.
func TestRealRouterShared(t *testing.T) {
	for _, wan := range []string{"100.64.3.4", "192.168.7.8"} {
		t.Run(wan, func(t *testing.T) {
			h := newHome(t, wan, "enable_upnp=yes\nenable_natpmp=yes")
			m := h.start()
			s := m.await("a verdict", 10*time.Second, func(r report) bool { return r.Verdict != Asking.String() && len(r.External) == 1 })
			t.Logf("%+v", s)
			if s.Verdict != Shared.String() || s.External[0].Addr().String() != realGlobal {
				t.Errorf("got %+v, want %v and IPv6", s, Shared)
			}
			if four, six := h.mapped(); four || !six {
				t.Errorf("the router has IPv4 %v, IPv6 %v", four, six)
			}
		})
	}
}
