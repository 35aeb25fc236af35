// SPDX-License-Identifier: Apache-2.0

package portmap

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

var (
	sameThere  = netip.AddrPortFrom(fakeAddr, testPort)
	otherThere = netip.AddrPortFrom(fakeAddr, 61234)
)

// pcpGives makes a PCP router that gives this address for an hour.
func pcpGives(external netip.AddrPort) func([]byte) [][]byte {
	return func(q []byte) [][]byte { return one(fakePCP(q, 0, 3600, 1000, external)) }
}

func natpmpGives(external netip.AddrPort) func([]byte) [][]byte {
	return func(q []byte) [][]byte { return one(fakeNATPMP(q, 0, 3600, 1000, external)) }
}

// TestAnswers shows what is made of answers to PCP and NAT-PMP, right and wrong ones.
func TestAnswers(t *testing.T) {
	// spoilt changes PCP's right answer.
	spoilt := func(change func(a []byte) []byte) func([]byte) [][]byte {
		return func(q []byte) [][]byte { return one(change(fakePCP(q, 0, 3600, 1000, sameThere))) }
	}
	refusing := func(result byte) func([]byte) [][]byte {
		return func(q []byte) [][]byte {
			return one(fakePCP(q, result, 1800, 1000, netip.MustParseAddrPort("0.0.0.0:0")))
		}
	}
	open := func(protocol string, external netip.AddrPort) State {
		return State{External: []netip.AddrPort{external}, Protocol: protocol, Verdict: Open}
	}
	for _, tc := range []struct {
		name        string
		pcp, natpmp func([]byte) [][]byte
		want        State
		err         string // a part of it
	}{
		{"PCP", pcpGives(sameThere), nil, open(PCP, sameThere), ""},
		{"PCP before NAT-PMP", pcpGives(sameThere), natpmpGives(otherThere), open(PCP, sameThere), ""},
		{"another port than ours", pcpGives(otherThere), nil, open(PCP, otherThere), ""},
		{"NAT-PMP, PCP is silent", nil, natpmpGives(otherThere), open(NATPMP, otherThere), ""},
		{
			"NAT-PMP, to PCP it answers its version",
			func([]byte) [][]byte { return one([]byte{0, 0x81, 0, 1, 0, 0, 0, 0}) }, natpmpGives(sameThere), open(NATPMP, sameThere), "",
		},
		{"NAT-PMP, PCP refuses", refusing(2), natpmpGives(sameThere), open(NATPMP, sameThere), ""},
		{"silence", nil, nil, State{Verdict: None}, "no answer"},
		{"both refuse", refusing(2), func(q []byte) [][]byte {
			return one(fakeNATPMP(q, 2, 0, 1000, netip.MustParseAddrPort("0.0.0.0:0")))
		}, State{Verdict: Refused}, "PCP: the router refused: 2 (not authorized); NAT-PMP: the router refused: 2 (not authorized)"},
		{"an unknown refusal", refusing(200), nil, State{Verdict: Refused}, "200 (unknown result)"},
		{"CGNAT with PCP", pcpGives(netip.MustParseAddrPort("100.64.1.2:5000")), nil, State{Verdict: Shared}, "100.64.1.2"},
		{"double NAT with NAT-PMP", nil, natpmpGives(netip.MustParseAddrPort("10.0.0.7:5000")), State{Verdict: Shared}, "10.0.0.7"},
		{"no address", nil, natpmpGives(netip.MustParseAddrPort("0.0.0.0:5000")), State{Verdict: Shared}, "no public address"},
		{"no address, and NAT-PMP says so", nil, func(q []byte) [][]byte {
			return one(fakeNATPMP(q, 3, 0, 1000, netip.MustParseAddrPort("0.0.0.0:0")))
		}, State{Verdict: Shared}, "no public address"},
		{"a loopback address", pcpGives(netip.MustParseAddrPort("127.0.0.1:5000")), nil, State{Verdict: Shared}, "127.0.0.1"},
		{"port 0", pcpGives(netip.AddrPortFrom(fakeAddr, 0)), nil, State{Verdict: Refused}, "no usable address"},
		{"IPv6 for IPv4", pcpGives(netip.MustParseAddrPort("[2001:db8::1]:5000")), nil, State{Verdict: Refused}, "no usable address"},
		{"another's nonce", spoilt(func(a []byte) []byte { a[24] ^= 1; return a }), nil, State{Verdict: None}, "no answer"},
		{"another port", spoilt(func(a []byte) []byte { a[41] ^= 1; return a }), nil, State{Verdict: None}, "no answer"},
		{"TCP", spoilt(func(a []byte) []byte { a[36] = 6; return a }), nil, State{Verdict: None}, "no answer"},
		{"cut", spoilt(func(a []byte) []byte { return a[:59] }), nil, State{Verdict: None}, "no answer"},
		{"the question itself", func(q []byte) [][]byte { return one(q) }, nil, State{Verdict: None}, "no answer"},
		{
			"the right one after wrong ones",
			func(q []byte) [][]byte {
				right := fakePCP(q, 0, 3600, 1000, sameThere)
				wrong := slices.Clone(right)
				wrong[24] ^= 1
				return [][]byte{wrong, {}, {2}, right[:30], right}
			}, nil, open(PCP, sameThere), "",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newFakeRouter(t)
			r.change(func() { r.pcp, r.natpmp = tc.pcp, tc.natpmp })
			m := r.run(nil)
			s := m.await("known", func(s State) bool { return s.Verdict != Asking })
			err := s.Err
			tc.want.Gateway, s.Err = r.addr, nil
			if diff := cmp.Diff(tc.want, s, compareAddrs); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("got error %v, want one with %q", err, tc.err)
			}
		})
	}
}

