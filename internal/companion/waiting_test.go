// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/reach"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
)

var (
	friendAt   = netip.MustParseAddrPort("198.51.100.7:5000")
	goodReport = link.ProbeReport{
		Peer: friendAt, Asked: []netip.AddrPort{friendAt}, Sent: 50, RTT: 20 * time.Millisecond, MinRTT: 20 * time.Millisecond,
		PacketSize: 1500, Version: link.ProbeVersion,
	}
	awayReport = link.ProbeReport{Asked: []netip.AddrPort{friendAt}}
)

// statsLink is a link of which there is nothing but figures.
type statsLink struct {
	link.Link
	stats link.Stats
}

func (l statsLink) Stats() link.Stats { return l.stats }

func receiving(medium *link.MediumStats) {
	medium.Receive.Source, medium.Receive.LastArrival = friendAt, time.Now()
}

func TestWhyThereIsNoPeer(t *testing.T) {
	secure, plain := listening{first: 5000, last: 5000}, listening{address: "192.0.2.1", first: 5000, last: 5007}
	connected := link.Stats{Peer: friendAt.Addr()}
	withSound, withVideo := connected, connected
	receiving(&withSound.Audio)
	receiving(&withVideo.Video)
	met := reach.State{Auto: true, Port: 5000, Searched: time.Minute, Router: reach.RouterNone, Nodes: 30}
	narrow := goodReport
	narrow.PacketSize = 0
	for _, tt := range []struct {
		name   string
		report link.ProbeReport
		err    error
		stats  link.Stats
		ports  listening
		way    reach.State
		want   string
	}{
		{"nobody answers", awayReport, nil, link.Stats{}, secure, reach.State{},
			"No costream-obs of your friend's answers at 198.51.100.7:5000. Does `costream-obs run` or `costream-obs doctor --peer` run on your friend's machine now? If so, add --reach auto on both sides, so that the two machines find each other with the help of others (docs/reach.md), or make the router and the firewall on one of the two sides pass UDP port 5000 on to the machine, or put both machines into one VPN (WireGuard, Tailscale)."},
		{"another key", link.ProbeReport{Strangers: []netip.AddrPort{friendAt}}, nil, link.Stats{}, secure, reach.State{},
			"A costream-obs connects from 198.51.100.7:5000 with a key that is not your friend's. Compare the words on both machines: `costream-obs pair show`. If they differ, pair them again: `costream-obs pair new` on one, `costream-obs pair join` on the other."},
		{"narrow path", narrow, nil, connected, secure, reach.State{},
			"Small packets get to 198.51.100.7:5000 and back, but packets of 1280 bytes do not. Find the VPN whose MTU is too small with `ip link` on both machines, and set it to 1280 or more."},
		{"the friend does not stream", goodReport, nil, link.Stats{}, secure, reach.State{},
			"the costream-obs at 198.51.100.7:5000 answers in 20ms, but it is not on air. Ask your friend to start streaming in OBS"},
		{"connected, and nothing arrives", goodReport, nil, connected, secure, reach.State{},
			"the costream-obs at 198.51.100.7:5000 answers in 20ms and is connected, but it sends neither picture nor sound. Ask your friend which problem costream-obs shows there"},
		{"sound alone", goodReport, nil, withSound, secure, reach.State{},
			"sound arrives from 198.51.100.7:5000, but no picture. Ask your friend which problem costream-obs shows there"},
		{"incomplete pictures", goodReport, nil, withVideo, secure, reach.State{},
			"video packets arrive from 198.51.100.7:5000, but no complete picture. Packets are lost on the way: lower --bitrate on both sides, and look for a VPN whose MTU is below 1280 (`ip link`)"},
		{"plain, nothing arrives", link.ProbeReport{}, errNoProbe, connected, plain, reach.State{},
			"nothing arrives from 198.51.100.7 at UDP ports 5000 to 5007 of 192.0.2.1. Is your friend streaming, to an address of this machine? If so, make the router and the firewall on this side pass these UDP ports on to this machine, or put both machines into one VPN (WireGuard, Tailscale)"},
		{"plain, sound alone", link.ProbeReport{}, errNoProbe, withSound, plain, reach.State{},
			"sound arrives from 198.51.100.7:5000, but no picture. Ask your friend which problem costream-obs shows there"},
		{"no link", link.ProbeReport{}, errNoLink, link.Stats{}, secure, reach.State{}, ""},
		{"nobody has left a note", awayReport, nil, link.Stats{}, secure, met,
			"Your router opens no ports. Nobody has left a note. Does your friend run costream-obs? It must run on both machines at the same time, with reach auto on both."},
		{"the search has just begun", awayReport, nil, link.Stats{}, secure, reach.State{Auto: true, Port: 5000, Searched: time.Second}, ""},
		{"another key, and no note", link.ProbeReport{Strangers: []netip.AddrPort{friendAt}}, nil, link.Stats{}, secure, met,
			"A costream-obs connects from 198.51.100.7:5000 with a key that is not your friend's. Compare the words on both machines: `costream-obs pair show`. If they differ, pair them again: `costream-obs pair new` on one, `costream-obs pair join` on the other."},
		{"no note, but the friend answers", goodReport, nil, link.Stats{}, secure, met,
			"the costream-obs at 198.51.100.7:5000 answers in 20ms, but it is not on air. Ask your friend to start streaming in OBS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got string
			w := &waiting{
				search: func(context.Context) (link.ProbeReport, error) { return tt.report, tt.err },
				link:   func() link.Link { return statsLink{stats: tt.stats} },
				way:    func() reach.State { return tt.way },
				ports:  tt.ports,
				note: func(err error) {
					if err != nil {
						got = err.Error()
					}
				},
			}
			w.look(t.Context())
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problem (-want +got):\n%s", diff)
			}
		})
	}
}

