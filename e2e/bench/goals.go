// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// Goal is one thing that we want to be true, and what was measured.
type Goal struct {
	What   string `json:"what"`
	Goal   string `json:"goal"`
	Result string `json:"result"`
	Met    bool   `json:"met"`
}

// find returns the figures of a system in a case, and whether there are any.
func (r Report) find(name, system string) (Figures, bool) {
	for _, f := range r.Figures {
		if f.Case == name && f.System == system && f.Shown > 0 {
			return f, true
		}
	}
	return Figures{}, false
}

func latencyGoals(r Report) []Goal {
	const name = "direct"
	floor, hasFloor := r.find(name, floorName)
	secure, hasSecure := r.find(name, secureName)
	plain, hasPlain := r.find(name, plainName)
	old, hasOld := r.find(name, oldName)
	var goals []Goal
	ratio := func(what string, got, of, goal, rival float64) {
		result := fmt.Sprintf("%.2fx (%.3g of %.3g)", got/of, got, of)
		if rival > 0 {
			result += fmt.Sprintf("; 2020: %.1fx", rival/of)
		}
		goals = append(goals, Goal{What: what, Goal: fmt.Sprintf("%.1fx", goal), Result: result, Met: got/of <= goal})
	}
	if hasFloor && hasSecure {
		ratio("end to end p50, of encode+decode in one process, ms", secure.P50, floor.P50, 1.1, old.P50)
		ratio("end to end p95, of encode+decode in one process, ms", secure.P95, floor.P95, 1.5, old.P95)
	}
	if hasSecure && hasPlain {
		more := secure.P50 - plain.P50
		goals = append(goals, Goal{What: "p50, secure against plain link", Goal: "+1 ms", Result: fmt.Sprintf("%+.1f ms", more), Met: more <= 1})
		cpu := secure.CPU() - plain.CPU()
		goals = append(goals, Goal{What: "CPU, secure against plain link", Goal: "+0.05 s/s", Result: fmt.Sprintf("%+.3f s/s", cpu), Met: cpu <= 0.05})
	}
	if hasSecure && hasOld {
		ratio("CPU of both ends at 3 Mbit/s, of 2020's at 1 Mbit/s, s/s", secure.CPU(), old.CPU(), 1.0, 0)
		goals = append(goals, Goal{
			What: "mouth to ear p50, null sink to null sink", Goal: "60 ms",
			Result: fmt.Sprintf("%.0f ms; 2020: %.0f ms", secure.EarP50, old.EarP50), Met: secure.EarP50 > 0 && secure.EarP50 <= 60,
		})
	}
	if r.OBSToOBS != nil {
		goals = append(goals, r.OBSToOBS.goal(secure))
	}
	return goals
}

func lossGoals(r Report) []Goal {
	var goals []Goal
	for _, g := range []struct {
		name string
		goal float64
	}{{oneLost, 0.005}, {threeLost, 0.03}, {burstsLost, 0.02}} {
		secure, ok := r.find(g.name, secureName)
		if !ok {
			continue
		}
		result := percent(secure.Bad)
		if old, ok := r.find(g.name, oldName); ok {
			result += "; 2020: " + percent(old.Bad)
		}
		goals = append(goals, Goal{What: "wrong or frozen, " + g.name, Goal: "under " + percent(g.goal), Result: result, Met: secure.Bad < g.goal})
	}
	if secure, ok := r.find(narrow, secureName); ok {
		goals = append(goals,
			Goal{What: "wrong or frozen in all, " + narrow, Goal: "under 0.5 s", Result: fmt.Sprintf("%.2f s", secure.FrozenSeconds), Met: secure.FrozenSeconds < 0.5},
			Goal{What: "full rate again, " + narrow, Goal: "within 5 s", Result: recovery(secure), Met: secure.Recovery >= 0 && secure.Recovery <= 5})
	}
	return goals
}

func busyGoals(r Report) []Goal {
	var goals []Goal
	for _, f := range r.Figures {
		alone, measured := r.find(idle, f.System)
		if f.Case == idle || f.System != secureName || f.Shown == 0 || !measured {
			continue
		}
		const goal = 0.9
		goals = append(goals,
			Goal{
				What: "bitrate that the link allows, " + f.Case, Goal: fmt.Sprintf("%.0f %% of %d kbit/s", 100*goal, peerKbps),
				Result: fmt.Sprintf("%.0f %% (%.0f kbit/s); without the loops %.0f %%", 100*f.AllowedKbps/peerKbps, f.AllowedKbps, 100*alone.AllowedKbps/peerKbps),
				Met:    f.AllowedKbps >= goal*peerKbps,
			},
			Goal{
				What: "breaks of the voice, " + f.Case, Goal: "under 1 a minute",
				Result: fmt.Sprintf("%.1f a minute; without the loops %.1f", f.Breaks, alone.Breaks), Met: f.Breaks < 1,
			})
	}
	return goals
}

// peerKbps is the highest bitrate of a picture of the program of e2e/bench/peer, in kbit/s.
const peerKbps = 3000

func recovery(f Figures) string {
	if f.Recovery < 0 {
		return "not within 8 s"
	}
	return fmt.Sprintf("after %.1f s", f.Recovery)
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }
