// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
)

// TestTally: each change is told once, and off air nothing but the break.
func TestTally(t *testing.T) {
	var here []bool
	tl := tally{here: func(h bool) { here = append(here, h) }}
	var said []link.Tally
	tell := func(own link.Tally) { said = append(said, own) }
	tl.setShown(true) // not on air: nobody hears it
	tl.setMuted(true)
	if diff := cmp.Diff(&control.Tally{}, tl.current()); diff != "" {
		t.Errorf("before the time on air (-want +got):\n%s", diff)
	}
	tl.setShown(false)
	tl.begin(tell)
	tl.setMuted(true)
	tl.setMuted(false)
	tl.setShown(true)
	tl.setAway(true)
	tl.told(link.Tally{OnAir: true, Muted: true}, true)
	want := &control.Tally{Me: link.Tally{OnAir: true, PeerShown: true, Away: true}, Peer: &link.Tally{OnAir: true, Muted: true}}
	if diff := cmp.Diff(want, tl.current()); diff != "" {
		t.Errorf("on air (-want +got):\n%s", diff)
	}
	tl.told(link.Tally{}, true)
	tl.told(link.Tally{OnAir: true}, true)
	tl.offAir()
	tl.setMuted(true) // the gate closes with it
	tl.end()
	tl.setShown(true)
	if diff := cmp.Diff([]link.Tally{
		{OnAir: true, Muted: true}, {OnAir: true}, {OnAir: true, PeerShown: true}, {OnAir: true, PeerShown: true, Away: true}, {Away: true},
	}, said); diff != "" {
		t.Errorf("what was said (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&control.Tally{Me: link.Tally{Away: true}}, tl.current()); diff != "" {
		t.Errorf("after the time on air (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]bool{true, false, true, false}, here); diff != "" {
		t.Errorf("whether the peer is here (-want +got):\n%s", diff)
	}
}

// TestTallyIsReportedAtOnce: without a round of the session, and not without a change.
func TestTallyIsReportedAtOnce(t *testing.T) {
	reports := make(chan control.Report, 10)
	c := &Companion{reports: &reporter{out: func(r control.Report) { reports <- r }}}
	c.tally.changed, c.reports.tally = make(chan struct{}, 1), c.tally.current
	stop := testbed.Run(t, "reporting", func(ctx context.Context) error {
		c.reportTally(ctx)
		return nil
	})
	defer stop()
	c.tally.begin(func(link.Tally) {}) // before there is anything to report
	c.reports.report(control.Report{State: control.OnAir})
	first := testbed.Receive(t, reports, "the report")
	c.tally.told(link.Tally{OnAir: true, PeerShown: true}, true)
	second := testbed.Receive(t, reports, "the report of the peer's word")
	want := &control.Tally{Me: link.Tally{OnAir: true}, Peer: &link.Tally{OnAir: true, PeerShown: true}}
	if diff := cmp.Diff(want, second.Tally); diff != "" || second.State != control.OnAir || second.Time.Before(first.Time) {
		t.Errorf("reported %+v (-want +got):\n%s", second, diff)
	}
	c.tally.told(link.Tally{OnAir: true, PeerShown: true}, true)
	c.tally.setAway(true)
	if got := testbed.Receive(t, reports, "the report of the break"); !got.Tally.Me.Away {
		t.Errorf("after a word that said nothing new: %+v, want the break", got.Tally)
	}
}

// TestBreakIsTold: a break by order and one of a private scene are one break for the peer.
func TestBreakIsTold(t *testing.T) {
	var told []bool
	b := breaks{changed: func() {}, told: func(away bool) {
		if len(told) == 0 || told[len(told)-1] != away {
			told = append(told, away)
		}
	}}
	b.order(true)
	b.programme("Bank", true)
	b.order(false)
	b.programme("", true)
	if diff := cmp.Diff([]bool{true, false}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// cardScreen is a screen that notes its placeholder.
type cardScreen struct {
	media.Screen
	card media.Frame
}

func (s *cardScreen) SetPlaceholder(f media.Frame) { s.card = f }

// TestPlaceholderSaysWhoIsHere: it does so while the peer is on air, as soon as it is drawn.
func TestPlaceholderSaysWhoIsHere(t *testing.T) {
	format := media.VideoFormat{W: 320, H: 180, FPSNum: 30, FPSDen: 1}
	waiting, err := media.NewPlaceholder(format, "Bob")
	if err != nil {
		t.Fatal(err)
	}
	here, err := media.NewHereCard(format, "Bob")
	if err != nil {
		t.Fatal(err)
	}
	screen := &cardScreen{}
	d := newDisplay("", "Bob", nil, nil, nil)
	d.now, d.cards = screen, [2]media.Frame{waiting}
	shows := func(what string, want media.Frame) {
		t.Helper()
		if string(screen.card.Data) != string(want.Data) {
			t.Errorf("%s: the screen has another placeholder", what)
		}
	}
	d.setHere(true)
	shows("here, but not drawn yet", media.Frame{})
	d.drawHere(format)
	shows("here", here)
	d.setHere(false)
	shows("gone", waiting)
	d.now = nil
	d.setHere(true) // there is no screen
}

// TestStopByHandIsTold: the peer is told with the order that we go off air, not when the session has ended the call.
func TestStopByHandIsTold(t *testing.T) {
	c := &Companion{o: Options{When: WhenManual}, orders: orders{changed: func() {}}}
	c.call.Store(&onAirCall{Call: &call.Call{}})
	var said []link.Tally
	c.tally.begin(func(own link.Tally) { said = append(said, own) })
	if _, err := c.carryPeer(t.Context(), control.PeerOrder{Do: control.PeerStop}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]link.Tally{{OnAir: true}, {}}, said); diff != "" {
		t.Errorf("what was said (-want +got):\n%s", diff)
	}
}
