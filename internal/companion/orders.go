// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"errors"
	"fmt"
	"sync"

	"github.com/costream-obs/costream-obs/internal/control"
)

// orders are what the user ordered by hand. They last until the next order, over the end of a call and of OBS. The order to go
// on air outlasts a crash of OBS alone.
//
// Its methods may be called from any goroutine.
type orders struct {
	changed func()

	mu        sync.Mutex
	peerMuted bool // the user and the viewers do not hear the peer
	meMuted   bool // the peer does not hear the user
	byHand    bool // on air, for WhenManual
	stopped   bool // the call was halted, and the session has not ended it yet

	silencePeer, silenceMe func(bool) // nil off air
}

// attach makes the orders silence a call. The functions must not call back.
func (o *orders) attach(silencePeer, silenceMe func(bool)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.silencePeer, o.silenceMe = silencePeer, silenceMe
	o.apply()
}

// detach ends that.
func (o *orders) detach() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.silencePeer, o.silenceMe = nil, nil
}

func (o *orders) apply() {
	if o.silencePeer != nil {
		o.silencePeer(o.peerMuted)
		o.silenceMe(o.meMuted)
	}
}

func (o *orders) set(change func()) {
	o.mu.Lock()
	change()
	o.apply()
	o.mu.Unlock()
	o.changed()
}

// muted returns who is muted by order.
func (o *orders) muted() (peer, me bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.peerMuted, o.meMuted
}

// onAir reports whether the user ordered to go on air.
func (o *orders) onAir() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.byHand
}

// takeStopped reports once whether the call was halted by order.
func (o *orders) takeStopped() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	stopped := o.stopped
	o.stopped = false
	return stopped
}

var errOffAir = errors.New("you are not on air, so there is nothing to synchronize; `costream-obs status` says what costream-obs waits for")

// carryOwn carries out the orders that need no OBS, and reports whether it is one of them.
func (c *Companion) carryOwn(do control.PeerAction) (own bool, err error) {
	o := &c.orders
	switch do {
	case control.PeerMute, control.PeerUnmute:
		o.set(func() { o.peerMuted = do == control.PeerMute })
	case control.PeerMuteMe, control.PeerUnmuteMe:
		o.set(func() { o.meMuted = do == control.PeerMuteMe })
	case control.PeerStart, control.PeerStop:
		return true, c.goByHand(do == control.PeerStart)
	case control.PeerResync:
		if c.call.Load() == nil {
			return true, errOffAir
		}
		c.log.Info("the user wants picture and voice synchronized anew, restarting the call")
		c.stood.Store(true)
		c.wakeUp()
	default:
		return false, nil
	}
	return true, nil
}

// goByHand goes on and off air. Off air, nothing is sent from this moment on; the session ends the call later.
func (c *Companion) goByHand(on bool) error {
	if c.o.When != WhenManual {
		return fmt.Errorf("costream-obs goes on and off air by itself (--when %s): to do it by hand, start it with `costream-obs run --when manual`", c.o.When)
	}
	var a *onAirCall
	c.orders.set(func() {
		c.orders.byHand = on
		// This comes after the order: a call that begins meanwhile sees the order (haltStopped).
		if a = c.call.Load(); !on && a != nil {
			c.orders.stopped = true
		}
	})
	if !on && a != nil {
		c.tally.offAir()
		a.Halt()
	}
	return nil
}

// haltStopped halts a call that the user stopped by hand while it began, before that order could see it.
func (c *Companion) haltStopped(a interface{ Halt() }) {
	if c.o.When != WhenManual || c.orders.onAir() {
		return
	}
	a.Halt()
	c.orders.set(func() { c.orders.stopped = true })
}

// obsClosed is for when the user closes OBS: after its next start they must order anew to go on air. It wakes nobody, because an
// OBS that ends must not get requests.
func (o *orders) obsClosed() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.byHand = false
}

// peerSilence silences the peer's voice while OBS's mute or the user's order asks for it.
type peerSilence struct {
	mu             sync.Mutex
	byOBS, byOrder bool
}

// SilencePeer takes the mute of the peer source in OBS.
func (a *onAirCall) SilencePeer(silenced bool) {
	a.silence.mu.Lock()
	defer a.silence.mu.Unlock()
	a.silence.byOBS = silenced
	a.Call.SilencePeer(a.silence.byOBS || a.silence.byOrder)
}

// silencePeerByOrder takes the user's order.
func (a *onAirCall) silencePeerByOrder(silenced bool) {
	a.silence.mu.Lock()
	defer a.silence.mu.Unlock()
	a.silence.byOrder = silenced
	a.Call.SilencePeer(a.silence.byOBS || a.silence.byOrder)
}
