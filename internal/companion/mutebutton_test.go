// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/obsctl"
)

// notAsked is for tests that do not look at what is asked.
func notAsked(string) {}

// TestMuteButtonSilencesUs: the event alone closes a microphone that OBS's mixer shows as muted.
func TestMuteButtonSilencesUs(t *testing.T) {
	for _, tt := range []struct {
		name    string
		version string
		was     obsctl.MonitorType
		now     obsctl.MonitorType
		want    bool
	}{
		{"clicked", "32.1.2", obsctl.MonitorOff, obsctl.MonitorOnly, true},
		{"clicked, monitored by the user too", "32.1.0", obsctl.MonitorAndOutput, obsctl.MonitorOnly, true},
		{"not clicked", "32.1.2", obsctl.MonitorOff, obsctl.MonitorAndOutput, false},
		{"for the peer alone, as the user had it", "32.1.2", obsctl.MonitorOnly, obsctl.MonitorOnly, false},
		{"chosen in another version", "32.0.4", obsctl.MonitorOff, obsctl.MonitorOnly, false},
		{"chosen in a later version", "32.2.0", obsctl.MonitorOff, obsctl.MonitorOnly, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := onAirWithFake(t, tt.version, notAsked)
			s.seen.special.Mics, s.seen.muted = []string{testMic}, map[string]bool{testMic: false}
			s.ledger.noteMonitor(testCollection, testMic, tt.was)
			s.note(obsctl.MonitorTypeChanged{Input: testMic, Type: tt.now})
			if got := s.gate.allClosed(); got != tt.want {
				t.Errorf("closed for the peer: got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestMuteButtonMutes: on air, and at the end, what the button did becomes a mute before anything brings the microphone
// back into the stream.
func TestMuteButtonMutes(t *testing.T) {
	for _, tt := range []struct {
		name    string
		version string
		was     obsctl.MonitorType
		seen    obsctl.MonitorType // by us
		now     string             // in OBS
		onAir   []string
		atEnd   []string
	}{
		{"clicked", "32.1.2", obsctl.MonitorOff, obsctl.MonitorOnly, monitorOnly, []string{mute, monitorAndOutput}, []string{mute, monitorOff}},
		{"clicked, monitored by the user too", "32.1.2", obsctl.MonitorAndOutput, obsctl.MonitorOnly, monitorOnly, []string{mute, monitorAndOutput}, []string{mute, monitorAndOutput}},
		{"clicked twice", "32.1.2", obsctl.MonitorOff, obsctl.MonitorOnly, monitorAndOutput, nil, []string{monitorOff}},
		{"clicked, its event still to come", "32.1.2", obsctl.MonitorOff, obsctl.MonitorAndOutput, monitorOnly, nil, []string{mute, monitorOff}},
		{"not clicked", "32.1.2", obsctl.MonitorOff, obsctl.MonitorAndOutput, monitorAndOutput, nil, []string{monitorOff}},
		{"for the peer alone, as the user had it", "32.1.2", obsctl.MonitorOnly, obsctl.MonitorOnly, monitorOnly, nil, []string{monitorOnly}},
		{"chosen in a later version", "32.2.0", obsctl.MonitorOff, obsctl.MonitorOnly, monitorOnly, nil, []string{monitorOff}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			begin := func() (*session, *monitoring) {
				s, m := onAirWithFake(t, tt.version, notAsked)
				s.viewers.safe = true
				s.seen.muted = map[string]bool{testMic: false}
				s.seen.setMonitored(testMic, tt.seen)
				s.ledger.noteMonitor(testCollection, testMic, tt.was)
				m.now = tt.now
				return s, m
			}
			s, m := begin()
			if err := s.setMonitors(t.Context(), []string{testMic}); err != nil {
				t.Fatal(err)
			}
			m.want(t, tt.onAir...)
			if muted := len(tt.onAir) > 1; s.mutedMics()[testMic] != muted {
				t.Errorf("taken as muted: got %v, want %v", !muted, muted)
			}
			s, m = begin()
			if err := s.unmonitor(t.Context()); err != nil {
				t.Fatal(err)
			}
			m.want(t, tt.atEnd...)
		})
	}
}

// TestMuteButtonIsExpected: where the button changes the type of monitoring, that is noted although we do not change it.
func TestMuteButtonIsExpected(t *testing.T) {
	for version, want := range map[string]map[string]obsctl.MonitorType{
		debian12: nil,
		"32.1.2": {testMic: obsctl.MonitorAndOutput},
	} {
		t.Run(version, func(t *testing.T) {
			s, _ := onAirWithFake(t, version, notAsked)
			s.viewers.safe = true
			if err := s.noteMonitoring(t.Context(), []string{testMic}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, s.ledger.monitorOf(testCollection)); diff != "" {
				t.Errorf("noted (-want +got):\n%s", diff)
			}
		})
	}
}
