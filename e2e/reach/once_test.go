// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"errors"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/pairing"
	"github.com/costream-obs/costream-obs/internal/reach"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// single is a case that is no search of two peers who start at the same time. Its try returns what it is about: a time, or
// bytes a second.
type single struct {
	name string
	goal time.Duration // of a time
	try  func(*testing.T) result
}

// singles are the other cases of the table.
func singles() []single {
	return []single{
		{"a friend starts later", goalLater, func(t *testing.T) result {
			return later5(t, setup{homes: homes(habits{}, habits{}), goal: goalLater})
		}},
		{"a friend starts later, both change ports for each connection, who waits has a relay", goalRelay, func(t *testing.T) result {
			return later5(t, setup{homes: homes(habits{symmetric: true}, habits{symmetric: true}), inviterRelay: true, goal: goalRelay})
		}},
		{"a friend starts later, both change ports for each connection, who comes has a relay", goalRelay, func(t *testing.T) result {
			return later5(t, setup{homes: homes(habits{symmetric: true}, habits{symmetric: true}), guestRelay: true, goal: goalRelay})
		}},
		{"the own router opens the port", goalMapping, mapped},
	}
}

// TestRealOnce has each of these cases once.
func TestRealOnce(t *testing.T) {
	needLab(t)
	for _, s := range singles() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			if got := s.try(t); got.took > s.goal+busy {
				t.Errorf("took %v, want %v at most", got.took, s.goal+busy)
			}
		})
	}
}

// later5 has the guest start when the inviter has waited for some time, and all that it does at first is over.
func later5(t *testing.T, s setup) result {
	t.Helper()
	p := s.prepare(t)
	p.startInviter()
	testbed.Await(t, "the inviter's note", patience, func() error {
		if state := p.a.report().State; !state.Left || state.Relay == reach.RelayAsked {
			return errors.New("it is not left yet")
		}
		return nil
	})
	time.Sleep(waiting)
	took := p.connect(t, s.goal)
	way := p.a.report().State.WayText()
	t.Logf("after %v: %s", took.Round(time.Millisecond), way)
	return result{took: took, way: way}
}

// waiting is how long a peer waits for the other one who starts later.
const waiting = 12 * time.Second

// mapped is the time until the own router has opened the port.
func mapped(t *testing.T) result {
	t.Helper()
	l := newLab(t)
	computer := l.home("inviter", habits{opens: true}).pc("inviter")
	l.startDHT()
	peer := newCall(t).start(computer, peerConfig{Role: pairing.Inviter, Auto: true, MeetNodes: bootstrap()})
	var opened event
	testbed.Await(t, "an open port", goalMapping+busy, func() error {
		for _, e := range peer.all(peerState) {
			if e.State.Router == reach.RouterOpen {
				opened = e
				return nil
			}
		}
		return errors.New("not open yet")
	})
	runs, _ := peer.await(peerRuns, 0)
	took := max(0, opened.At.Sub(runs.At))
	t.Logf("open after %v by %s", took.Round(time.Millisecond), opened.State.Protocol)
	return result{took: took, way: opened.State.Protocol}
}

// TestRealQuiet measures what goes to anybody else while a peer is off air, and while it waits for the other one.
func TestRealQuiet(t *testing.T) {
	needLab(t)
	for _, tc := range []struct {
		name   string
		offAir bool
	}{{"off air", true}, {"waiting", false}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			computer := l.home("inviter", habits{opens: true}).pc("inviter")
			l.startDHT()
			sent := newCapture(t, computer)
			newCall(t).start(computer, peerConfig{Role: pairing.Inviter, Auto: true, MeetNodes: bootstrap(), OffAir: tc.offAir})
			time.Sleep(40 * time.Second)
			t.Logf("%.0f bytes/s\n%s", sent.rate(), lines(sent.others()))
		})
	}
}
