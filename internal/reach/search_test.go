// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/pairing"
	"github.com/costream-obs/costream-obs/internal/reach/dht"
	"github.com/costream-obs/costream-obs/internal/reach/meet"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
)

var peerAt = netip.MustParseAddrPort("203.0.113.7:5000")

// TestWanted: others are asked only where the peer alone is not enough.
func TestWanted(t *testing.T) {
	now := time.Now()
	there, gone := link.Way{Addr: peerAt, Since: now.Add(-time.Minute)}, link.Way{Since: now.Add(-time.Minute)}
	for _, test := range []struct {
		name   string
		search *search
		way    link.Way
		auto   bool
		wanted bool
		again  time.Duration
	}{
		{"only the peer may be asked", &search{onAir: true, holds: 1}, gone, false, false, 0},
		{"the peer has had its time", &search{onAir: true}, gone, true, true, headStart - time.Minute},
		{"the peer has time", &search{onAir: true}, link.Way{Since: now}, true, false, headStart},
		{"the peer is there", &search{onAir: true}, there, true, false, 0},
		{"the peer is there, and others were asked", &search{onAir: true, helpers: &helpers{}}, there, true, true, 0},
		{"off air", &search{}, gone, true, false, 0},
		{"off air, a probe", &search{holds: 1}, gone, true, true, 0},
		{"off air, just after a probe", &search{released: now.Add(-time.Second)}, gone, true, true, linger - time.Second},
		{"off air, long after a probe", &search{released: now.Add(-time.Minute), helpers: &helpers{}}, gone, true, false, linger - time.Minute},
	} {
		s := test.search
		s.m = &Manager{o: Options{Auto: test.auto}}
		wanted, again := s.wanted(now, test.way)
		if wanted != test.wanted || again > 0 && again != test.again || again <= 0 && test.again > 0 {
			t.Errorf("%s: got %t, again after %v, want %t, %v", test.name, wanted, again, test.wanted, test.again)
		}
	}
}

// TestNote: what the peer's note says of its network.
func TestNote(t *testing.T) {
	at := func(k meet.Kind) meet.Candidate { return meet.Candidate{Addr: peerAt, Kind: k} }
	for _, test := range []struct {
		note []meet.Candidate
		want State
	}{
		{nil, State{}},
		{[]meet.Candidate{at(meet.LAN)}, State{Note: true}},
		{[]meet.Candidate{at(meet.Outer), at(meet.LAN)}, State{Note: true, PeerNAT: NATSame}},
		{[]meet.Candidate{at(meet.Outer), at(meet.Changing)}, State{Note: true, PeerNAT: NATChanging}},
		{[]meet.Candidate{at(meet.Changing), at(meet.Outer), at(meet.Relayed)}, State{Note: true, PeerNAT: NATChanging, PeerRelay: true}},
	} {
		var got State
		tellNote(&got, test.note)
		if diff := cmp.Diff(test.want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
			t.Errorf("%v (-want +got):\n%s", test.note, diff)
		}
	}
}

func TestOpens(t *testing.T) {
	for _, test := range []struct {
		opened []string
		peer   string
		want   bool
	}{
		{nil, "203.0.113.7", false},
		{[]string{"198.51.100.1:5000"}, "203.0.113.7", true},
		{[]string{"198.51.100.1:5000"}, "192.168.1.3", false},
		{[]string{"198.51.100.1:5000"}, "2001:db8::7", false},
		{[]string{"[2001:db8:1::1]:5000"}, "2001:db8::7", true},
	} {
		if got := opens(test.opened, netip.MustParseAddr(test.peer)); got != test.want {
			t.Errorf("%v, %s: got %t, want %t", test.opened, test.peer, got, test.want)
		}
	}
}

