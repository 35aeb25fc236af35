// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/pathcheck"
	"github.com/costream-obs/costream-obs/internal/reach"
	"github.com/costream-obs/costream-obs/media/link"
)

const (
	// A search for a silent peer takes 5 s. It starts after firstSearch, so that there is a result within 10 s, and again
	// every searchAgain.
	firstSearch = 3 * time.Second
	searchAgain = 30 * time.Second
	// searchSoon is the pause before another try if no search was possible.
	searchSoon = 2 * time.Second
	// arrivesNow: a packet that came within this time counts as arriving now.
	arrivesNow = 2 * time.Second
)

// waiting finds out why no picture of the peer is shown while we are on air, in the same way as `doctor --peer`.
type waiting struct {
	search func(context.Context) (link.ProbeReport, error)
	link   func() link.Link // nil while there is none
	way    func() reach.State
	ports  listening

	first, again time.Duration // the pauses before the first search, and before the others

	seenChanged chan struct{} // buffered

	mu   sync.Mutex
	seen bool
	note func(error) // nil before run
}

// listening is where we wait for the peer's packets.
type listening struct {
	address     string // empty means all
	first, last int
}

func (l listening) String() string {
	address := l.address
	if address == "" {
		address = "all addresses of this machine"
	}
	if l.first == l.last {
		return fmt.Sprintf("UDP port %d of %s", l.first, address)
	}
	return fmt.Sprintf("UDP ports %d to %d of %s", l.first, l.last, address)
}

// newWaiting is for one time on air.
func (c *Companion) newWaiting() *waiting {
	w := &waiting{
		search: c.probe,
		link: func() link.Link {
			if a := c.call.Load(); a != nil {
				return a.Link()
			}
			return nil
		},
		way:         c.way,
		ports:       listening{address: c.o.Listen, first: c.o.BasePort, last: c.o.BasePort},
		first:       firstSearch,
		again:       searchAgain,
		seenChanged: make(chan struct{}, 1),
	}
	if c.o.Link == nil {
		w.ports.last += plainPorts - 1
	}
	return w
}

// peerSeen takes whether pictures of the peer are shown. When it returns, the problem is gone.
func (w *waiting) peerSeen(seen bool) {
	w.mu.Lock()
	w.seen = seen
	if seen && w.note != nil {
		w.note(nil)
	}
	w.mu.Unlock()
	select {
	case w.seenChanged <- struct{}{}:
	default:
	}
}

// tell reports a problem, unless the peer has come meanwhile.
func (w *waiting) tell(problem error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.seen {
		w.note(problem)
	}
}

func (w *waiting) isSeen() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// run works until ctx ends. note gets the problem, and nil when there is none.
func (w *waiting) run(ctx context.Context, note func(error)) error {
	w.mu.Lock()
	w.note = note
	w.mu.Unlock()
	for ctx.Err() == nil {
		waitingCtx, seen := context.WithCancel(ctx)
		searched := make(chan struct{})
		go func() {
			defer close(searched)
			w.searchOften(waitingCtx)
		}()
		w.awaitSeen(ctx, true)
		seen()
		<-searched
		w.awaitSeen(ctx, false)
	}
	return nil
}

// awaitSeen returns when the peer is seen, or is not, or ctx ends.
func (w *waiting) awaitSeen(ctx context.Context, want bool) {
	for w.isSeen() != want {
		select {
		case <-ctx.Done():
			return
		case <-w.seenChanged:
		}
	}
}

// searchOften searches for the peer until ctx ends.
func (w *waiting) searchOften(ctx context.Context) {
	for pause := w.first; ctx.Err() == nil; pause = w.look(ctx) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// look reports what is wrong now, and returns the pause before the next time.
func (w *waiting) look(ctx context.Context) (pause time.Duration) {
	report, err := w.search(ctx)
	if ctx.Err() != nil {
		return 0
	}
	l := w.link()
	switch {
	case l == nil || errors.Is(err, errNoLink):
		// The part that makes the link reports why there is none.
		w.tell(nil)
		return searchSoon
	case errors.Is(err, errNoProbe):
		w.tell(w.withoutProbe(l.Stats()))
	case err != nil:
		w.tell(err)
	case w.searching(report):
		w.tell(nil)
		return searchSoon
	default:
		w.tell(w.withProbe(report, l.Stats()))
	}
	return w.again
}

// searching tells whether others still help to find a peer that a probe did not find, so that nothing can be said yet.
func (w *waiting) searching(report link.ProbeReport) bool {
	way := w.way()
	_, known := way.Why()
	_, bad := pathcheck.Key(report)
	return way.Auto && !known && !bad && !report.Peer.IsValid()
}

// withProbe says why there is no picture on a link that was probed.
func (w *waiting) withProbe(report link.ProbeReport, stats link.Stats) error {
	found, bad := pathcheck.Key(report)
	if why, known := w.way().Why(); !bad && !report.Peer.IsValid() && known {
		return fmt.Errorf("%s %s", why.What, why.Next)
	}
	if !bad {
		found, bad = pathcheck.Path(report, w.ports.first, w.way().Auto)
	}
	if bad {
		return fmt.Errorf("%s %s", found.What, found.Next)
	}
	if !stats.Peer.IsValid() {
		return fmt.Errorf("the costream-obs at %v answers in %v, but it is not on air. Ask your friend to start streaming in OBS",
			report.Peer, pathcheck.Millis(report.RTT))
	}
	if err := noPicture(stats); err != nil {
		return err
	}
	return fmt.Errorf("the costream-obs at %v answers in %v and is connected, but it sends neither picture nor sound. %s",
		report.Peer, pathcheck.Millis(report.RTT), askFriend)
}

// withoutProbe says why there is no picture, for the plain link, which cannot be probed.
func (w *waiting) withoutProbe(stats link.Stats) error {
	if err := noPicture(stats); err != nil {
		return err
	}
	at := "your friend's machine"
	if stats.Peer.IsValid() {
		at = stats.Peer.String()
	}
	return fmt.Errorf("nothing arrives from %s at %v. Is your friend streaming, to an address of this machine? "+
		"If so, make the router and the firewall on this side pass these UDP ports on to this machine, or put both machines into one VPN (WireGuard, Tailscale)",
		at, w.ports)
}

const askFriend = "Ask your friend which problem costream-obs shows there"

// noPicture says what arrives although no picture is shown, or nil if nothing does.
func noPicture(stats link.Stats) error {
	arrives := func(r link.ReceiveStats) bool { return time.Since(r.LastArrival) < arrivesNow }
	switch {
	case arrives(stats.Video.Receive):
		return fmt.Errorf("video packets arrive from %v, but no complete picture. Packets are lost on the way: lower --bitrate on both sides, and look for a VPN whose MTU is below 1280 (`ip link`)",
			stats.Video.Receive.Source)
	case arrives(stats.Audio.Receive):
		return fmt.Errorf("sound arrives from %v, but no picture. %s", stats.Audio.Receive.Source, askFriend)
	}
	return nil
}