// TestLate has a router that answers to the second PCP question only, when NAT-PMP's turn has come.
func TestLate(t *testing.T) {
	t.Parallel()
	r := newFakeRouter(t)
	var asked int
	r.change(func() {
		r.pcp = func(q []byte) [][]byte {
			if asked++; asked == 1 {
				return nil
			}
			return one(fakePCP(q, 0, 3600, 1000, sameThere))
		}
	})
	m := r.run(func(t *timing) { t.patience = 20 * time.Millisecond })
	if s := m.awaitVerdict(Open); s.Protocol != PCP {
		t.Errorf("got %+v", s)
	}
}

// TestWrongSource has a right answer that comes from another address, or another port, than was asked.
func TestWrongSource(t *testing.T) {
	for _, tc := range []struct {
		name  string
		other func(router netip.Addr) netip.AddrPort
	}{
		{"address", func(netip.Addr) netip.AddrPort { return netip.AddrPortFrom(freshAddr(), pcpPort) }},
		{"port", func(router netip.Addr) netip.AddrPort { return netip.AddrPortFrom(router, 0) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := &fakeRouter{t: t, addr: freshAddr()}
			other, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(tc.other(r.addr)))
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close()
			var answered atomic.Int32
			r.serve(pcpPort, func(_ *net.UDPConn, q []byte, from *net.UDPAddr) {
				if q[0] == pcpVersion && len(q) > pcpHeader {
					_, _ = other.WriteToUDP(fakePCP(q, 0, 3600, 1000, sameThere), from)
					answered.Add(1)
				}
			})
			m := r.run(nil)
			m.awaitVerdict(None)
			if answered.Load() == 0 {
				t.Error("the other answered nothing")
			}
		})
	}
}

// TestKept follows a mapping over renewals, the router's restart and the end: always the same nonce, and the port of before.
func TestKept(t *testing.T) {
	t.Parallel()
	r := newFakeRouter(t)
	began := time.Now()
	restarted := false
	r.change(func() {
		r.pcp = func(q []byte) [][]byte {
			age := uint32(time.Since(began) / time.Second)
			if !restarted {
				age += 5000
			}
			return one(fakePCP(q, 0, 3600, age, otherThere))
		}
	})
	m := r.run(func(t *timing) { t.shortest = 3600 * time.Second })
	m.awaitVerdict(Open)
	first := r.asked()
	r.change(func() { restarted = true })
	awaitTrue(t, "asked again after the restart", func() bool { return len(r.asked()) > len(first) })
	m.stop()
	asked := r.asked()
	last := asked[len(asked)-1]
	want := pcpRequest{
		own: netip.MustParseAddr("127.0.0.1"), nonce: asked[0].nonce, port: testPort, suggested: otherThere, lifetime: lifetime,
	}
	for _, q := range asked[1 : len(asked)-1] {
		if diff := cmp.Diff(want, q, cmp.AllowUnexported(pcpRequest{}), compareAddrs); diff != "" {
			t.Errorf("a renewal: -want +got:\n%s", diff)
		}
	}
	want.suggested, want.lifetime = netip.MustParseAddrPort("0.0.0.0:0"), 0
	if diff := cmp.Diff(want, last, cmp.AllowUnexported(pcpRequest{}), compareAddrs); diff != "" {
		t.Errorf("the deletion: -want +got:\n%s", diff)
	}
	if want := netip.MustParseAddrPort("0.0.0.0:5000"); asked[0].suggested != want {
		t.Errorf("the first question suggests %v, want %v", asked[0].suggested, want)
	}
}