// overlap is how long a test waits for what should not come.
const overlap = 100 * time.Millisecond

// TestWaiting: the peer is searched for again and again, the reason is gone with the peer, and comes back without it.
func TestWaiting(t *testing.T) {
	searches := make(chan context.Context)
	results := make(chan link.ProbeReport)
	w := &waiting{
		search: func(ctx context.Context) (link.ProbeReport, error) {
			searches <- ctx
			return <-results, nil
		},
		link:        func() link.Link { return statsLink{} },
		way:         func() reach.State { return reach.State{} },
		ports:       listening{first: 5000, last: 5000},
		first:       time.Millisecond,
		again:       time.Millisecond,
		seenChanged: make(chan struct{}, 1),
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	problems := make(chan error, 16)
	ended := make(chan error, 1)
	go func() { ended <- w.run(ctx, func(err error) { problems <- err }) }()
	for range 2 {
		for range 2 {
			testbed.Receive(t, searches, "a search")
			results <- awayReport
			if testbed.Receive(t, problems, "the reason") == nil {
				t.Fatal("there is no reason")
			}
		}
		searching := testbed.Receive(t, searches, "a search")
		w.peerSeen(true)
		if err := testbed.Receive(t, problems, "the end of the problem"); err != nil {
			t.Fatalf("the peer is seen, and yet: %v", err)
		}
		testbed.Receive(t, searching.Done(), "the end of the search")
		results <- awayReport // too late
		select {
		case err := <-problems:
			t.Errorf("while the peer is seen: got the problem %v", err)
		case <-searches:
			t.Error("a peer that is seen is searched for")
		case <-time.After(overlap):
		}
		w.peerSeen(false)
	}
	testbed.Receive(t, searches, "a search")
	cancel()
	results <- awayReport
	if err := testbed.Receive(t, ended, "the end"); err != nil {
		t.Error(err)
	}
}

// TestReasonWithinTenSeconds: a search in vain takes 5 s.
func TestReasonWithinTenSeconds(t *testing.T) {
	const search, limit = 5 * time.Second, 10 * time.Second
	if w := (&Companion{}).newWaiting(); w.first+search >= limit {
		t.Errorf("the first search begins after %v", w.first)
	}
}
