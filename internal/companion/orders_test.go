// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/control"
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
			_, err := c.carryPeer(t.Context(), control.PeerOrder{Do: do})
			if when == WhenManual {
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
