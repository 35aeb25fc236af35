// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/obsctl"
)

// listened opens the gate of a session, and tells whether it is silent from then on.
func listened(t *testing.T, s *session) (silent *bool) {
	t.Helper()
	silent = new(bool)
	s.mic.gate.attach(func(is bool) { *silent = is })
	t.Cleanup(s.mic.gate.detach)
	s.mic.gate.meter(nil)
	s.mic.gate.place(true)
	s.mic.tell()
	if *silent {
		t.Fatal("nothing is heard")
	}
	return silent
}

// TestRoundDoesNotOpenAfterMute: a round that began before a mute knows nothing of it, and does not open the gate again.
func TestRoundDoesNotOpenAfterMute(t *testing.T) {
	mute := func(muted bool) obsctl.Event { return obsctl.MuteChanged{Input: testMic, Muted: muted} }
	button := func(now obsctl.MonitorType) obsctl.Event { return obsctl.MonitorTypeChanged{Input: testMic, Type: now} }
	for _, tt := range []struct {
		name, version string
		events        []obsctl.Event
		inRound, want bool // silent while the session knows none of the events, and when it has noted all
	}{
		{"muted", debian12, []obsctl.Event{mute(true)}, true, true},
		{"unmuted again", debian12, []obsctl.Event{mute(true), mute(false)}, false, false},
		{"and muted again", debian12, []obsctl.Event{mute(true), mute(false), mute(true)}, true, true},
		{"the mute button of 32.1", "32.1.2", []obsctl.Event{button(obsctl.MonitorOnly)}, true, true},
		{"clicked twice", "32.1.2", []obsctl.Event{button(obsctl.MonitorOnly), button(obsctl.MonitorAndOutput)}, true, false},
		{"Monitor Only in another version", "32.2.0", []obsctl.Event{button(obsctl.MonitorOnly)}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := onAirWithFake(t, tt.version, notAsked)
			s.seen.special.Mics, s.seen.muted = []string{testMic}, map[string]bool{testMic: false}
			s.ledger.noteMonitor(testCollection, testMic, obsctl.MonitorOff)
			silent := listened(t, s)
			for _, ev := range tt.events {
				s.actAtOnce(ev)
			}
			s.mic.tell()
			if *silent != tt.inRound {
				t.Errorf("in the round, silent: got %v, want %v", *silent, tt.inRound)
			}
			for _, ev := range tt.events {
				s.note(ev)
			}
			if *silent != tt.want {
				t.Errorf("noted, silent: got %v, want %v", *silent, tt.want)
			}
			if len(s.mic.gate.pending) > 0 || len(s.mic.gate.told) > 0 {
				t.Errorf("still pending: %v, %v", s.mic.gate.pending, s.mic.gate.told)
			}
		})
	}
}

// TestButtonHoldsAll: OBS 32.1 goes on monitoring what its button mutes, until we mute it as other versions do. Until then,
// and until the rest of it has come, the other inputs are silent with it.
func TestButtonHoldsAll(t *testing.T) {
	const music = "Music"
	type types = map[string]obsctl.MonitorType
	both, only := types{testMic: obsctl.MonitorAndOutput, music: obsctl.MonitorAndOutput}, types{testMic: obsctl.MonitorOnly, music: obsctl.MonitorAndOutput}
	open, muted := map[string]bool{testMic: false, music: false}, map[string]bool{testMic: true, music: false}
	drain := func(g *gate) { g.leaked = time.Now().Add(-leakTail) }
	for _, tt := range []struct {
		name string
		act  func(g *gate, set func(map[string]bool, types))
		want bool
	}{
		{"pressed", func(g *gate, _ func(map[string]bool, types)) { g.button(testMic) }, true},
		{"in a round that does not know", func(g *gate, set func(map[string]bool, types)) { g.button(testMic); set(open, both) }, true},
		{"noted", func(g *gate, set func(map[string]bool, types)) { g.button(testMic); g.noted(testMic); set(muted, only) }, true},
		{"muted by us, and on its way", func(g *gate, set func(map[string]bool, types)) {
			g.button(testMic)
			g.noted(testMic)
			set(muted, only)
			set(muted, both)
		}, true},
		{"and come", func(g *gate, set func(map[string]bool, types)) {
			g.button(testMic)
			g.noted(testMic)
			set(muted, both)
			drain(g)
			set(muted, both)
		}, false},
		{"pressed again", func(g *gate, set func(map[string]bool, types)) { g.button(testMic); g.noted(testMic); set(open, both) }, false},
		{"of an input that the peer does not hear", func(g *gate, set func(map[string]bool, types)) {
			g.button("Browser")
			g.noted("Browser")
			set(map[string]bool{testMic: false, "Browser": true}, types{testMic: obsctl.MonitorAndOutput, "Browser": obsctl.MonitorAndOutput})
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var g gate
			var silent bool
			g.reset()
			g.attach(func(is bool) { silent = is })
			t.Cleanup(g.detach)
			g.meter(nil)
			g.place(true)
			set := func(muted map[string]bool, monitored types) { g.set([]string{testMic, music}, muted, monitored) }
			set(open, both)
			tt.act(&g, set)
			if silent != tt.want {
				t.Errorf("silent: got %v, want %v", silent, tt.want)
			}
		})
	}
}

// TestObservingSilences: what carries the peer's voice from now on is silent as soon as that is known, while OBS still plays
// it.
func TestObservingSilences(t *testing.T) {
	const game = "Game sound"
	s, told := onAirWithFake(t, debian12, notAsked)
	stage := &sharedStage{where: hearing{sinks: map[string]bool{"speakers": true}, defaultSink: "speakers"}}
	s.share.sound, s.share.patterns = stage, []string{game}
	s.share.matching = []candidate{{obsctl.Input{Name: game, UnversionedKind: captureKind}, map[string]any{"device_id": "games.monitor"}, false, false}}
	s.seen.inputs, s.seen.special.Mics = []obsctl.Input{{Name: testMic}, {Name: game}}, []string{testMic}
	s.seen.muted = map[string]bool{testMic: false, game: false}
	s.seen.monitored[game] = obsctl.MonitorAndOutput
	s.seen.askOutputs, s.seen.askScene, s.seen.askInputs = false, false, false
	s.call = &onAirCall{}
	s.seen.shared = []string{game}
	silent := listened(t, s)
	for _, step := range []struct {
		sinks map[string]bool
		want  bool
	}{
		{map[string]bool{"speakers": true}, false},
		{map[string]bool{"speakers": true, "games": true}, true},
	} {
		stage.where.sinks = step.sinks
		if err := s.observe(t.Context()); err != nil {
			t.Fatal(err)
		}
		if *silent != step.want {
			t.Errorf("the peer's voice on %v, silent: got %v, want %v", step.sinks, *silent, step.want)
		}
	}
	told.want(t)
}

// TestMuteUnderANewName: a mute counts although the session does not know yet that the microphone was renamed.
func TestMuteUnderANewName(t *testing.T) {
	s, _ := onAirWithFake(t, debian12, notAsked)
	s.seen.special.Mics, s.seen.muted = []string{testMic}, map[string]bool{testMic: false}
	silent := listened(t, s)
	for _, step := range []struct {
		ev   obsctl.Event
		want bool
	}{
		{obsctl.InputRenamed{Old: testMic, New: "Voice"}, false},
		{obsctl.MuteChanged{Input: "Voice", Muted: true}, true},
	} {
		s.actAtOnce(step.ev)
		if *silent != step.want {
			t.Errorf("after %+v, silent: got %v, want %v", step.ev, *silent, step.want)
		}
	}
}
