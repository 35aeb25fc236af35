// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"testing"

	"github.com/costream-obs/costream-obs/obsctl"
)

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
			var silent bool
			s.mic.gate.attach(func(is bool) { silent = is })
			t.Cleanup(s.mic.gate.detach)
			s.mic.gate.meter(nil)
			s.mic.gate.place(true)
			s.mic.tell()
			if silent {
				t.Fatal("the microphone is not heard")
			}
			for _, ev := range tt.events {
				s.actAtOnce(ev)
			}
			s.mic.tell()
			if silent != tt.inRound {
				t.Errorf("in the round, silent: got %v, want %v", silent, tt.inRound)
			}
			for _, ev := range tt.events {
				s.note(ev)
			}
			if silent != tt.want {
				t.Errorf("noted, silent: got %v, want %v", silent, tt.want)
			}
			if len(s.mic.gate.pending) > 0 || len(s.mic.gate.told) > 0 {
				t.Errorf("still pending: %v, %v", s.mic.gate.pending, s.mic.gate.told)
			}
		})
	}
}
