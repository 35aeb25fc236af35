// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/obsctl"
)

// TestOrders: who is muted by order stays muted over the end of a call, and an order is told to the call at once.
func TestOrders(t *testing.T) {
	woken := 0
	c := &Companion{orders: orders{changed: func() { woken++ }}}
	type state struct{ Peer, Me bool }
	var call state
	attach := func() {
		c.orders.attach(func(s bool) { call.Peer = s }, func(s bool) { call.Me = s })
	}
	for _, step := range []struct {
		do   control.PeerAction
		want state
	}{
		{control.PeerMute, state{Peer: true}},
		{control.PeerMuteMe, state{true, true}},
		{control.PeerUnmute, state{Me: true}},
		{control.PeerMuteMe, state{Me: true}},
	} {
		c.orders.detach()
		call = state{}
		attach() // another call
		woken = 0
		if _, err := c.carryPeer(t.Context(), control.PeerOrder{Do: step.do}); err != nil {
			t.Errorf("%s: %v", step.do, err)
		}
		peer, me := c.orders.muted()
		if diff := cmp.Diff([]state{step.want, step.want}, []state{call, {peer, me}}); diff != "" || woken != 1 {
			t.Errorf("%s: woken %d times; call and orders (-want +got):\n%s", step.do, woken, diff)
		}
	}
	c.orders.detach()
	if _, err := c.carryPeer(t.Context(), control.PeerOrder{Do: control.PeerMute}); err != nil || call.Peer {
		t.Errorf("off air: got %v, and the old call was told %+v", err, call)
	}
}

// TestByHand: only --when manual goes on and off air by order, and each other way says so.
func TestByHand(t *testing.T) {
	for _, when := range []Trigger{WhenStreaming, WhenAlways, WhenManual} {
		c := &Companion{o: Options{When: when}, reports: &reporter{}, orders: orders{changed: func() {}}}
		for _, do := range []control.PeerAction{control.PeerStart, control.PeerStop} {
			answer, err := c.carryPeer(t.Context(), control.PeerOrder{Do: do})
			if when == WhenManual {
				if answer.WaitsForOBS != (do == control.PeerStart) { // There is no OBS.
					t.Errorf("%s: got %+v", do, answer)
				}
				if err != nil || c.orders.onAir() != (do == control.PeerStart) || *c.Status().ByHand != c.orders.onAir() {
					t.Errorf("%s: got %v, on air %t", do, err, c.orders.onAir())
				}
				continue
			}
			if err == nil || !strings.Contains(err.Error(), "--when manual") || c.orders.onAir() || c.Status().ByHand != nil {
				t.Errorf("--when %s, %s: got %v", when, do, err)
			}
		}
		if c.orders.takeStopped() {
			t.Error("a call that there was not was stopped")
		}
	}
}

// halting is a call that notes whether it was halted.
type halting struct{ halted bool }

func (h *halting) Halt() { h.halted = true }

// TestStopWhileGoingOnAir: an order to stop that comes while a call begins halts it, and the session ends it, even if the user has
// ordered to start again by then.
func TestStopWhileGoingOnAir(t *testing.T) {
	for _, tt := range []struct {
		name string
		when Trigger
		do   []control.PeerAction
		want bool
	}{
		{"started", WhenManual, []control.PeerAction{control.PeerStart}, false},
		{"stopped meanwhile", WhenManual, []control.PeerAction{control.PeerStart, control.PeerStop}, true},
		{"started anew before the call is there", WhenManual, []control.PeerAction{control.PeerStart, control.PeerStop, control.PeerStart}, false},
		{"not by hand", WhenStreaming, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			woken := 0
			c := &Companion{o: Options{When: tt.when}, orders: orders{changed: func() { woken++ }}}
			for _, do := range tt.do {
				if _, err := c.carryPeer(t.Context(), control.PeerOrder{Do: do}); err != nil {
					t.Fatal(err)
				}
			}
			woken = 0
			var call halting
			c.haltStopped(&call)
			if tt.want && tt.when == WhenManual {
				if _, err := c.carryPeer(t.Context(), control.PeerOrder{Do: control.PeerStart}); err != nil {
					t.Fatal(err)
				}
			}
			if ended := c.orders.takeStopped(); call.halted != tt.want || ended != tt.want || tt.want != (woken > 0) {
				t.Errorf("halted %t, ended by the session %t, woken %d times; want %t", call.halted, ended, woken, tt.want)
			}
		})
	}
}

// TestNoCallAfterStop: a call does not begin once the user has ordered to stop, though the round began before that.
func TestNoCallAfterStop(t *testing.T) {
	s := newTestSession(t, Options{When: WhenManual}, nil)
	s.startCall()
	if s.call != nil {
		t.Error("a call began")
	}
}

// TestClosedOBSEndsByHand: when the user closes OBS, its next start does not put them on air. A crash keeps the order. Mutes stay.
func TestClosedOBSEndsByHand(t *testing.T) {
	for _, tt := range []struct {
		name  string
		event obsctl.Event
		want  bool
	}{
		{"OBS is closed", obsctl.Exiting{}, false},
		{"the stream ends", obsctl.StreamState{Phase: obsctl.Stopped}, true},
	} {
		s := newTestSession(t, Options{When: WhenManual}, nil)
		s.c.orders.changed = s.c.wakeUp
		for _, do := range []control.PeerAction{control.PeerStart, control.PeerMute} {
			if _, err := s.c.carryPeer(t.Context(), control.PeerOrder{Do: do}); err != nil {
				t.Fatal(err)
			}
		}
		s.actAtOnce(tt.event)
		if peer, _ := s.c.orders.muted(); s.wantOnAir() != tt.want || !peer {
			t.Errorf("%s: on air %t, want %t; the peer is muted: %t", tt.name, s.wantOnAir(), tt.want, peer)
		}
	}
	// A crash sends no event.
	s := newTestSession(t, Options{When: WhenManual}, nil)
	s.c.orders.byHand = true
	if err := s.obs.Close(); err != nil {
		t.Fatal(err)
	}
	s.listen(t.Context())
	if !s.wantOnAir() {
		t.Error("a crash of OBS ended the order")
	}
}

// TestResyncOffAir says that there is nothing to do.
func TestResyncOffAir(t *testing.T) {
	c := &Companion{}
	if _, err := c.carryPeer(t.Context(), control.PeerOrder{Do: control.PeerResync}); err == nil || !strings.Contains(err.Error(), "not on air") {
		t.Errorf("got %v", err)
	}
}

// TestGateIsOrdered: an order closes the gate, whatever the microphone does.
func TestGateIsOrdered(t *testing.T) {
	g := gate{always: true} // the microphone past OBS
	var silent bool
	g.reset()
	g.attach(func(s bool) { silent = s })
	g.meter(nil)
	g.place(true)
	for _, ordered := range []bool{true, false, true} {
		g.order(ordered)
		if silent != ordered {
			t.Errorf("ordered silence %t: got %t", ordered, silent)
		}
	}
	g.pause(true)
	g.pause(false)
	if !silent {
		t.Error("the end of a break ended the order")
	}
}
