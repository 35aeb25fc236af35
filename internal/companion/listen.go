// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"sync"

	"github.com/costream-obs/costream-obs/obsctl"
)

// news are events that the session has not handled yet.
type news struct {
	mu     sync.Mutex
	events []obsctl.Event
	ended  bool
	some   chan struct{} // has room for one
}

// put adds an event; end says that no more will come.
func (n *news) put(ev obsctl.Event) { n.add(func() { n.events = append(n.events, ev) }) }

func (n *news) end() { n.add(func() { n.ended = true }) }

func (n *news) add(what func()) {
	n.mu.Lock()
	what()
	n.mu.Unlock()
	select {
	case n.some <- struct{}{}:
	default:
	}
}

// take returns the events so far, and whether more may come.
func (n *news) take() (events []obsctl.Event, more bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	events, n.events = n.events, nil
	return events, !n.ended
}

// listen takes in OBS's events and does nothing else, so that it never waits for a request or the sound server. Events that
// must act at once act on the call here; the session gets all of them as news.
func (s *session) listen(ctx context.Context) {
	defer s.news.end()
	for {
		select {
		case <-ctx.Done():
			return
		case ev, open := <-s.obs.Events():
			if !open {
				// Without events we would not notice a mute.
				s.cutOff()
				return
			}
			s.actAtOnce(ev)
			s.news.put(ev)
		}
	}
}

// actAtOnce handles what must not wait: mutes, which decide what the peer hears and how the viewers hear the peer, private
// scenes, the end of the stream, and what the peer is told.
func (s *session) actAtOnce(ev obsctl.Event) {
	s.shown.note(ev)
	s.mic.actAtOnce(ev)
	switch e := ev.(type) {
	case obsctl.MuteChanged:
		s.voice.desktop.mute(e.Input, e.Muted)
	case obsctl.ProgramScene:
		if s.c.feed.Private(e.Name) {
			s.c.breaks.programme(e.Name, true)
		}
	case obsctl.Exiting:
		s.cutOff()
		s.c.orders.obsClosed()
	}
	if endsOnAir(s.c.o.When, ev) {
		s.cutOff()
	}
}

// cutOff stops sending at once; the session ends the call later.
func (s *session) cutOff() {
	s.mic.gate.end()
	s.c.tally.offAir()
	if a := s.c.call.Load(); a != nil {
		a.Halt()
	}
}

// endsOnAir reports whether an event ends a time on air.
func endsOnAir(when Trigger, ev obsctl.Event) bool {
	ends := func(p obsctl.OutputPhase) bool { return !phaseActive(p, true) }
	switch e := ev.(type) {
	case obsctl.StreamState:
		return when == WhenStreaming && ends(e.Phase)
	case obsctl.RecordState:
		return when == WhenRecording && ends(e.Phase)
	case obsctl.VirtualCamState:
		return when == WhenVirtualCam && !e.Active
	}
	return false
}
