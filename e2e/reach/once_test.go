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

// singles are the cases that are no search of two who start at the same time.
func singles() []trial {
	afterwards := func(s setup) func(*testing.T) result { return s.tryLater }
	both := homes(habits{symmetric: true}, habits{symmetric: true})
	return []trial{
		{section: singly, name: "a friend starts later", goal: goalLater, try: afterwards(setup{homes: homes(habits{}, habits{}), goal: goalLater})},
		{
			section: singly, name: "a friend starts later, both change ports for each connection, who waits has a relay", goal: goalRelay,
			try: afterwards(setup{homes: both, inviterRelay: true, goal: goalRelay}),
		},
		{
			section: singly, name: "a friend starts later, both change ports for each connection, who comes has a relay", goal: goalRelay,
			try: afterwards(setup{homes: both, guestRelay: true, goal: goalRelay}),
		},
		{section: singly, name: "the own router opens the port", goal: goalMapping, try: mapped},
	}
}

// tryLater has the guest start when the inviter has waited for some time, and all that it does at first is over.
func (s setup) tryLater(t *testing.T) result {
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
	return result{took: took, way: wayText(p.a.report().State)}
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
	return result{took: max(0, opened.At.Sub(runs.At)), way: "by " + opened.State.Protocol}
}