// TestRenewal has a router that gives short leases and no checks that could renew.
func TestRenewal(t *testing.T) {
	t.Parallel()
	r := newFakeRouter(t)
	r.change(func() { r.pcp = func(q []byte) [][]byte { return one(fakePCP(q, 0, 1, 1000, sameThere)) } })
	m := r.run(func(t *timing) { t.shortest, t.check = 200*time.Millisecond, time.Hour })
	m.awaitVerdict(Open)
	began := time.Now()
	awaitTrue(t, "renewed twice", func() bool { return len(r.asked()) >= 3 })
	// A lease of 1 s is longer than the shortest that we take: renewals come at 0.5 s.
	if took := time.Since(began); took < 900*time.Millisecond || took > 3*time.Second {
		t.Errorf("renewed twice within %v, want 1s", took)
	}
}

// TestLeases shows when renewals come.
func TestLeases(t *testing.T) {
	w := &worker{m: newMapper(Options{}, nil, nil, standardTiming)}
	for given, want := range map[time.Duration]time.Duration{
		0: time.Hour, time.Second: 30 * time.Second, 10 * time.Minute: 5 * time.Minute, 2 * time.Hour: time.Hour,
		seconds(1<<32 - 1): time.Hour,
	} {
		if got := w.renewAfter(given); got != want {
			t.Errorf("a lease of %v is renewed after %v, want %v", given, got, want)
		}
	}
}

// TestNATPMPChange has a NAT-PMP router that gets another address.
func TestNATPMPChange(t *testing.T) {
	t.Parallel()
	r := newFakeRouter(t)
	r.change(func() { r.natpmp = natpmpGives(sameThere) })
	m := r.run(nil)
	m.awaitVerdict(Open)
	moved := netip.MustParseAddrPort("198.51.100.99:5000")
	r.change(func() { r.natpmp = natpmpGives(moved) })
	m.await("moved", func(s State) bool { return slices.Equal(s.External, []netip.AddrPort{moved}) })
}

// TestSilenceAfterOpen has a router that goes away and comes back, and one that is gone at the end.
func TestSilenceAfterOpen(t *testing.T) {
	t.Parallel()
	r := newFakeRouter(t)
	r.change(func() { r.pcp = pcpGives(sameThere) })
	m := r.run(nil)
	m.awaitVerdict(Open)
	r.change(func() { r.pcp = nil })
	if s := m.awaitVerdict(None); len(s.External) != 0 {
		t.Errorf("still %v", s.External)
	}
	r.change(func() { r.pcp = pcpGives(sameThere) })
	m.awaitVerdict(Open)
	r.change(func() { r.pcp = nil })
	began := time.Now()
	m.stop()
	if took := time.Since(began); took > testTiming.closing+time.Second {
		t.Errorf("stopped after %v", took)
	}
}