// TestNodesFile: the nodes of a run are those of the next one, and a file that cannot be read is none.
func TestNodesFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "nodes.json")
	log := slog.New(slog.DiscardHandler)
	if got := loadNodes(path, log); got != nil {
		t.Errorf("no file: got %v", got)
	}
	var want []dht.Node
	for _, addr := range []string{"198.51.100.1:6881", "[2001:db9::1]:1024"} {
		want = append(want, dht.Node{ID: dht.ID{1, 2, 3}, Addr: netip.MustParseAddrPort(addr)})
	}
	m := &Manager{o: Options{NodesFile: path}, log: log, client: dht.New(dht.Options{Nodes: want})}
	m.saveNodes()
	got := loadNodes(path, log)
	slices.SortFunc(got, func(a, b dht.Node) int { return a.Addr.Compare(b.Addr) })
	if !slices.Equal(want, got) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, text := range []string{"", "{", `["x"]`, `{"a":1}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := loadNodes(path, log); len(got) > 0 {
			t.Errorf("%q: got %v, want none", text, got)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, test := range []struct {
		o    Options
		want string
	}{
		{Options{Relay: "turn:me:hunter2"}, "turn:USER:PASSWORD@HOST:PORT"},
		{Options{Auto: true}, "different secrets"},
	} {
		_, err := New(test.o)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v, want an error about %q without the password", err, test.want)
		}
	}
}

// directPair makes two managers that may ask nobody else, which know each other's addresses, and a link of each.
func directPair(t *testing.T) (managers []*Manager, links []link.Link, at []netip.AddrPort) {
	t.Helper()
	invite, err := pairing.NewInvite(nil)
	if err != nil {
		t.Fatal(err)
	}
	port := testbed.FreeUDPPorts(t, 1)
	hosts := []string{testbed.LoopbackAddress(t), testbed.LoopbackAddress(t)}
	for n, role := range []pairing.Role{pairing.Inviter, pairing.Guest} {
		id, err := (&pairing.Pair{Role: role, Invite: invite}).Identity()
		if err != nil {
			t.Fatal(err)
		}
		m, err := New(Options{
			Secure: link.SecureOptions{Identity: id, Peers: []string{hosts[1-n]}, Listen: hosts[n], Port: port},
			// Not to be used:
			MeetNodes: []string{hosts[1-n] + ":1"}, Relay: "turn:a:b@" + hosts[1-n] + ":1",
		})
		if err != nil {
			t.Fatal(err)
		}
		l, err := m.Link(link.Handler{})
		if err != nil {
			t.Fatal(err)
		}
		managers, links = append(managers, m), append(links, l)
		at = append(at, netip.AddrPortFrom(netip.MustParseAddr(hosts[n]), uint16(port)))
	}
	return managers, links, at
}

// knows holds what is known of a direct way to an address.
func knows(t *testing.T, m *Manager, at netip.AddrPort) {
	t.Helper()
	want := State{Port: int(at.Port()), Way: WayDirect, At: at}
	if diff := cmp.Diff(want, m.State(), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
}

// TestDirect: two managers that may ask nobody else connect at the addresses that they know, and tell the way.
func TestDirect(t *testing.T) {
	managers, links, at := directPair(t)
	stops := []func(){testbed.Run(t, "link", links[0].Run), testbed.Run(t, "link", links[1].Run)}
	await := func(m *Manager, want Way) {
		testbed.Await(t, "the way", 10*time.Second, func() error {
			if got := m.State().Way; got != want {
				return fmt.Errorf("got %q, want %q", got, want)
			}
			return nil
		})
	}
	for n, m := range managers {
		await(m, WayDirect)
		knows(t, m, at[1-n])
	}
	stops[0]()
	await(managers[1], "")
	testbed.Receive(t, managers[1].Changed(), "word of it")
	stops[1]()
}

// TestSurveyed: a survey ends where the way is known, but not before the relay of the settings has answered or failed.
func TestSurveyed(t *testing.T) {
	all := State{Router: RouterNone, NAT: NATSame, Note: true}
	for _, test := range []struct {
		state State
		want  bool
	}{
		{State{}, false},
		{all, true},
		{State{Way: WayDirect}, true},
		{State{Way: WayDirect, Relay: RelayAsked}, false},
		{State{Way: WayDirect, Relay: RelayFailed}, true},
		{State{Way: WayDirect, Relay: RelayReady}, true},
	} {
		if got := test.state.surveyed(); got != test.want {
			t.Errorf("%+v: got %t, want %t", test.state, got, test.want)
		}
	}
}

// TestProbed: off air, the way is where a probe has found the peer.
func TestProbed(t *testing.T) {
	managers, links, at := directPair(t)
	// As doctor does, which does not wait until the standby has begun.
	results := make(chan link.ProbeReport, 1)
	prober := links[0].(link.Prober)
	go func() { results <- prober.Probe(t.Context()) }()
	for _, l := range links {
		testbed.Run(t, "standby", l.(link.Prober).Standby)
	}
	if report := testbed.Receive(t, results, "the report"); report.Peer != at[1] {
		t.Fatalf("got the peer at %v, want %v", report.Peer, at[1])
	}
	knows(t, managers[0], at[1])
	if state := managers[0].Survey(t.Context()); state.Way != WayDirect {
		t.Errorf("survey: got %+v, want the way", state)
	}
}
