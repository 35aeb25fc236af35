// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"sync"

	"github.com/costream-obs/costream-obs/obsctl"
)

// news are the events that the session has not taken in yet.
type news struct {
	mu     sync.Mutex
	events []obsctl.Event
	ended  bool
	some   chan struct{} // has room for one
}

// put adds an event; end says that none will come any more.
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

// listen takes in OBS's events and does nothing else, so that it never waits for a request or for the
// sound server. What must not wait acts on the call at once; the session gets all events as news.
func (s *session) listen(ctx context.Context) {
	defer s.news.end()
	for {
		select {
		case <-ctx.Done():
			return
		case ev, open := <-s.obs.Events():
			if !open {
				// Whoever cannot hear of a mute must not go on sending.
				s.cutOff()
				return
			}
			s.actAtOnce(ev)
			s.news.put(ev)
		}
	}
}

// actAtOnce does what must not wait: a mute, a private scene, who of two brings the peer to the viewers, and the end of the stream.
func (s *session) actAtOnce(ev obsctl.Event) {
	switch e := ev.(type) {
	case obsctl.MuteChanged:
		s.mic.gate.mute(e.Input, e.Muted)
		s.voice.desktop.mute(e.Input, e.Muted)
	case obsctl.MonitorTypeChanged:
		if e.Type == obsctl.MonitorOnly && s.seen.version.MuteButtonMonitorsOnly() {
			s.mic.gate.mute(e.Input, true)
		}
	case obsctl.ProgramScene:
		if s.c.feed.Private(e.Name) {
			s.c.breaks.programme(e.Name, true)
		}
	case obsctl.Exiting:
		s.cutOff()
	}
	if endsOnAir(s.c.o.When, ev) {
		s.cutOff()
	}
}

// cutOff ends what we send at once; the session takes the time on air down when it gets to it.
func (s *session) cutOff() {
	s.mic.gate.end()
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
