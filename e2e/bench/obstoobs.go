// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/e2e/bench/score"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// OBSToOBS are the times of a change in one OBS until another OBS shows it, in which two costream-obs take part, over the
// portable route and the secure link. All hold the time of the measuring itself, which Own has and nothing else.
type OBSToOBS struct {
	P50   float64 `json:"p50_ms"` // OBS to OBS
	P95   float64 `json:"p95_ms"`
	Own   float64 `json:"own_ms"` // median until the same OBS shows it
	Error string  `json:"error,omitempty"`
}

const (
	delayProbes = 61
	readyIn     = 60 * time.Second
	airIn       = 30 * time.Second
)

// obsToOBS measures with two real OBS of 1280x720 at 30 pictures a second.
func obsToOBS(tb testbed.TB, costream string) OBSToOBS {
	var r OBSToOBS
	err := testbed.Main(tb.Context(), tb.Logf, func(tb testbed.TB) {
		display := testbed.NewDisplay(tb)
		alice, bob := newFriend(tb, e2e.Alice(), display), newFriend(tb, e2e.Bob(), display)
		alice.PairWith(costream, bob)
		a, b := alice.Run(costream, bob), bob.Run(costream, alice)
		a.Await(e2e.Ready, readyIn)
		b.Await(e2e.Ready, readyIn)
		alice.OBS.StartStream()
		bob.OBS.StartStream()
		a.Await(e2e.OnAirWithPeer, airIn)
		b.Await(e2e.OnAirWithPeer, airIn)
		alice.PictureDelays(bob, 3)
		there, own := alice.PictureDelays(bob, delayProbes), alice.PictureDelays(alice, delayProbes)
		r = OBSToOBS{
			P50: millis(score.Quantile(there, 0.5)), P95: millis(score.Quantile(there, 0.95)), Own: millis(score.Quantile(own, 0.5)),
		}
		a.Stop()
		b.Stop()
	})
	if err != nil {
		r.Error = firstLine(err)
	}
	return r
}

func newFriend(tb testbed.TB, o e2e.PersonOptions, display *testbed.Display) *e2e.Person {
	o.Width, o.Height, o.FPS = 1280, 720, 30
	p := e2e.NewPerson(tb, o, display)
	p.AddLamp()
	return p
}

// goal is what we want of the whole way: a ratio, because OBS's own time differs much from machine to machine.
func (l OBSToOBS) goal(secure Figures) Goal {
	const limit = 1.6
	g := Goal{What: "OBS to OBS p50, portable, 1280x720 at 30, of OBS's own", Goal: fmt.Sprintf("%.1fx", limit), Result: l.Error}
	if l.Error == "" && l.Own > 0 {
		g.Met = l.P50 <= limit*l.Own
		g.Result = fmt.Sprintf("%.2fx: %.0f ms (p95 %.0f) of %.0f, which OBS takes to draw a change and show it in a screenshot", l.P50/l.Own, l.P50, l.P95, l.Own)
		if secure.P50 > 0 {
			g.Result += fmt.Sprintf("; about %.0f from end to end of the link at 1080p", secure.P50)
		}
	}
	return g
}
