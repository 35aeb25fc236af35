// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/e2e/bench/scene"
	"github.com/costream-obs/costream-obs/internal/relay"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// suite is what one call measures.
type suite struct {
	section  string // of the document that the figures are for
	title    string
	rounds   int
	window   time.Duration
	cases    []testCase
	goals    func(Report) []Goal
	obsToOBS bool // OBS to OBS, too
}

// testCase is one network, or none, and the systems that are measured with it.
type testCase struct {
	name    string
	network *network
	busy    int // loops that take all the processor they get, beside each system
	systems []string
	window  time.Duration // 0: the suite's
}

// recovers tells whether the rate of the network changes, and is the same in the end as at the begin.
func (c testCase) recovers() bool { return c.network != nil && len(c.network.rates) > 0 }

var (
	latencySuite = suite{
		section: "latency", title: "Latency and cost", rounds: 5, window: 10 * time.Second, obsToOBS: true, goals: latencyGoals,
		cases: []testCase{{name: "direct", systems: []string{floorName, secureName, plainName, oldName, srtName, tunedName}}},
	}
	lossSuite = suite{
		section: "loss", title: "Bad networks", rounds: 1, window: 2 * cycle, goals: lossGoals,
		cases: []testCase{
			{name: "RTT 20 ms", network: &network{delay: 20 * time.Millisecond}, systems: others},
			{name: oneLost, network: &network{delay: 20 * time.Millisecond, path: relay.Path{Loss: 0.01}}, systems: others},
			{name: threeLost, network: &network{delay: 50 * time.Millisecond, path: relay.Path{Loss: 0.03}}, systems: others},
			{name: burstsLost, network: &network{delay: 20 * time.Millisecond, path: relay.Path{Loss: 0.002, Burst: 8}}, systems: others},
			{name: disorder, network: &network{delay: 20 * time.Millisecond, path: relay.Path{Reorder: 0.05, Duplicate: 0.02, Jitter: 5 * time.Millisecond}}, systems: others},
			{name: narrow, window: 3 * cycle, systems: others, network: &network{
				delay: 20 * time.Millisecond, settle: cycle,
				rates: []rateChange{{0, 4_000_000}, {cycle, 1_500_000}, {2 * cycle, 4_000_000}},
			}},
		},
	}
	others = []string{secureName, oldName, srtName}
)

// cycle is how long the scene takes until it does the same again.
const cycle = scene.Cycle * time.Second / scene.FPS

// The cases that goals are about.
const (
	oneLost    = "1 % loss, RTT 20 ms"
	threeLost  = "3 % loss, RTT 50 ms"
	burstsLost = "0.2 % bursts of 8, RTT 20 ms"
	disorder   = "5 % reordered, 2 % twice, jitter 5 ms, RTT 20 ms"
	narrow     = "4, 1.5, 4 Mbit/s, 8 s each, RTT 20 ms"
	idle       = "nothing else runs"
)

// busySuite measures with and without a number of busy loops, which are started from the same terminal: the kernel divides
// the processor among the programs of one.
func busySuite(loops int) suite {
	systems := []string{floorName, secureName, versusName, oldName}
	return suite{
		section: "busy", title: "A busy processor", rounds: 3, window: 20 * time.Second, goals: busyGoals,
		cases: []testCase{{name: idle, systems: systems}, {name: loopsName(loops), busy: loops, systems: systems}},
	}
}

func loopsName(loops int) string { return fmt.Sprintf("%d busy loops", loops) }

// measure gives each system its turns, one after the other in each case, so that the systems of a case meet the same
// weather.
func (s suite) measure(tb testbed.TB, o options) Report {
	rounds := cmp.Or(o.rounds, s.rounds)
	r := Report{Title: s.title, Taken: time.Now(), Machine: thisMachine(), Rounds: rounds, Window: cmp.Or(o.window, s.window)}
	b := &bench{options: o, scene: scene.New(), sound: newSound(tb)}
	all := systems()
	if o.versus != "" {
		all = append(all, versus(o.versus))
	}
	turns := make(map[string][]turn)
	failed := make(map[string]string)
	key := func(c testCase, sys system) string { return c.name + "\x00" + sys.name }
	each := func(do func(c testCase, sys system)) {
		for _, c := range s.cases {
			for _, sys := range all {
				if c.has(sys.name) && o.wants(sys.name) {
					do(c, sys)
				}
			}
		}
	}
	for round := range rounds {
		each(func(c testCase, sys system) {
			if tb.Context().Err() != nil {
				return
			}
			b.window, b.busy = cmp.Or(o.window, c.window, s.window), c.busy
			if c.recovers() {
				b.window = c.window
			}
			net := c.network
			if net != nil {
				seeded := *net
				seeded.seed = uint64(round + 1)
				net = &seeded
			}
			o.log.Info("measuring", "round", round+1, "of", rounds, "case", c.name, "system", sys.title)
			t, err := b.measure(tb, sys, net)
			if err != nil {
				failed[key(c, sys)] = firstLine(err)
				o.log.Warn("no figures of this turn", "system", sys.title, "error", err)
				return
			}
			turns[key(c, sys)] = append(turns[key(c, sys)], t)
		})
	}
	each(func(c testCase, sys system) {
		f := summarise(c, sys, turns[key(c, sys)])
		f.Error = failed[key(c, sys)]
		r.Figures = append(r.Figures, f)
	})
	if s.obsToOBS && o.costream != "" && tb.Context().Err() == nil {
		o.log.Info("measuring", "system", "two OBS")
		two := obsToOBS(tb, o.costream)
		r.OBSToOBS = &two
	}
	r.Took = time.Since(r.Taken)
	r.Goals = s.goals(r)
	return r
}

func (c testCase) has(system string) bool {
	for _, name := range c.systems {
		if name == system {
			return true
		}
	}
	return false
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(fmt.Sprint(err), "\n")
	return line
}