// TestGatewayChange moves to another router, and then to none.
func TestGatewayChange(t *testing.T) {
	t.Parallel()
	first, second := newFakeRouter(t), newFakeRouter(t)
	first.change(func() { first.pcp = pcpGives(sameThere) })
	second.change(func() { second.pcp = pcpGives(otherThere) })
	var now atomic.Pointer[network]
	use := func(n network) { now.Store(&n) }
	use(networkOf(first.addr))
	m := runMapper(t, func() network { return *now.Load() }, func(int) error { return nil }, nil)
	m.awaitVerdict(Open)
	use(networkOf(second.addr))
	s := m.await("at the second", func(s State) bool { return slices.Equal(s.External, []netip.AddrPort{otherThere}) })
	if s.Gateway != second.addr {
		t.Errorf("got %+v, want the gateway %v", s, second.addr)
	}
	awaitTrue(t, "the first has deleted it", func() bool {
		asked := first.asked()
		return asked[len(asked)-1].lifetime == 0
	})
	use(network{})
	if s := m.awaitVerdict(None); s.Err == nil || s.Gateway.IsValid() || len(s.External) != 0 {
		t.Errorf("got %+v", s)
	}
}

// TestNotBound asks no router for a port that we do not have, and takes it back when we have it no more.
func TestNotBound(t *testing.T) {
	t.Parallel()
	r := newFakeRouter(t)
	r.change(func() { r.pcp = pcpGives(sameThere) })
	var have atomic.Bool
	var looked atomic.Int32
	m := runMapper(t, func() network { return networkOf(r.addr) }, func(int) error {
		looked.Add(1)
		if !have.Load() {
			return errors.New("not bound")
		}
		return nil
	}, nil)
	awaitTrue(t, "looked three times", func() bool { return looked.Load() >= 3 })
	if asked := r.asked(); len(asked) != 0 || m.State().Err == nil {
		t.Errorf("asked %v, state %+v", asked, m.State())
	}
	have.Store(true)
	m.awaitVerdict(Open)
	have.Store(false)
	m.await("given back", func(s State) bool { return len(s.External) == 0 })
	awaitTrue(t, "deleted", func() bool {
		asked := r.asked()
		return asked[len(asked)-1].lifetime == 0
	})
}

// TestFlood has 100,000 random and near-valid datagrams before the right answer.
func TestFlood(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		protocol string
		// right is the answer that counts. taken reports whether a router may say a spoilt one: what it says counts.
		right func(question []byte) []byte
		taken func(spoilt, question []byte) bool
	}{
		{
			PCP, func(q []byte) []byte { return fakePCP(q, 0, 3600, 1000, sameThere) },
			func(b, q []byte) bool {
				a, err := parsePCP(b)
				return errors.Is(err, errVersion) || err == nil && len(b) >= 36 && pcpNonce(b[24:36]) == pcpNonce(q[24:36]) && a.opcode == opMap
			},
		},
		{
			NATPMP, func(q []byte) []byte { return fakeNATPMP(q, 0, 3600, 1000, sameThere) },
			func(b, q []byte) bool {
				a, err := parseNATPMP(b)
				return err == nil && a.opcode == q[1]
			},
		},
	} {
		t.Run(tc.protocol, func(t *testing.T) {
			t.Parallel()
			r := newFakeRouter(t)
			random := rand.New(rand.NewPCG(1, 2))
			sent := 0
			answers := func(q []byte) (all [][]byte) {
				right := tc.right(q)
				for ; sent < 100_000; sent++ {
					b := slices.Clone(right[:random.IntN(len(right)+1)])
					for range 1 + random.IntN(4) {
						if len(b) > 0 {
							b[random.IntN(len(b))] ^= byte(1 + random.IntN(255))
						}
					}
					if !tc.taken(b, q) {
						all = append(all, b)
					}
				}
				return append(all, right) // which may be lost in the flood; the next question's answer is not
			}
			if tc.protocol == PCP {
				r.change(func() { r.pcp = answers })
			} else {
				r.change(func() { r.natpmp = answers })
			}
			m := r.run(func(t *timing) {
				t.waits, t.check = slices.Repeat([]time.Duration{time.Second}, 10), time.Hour
				t.attempt = 20 * time.Second
			})
			if s := m.awaitVerdict(Open); !slices.Equal(s.External, []netip.AddrPort{sameThere}) || s.Protocol != tc.protocol {
				t.Errorf("got %+v", s)
			}
		})
	}
}

func awaitTrue(t *testing.T, what string, fits func() bool) {
	t.Helper()
	testbed.Await(t, what, 10*time.Second, func() error {
		if !fits() {
			return errors.New("not yet")
		}
		return nil
	})
}
