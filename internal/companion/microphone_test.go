// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/mean"
	"github.com/costream-obs/costream-obs/internal/pulse"
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
			if got := s.mic.gate.allClosed(); got != tt.want {
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
			if err := s.mic.setMonitors(t.Context(), []string{testMic}); err != nil {
				t.Fatal(err)
			}
			m.want(t, tt.onAir...)
			if muted := len(tt.onAir) > 1; s.mic.mutedMics()[testMic] != muted {
				t.Errorf("taken as muted: got %v, want %v", !muted, muted)
			}
			s, m = begin()
			if err := s.mic.unmonitor(t.Context()); err != nil {
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
			if err := s.mic.noteMonitoring(t.Context(), []string{testMic}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, s.ledger.monitorOf(testCollection)); diff != "" {
				t.Errorf("noted (-want +got):\n%s", diff)
			}
		})
	}
}

// saidTo is what a fake OBS or sound server was told, in turn.
type saidTo []string

func (s *saidTo) say(format string, args ...any) { *s = append(*s, fmt.Sprintf(format, args...)) }

// micOBS is an OBS that a microphone tells its types of monitoring.
type micOBS struct{ saidTo }

func (o *micOBS) MonitorType(context.Context, string) (obsctl.MonitorType, error) {
	return obsctl.MonitorOnly, nil
}

func (o *micOBS) SetMonitorType(_ context.Context, input string, t obsctl.MonitorType) error {
	o.say("%s %d", input, t)
	return nil
}

func (o *micOBS) SetInputMuted(_ context.Context, input string, muted bool) error {
	o.say("%s muted %t", input, muted)
	return nil
}

// emptyStore keeps nothing.
type emptyStore struct{}

func (emptyStore) PersistentData(context.Context, string, any) (bool, error) { return false, nil }
func (emptyStore) SetPersistentData(context.Context, string, any) error      { return nil }

func newTestLedger() *ledger { return &ledger{obs: emptyStore{}, recall: new(recall)} }

// playing are OBS's streams at a sound server on which the sink for the peer has the number ourNumber.
type playing struct {
	saidTo
	streams map[string]pulse.SinkInput
	asked   int   // for the sources
	silent  error // why there is no answer to that
}

const ourNumber = 7

func (p *playing) streamsOf(context.Context, int) (map[string]pulse.SinkInput, error) {
	return p.streams, nil
}

func (p *playing) ourSink(context.Context, map[string]pulse.SinkInput) (int, error) {
	return ourNumber, nil
}

func (p *playing) move(_ context.Context, stream pulse.SinkInput, sink string) error {
	p.say("%d to %s", stream.Index, sink)
	return nil
}

func (p *playing) defaultSink(context.Context) (string, error)  { return "speakers", nil }
func (p *playing) exists(context.Context, string) (bool, error) { return true, nil }
func (p *playing) sources(context.Context) (all, recording []string, err error) {
	p.asked++
	return []string{"usb", "speakers.monitor"}, []string{"usb"}, p.silent
}
func (p *playing) ready() bool { return true }
func (p *playing) MonitoringDevice(context.Context) (obsctl.MonitoringDevice, error) {
	return obsctl.MonitoringDevice{}, nil
}

// newTestMicrophone is the controller of an OBS of that version which has testMic and "Guitar" and monitors nothing.
func newTestMicrophone(version obsctl.Semver) (*microphone, *micOBS, *playing) {
	obs, sound := new(micOBS), &playing{streams: make(map[string]pulse.SinkInput)}
	seen := &observed{version: obsctl.Version{OBS: version}, collection: testCollection,
		inputs: []obsctl.Input{{Name: testMic}, {Name: "Guitar"}, {Name: "Music"}}, special: obsctl.SpecialInputs{Mics: []string{testMic}},
		monitored: make(map[string]obsctl.MonitorType)}
	return &microphone{
		obs: obs, sound: sound, seen: seen, ledger: newTestLedger(), ears: &ears{obs: sound, sound: sound, seen: seen},
		safe: func() bool { return true }, latency: new(mean.Mean), wakeLater: func(time.Duration) {}, log: slog.New(slog.DiscardHandler),
		slow: make(map[string]int), resync: make(map[string]time.Time), missing: make(map[string]time.Time),
	}, obs, sound
}

// TestWantMonitor: how OBS is to monitor a microphone, by what the viewers hear of it.
func TestWantMonitor(t *testing.T) {
	old, mutesByButton, monitorsMuted := obsctl.Semver{Major: 29, Patch: 2}, obsctl.Semver{Major: 32, Minor: 1, Patch: 2}, obsctl.Semver{Major: 32, Minor: 2}
	one, two := []string{testMic}, []string{testMic, "Guitar"}
	for _, tt := range []struct {
		name          string
		version       obsctl.Semver
		mics          []string
		now           obsctl.MonitorType
		unsafe        bool
		muted, closed bool
		noted         bool // that it was off before us
		want          obsctl.MonitorType
	}{
		{name: "open", version: old, mics: one, want: obsctl.MonitorAndOutput},
		{name: "the viewers would lose it", version: old, mics: one, unsafe: true, want: obsctl.MonitorOff},
		{name: "for the user's ears alone", version: old, mics: one, now: obsctl.MonitorOnly, want: obsctl.MonitorOnly},
		{name: "for the user's ears alone, and the viewers would lose others", version: old, mics: one, now: obsctl.MonitorOnly, unsafe: true, want: obsctl.MonitorOnly},
		{name: "muted by the button", version: mutesByButton, mics: one, now: obsctl.MonitorOnly, noted: true, want: obsctl.MonitorAndOutput},
		{name: "the same in a version without that", version: monitorsMuted, mics: one, now: obsctl.MonitorOnly, noted: true, want: obsctl.MonitorOnly},
		{name: "muted, alone", version: monitorsMuted, mics: one, muted: true, want: obsctl.MonitorAndOutput},
		{name: "muted, one of two", version: monitorsMuted, mics: two, muted: true, want: obsctl.MonitorOff},
		{name: "muted, one of two, where OBS silences it", version: old, mics: two, muted: true, want: obsctl.MonitorAndOutput},
		{name: "its key is up, alone", version: old, mics: one, closed: true, want: obsctl.MonitorAndOutput},
		{name: "its key is up, one of two", version: old, mics: two, closed: true, want: obsctl.MonitorOff},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, _, _ := newTestMicrophone(tt.version)
			m.safe = func() bool { return !tt.unsafe }
			m.seen.setMonitored(testMic, tt.now)
			m.seen.muted = map[string]bool{testMic: tt.muted}
			m.gate.closed = map[string]bool{testMic: tt.closed}
			if tt.noted {
				m.ledger.noteMonitor(testCollection, testMic, obsctl.MonitorOff)
			}
			if got := m.wantMonitor(testMic, tt.mics); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestMicrophoneThatDoesNotExist: a wrong name is told with the names that there are, on air or not.
func TestMicrophoneThatDoesNotExist(t *testing.T) {
	inputs := []obsctl.Input{{Name: "Camera", UnversionedKind: "v4l2_input"}, {Name: testMic, UnversionedKind: "pulse_input_capture"}, {Name: "Guest", UnversionedKind: "alsa_input_capture"}}
	for _, tt := range []struct {
		name    string
		chosen  []string
		special []string
		source  string
		inputs  []obsctl.Input
		silent  error // why the sound server does not answer
		want    string
	}{
		{name: "OBS's own", special: []string{testMic}, inputs: inputs},
		{name: "chosen", chosen: []string{"Guest"}, inputs: inputs},
		{name: "misspelt", chosen: []string{"Geust", testMic, "Nobody"}, inputs: inputs,
			want: `OBS has no input "Geust" and no "Nobody", which --mic names; its microphones are "Mic/Aux", "Guest"`},
		{name: "misspelt, and OBS has no microphone", chosen: []string{"Guest"}, inputs: inputs[:1], want: `OBS has no input "Guest", which --mic names; its inputs are "Camera"`},
		{name: "misspelt, and OBS has no input", chosen: []string{"Guest"}, want: `OBS has no input "Guest", which --mic names; its inputs are none`},
		{name: "none", inputs: inputs[:1], want: errNoMic.Error()},
		{name: "a source", source: "usb"},
		{name: "a monitor", source: "speakers.monitor"},
		{name: "the default one", source: "@DEFAULT_SOURCE@"},
		{name: "a source that is not there", source: "usb2",
			want: `the sound server has no source "usb2", which --mic-source names; plug it in, or choose one of those that it has: "usb"`},
		{name: "no sound server", source: "usb", silent: pulse.ErrNoServer, want: pulse.ErrNoServer.Error()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, _, sound := newTestMicrophone(obsctl.Semver{Major: 29, Patch: 2})
			m.seen.inputs, m.seen.chosen, m.seen.special.Mics = tt.inputs, tt.chosen, tt.special
			m.pastOBS, m.source, sound.silent = tt.source != "", tt.source, tt.silent
			for range 2 {
				got := ""
				if err := m.check(t.Context()); err != nil {
					got = err.Error()
				}
				if got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			}
			if sound.asked > 1 && tt.silent == nil {
				t.Errorf("the sound server was asked %d times for one look", sound.asked)
			}
		})
	}
}

// TestOnlyMicrophonesReachThePeer: what OBS monitors besides is turned off or goes to the user's ears, and a microphone's
// stream to our sink.
func TestOnlyMicrophonesReachThePeer(t *testing.T) {
	m, obs, sound := newTestMicrophone(obsctl.Semver{Major: 29, Patch: 2})
	m.seen.monitored = map[string]obsctl.MonitorType{"Music": obsctl.MonitorAndOutput, "Guitar": obsctl.MonitorOnly}
	sound.streams = map[string]pulse.SinkInput{
		testMic:  {Stream: pulse.Stream{Index: 1}, Sink: 3},
		"Guitar": {Stream: pulse.Stream{Index: 2}, Sink: ourNumber},
	}
	for range 2 { // the second time OBS has nothing to change
		if err := m.monitor(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want := saidTo{fmt.Sprintf("Music %d", obsctl.MonitorOff), fmt.Sprintf("%s %d", testMic, obsctl.MonitorAndOutput)}
	if diff := cmp.Diff(want, obs.saidTo); diff != "" {
		t.Errorf("OBS was told (-want +got):\n%s", diff)
	}
	moved := saidTo{"1 to " + ToPeerSink, "2 to speakers"}
	if diff := cmp.Diff(slices.Concat(moved, moved), sound.saidTo); diff != "" {
		t.Errorf("the sound server was told (-want +got):\n%s", diff)
	}
	noted := map[string]obsctl.MonitorType{"Music": obsctl.MonitorAndOutput, testMic: obsctl.MonitorOff}
	if diff := cmp.Diff(noted, m.ledger.monitorOf(testCollection)); diff != "" {
		t.Errorf("noted (-want +got):\n%s", diff)
	}
}

// TestLateMonitoringIsReset: a delay that has grown, once it was seen several times in a row, and no more than once a while.
func TestLateMonitoringIsReset(t *testing.T) {
	m, obs, sound := newTestMicrophone(obsctl.Semver{Major: 29, Patch: 2})
	look := func(latency time.Duration, want ...string) {
		t.Helper()
		obs.saidTo = nil
		sound.streams = map[string]pulse.SinkInput{testMic: {Stream: pulse.Stream{Index: 1, Latency: latency}, Sink: ourNumber}}
		if err := m.monitor(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(saidTo(want), obs.saidTo); diff != "" {
			t.Errorf("at %v: OBS was told (-want +got):\n%s", latency, diff)
		}
	}
	off, on := fmt.Sprintf("%s %d", testMic, obsctl.MonitorOff), fmt.Sprintf("%s %d", testMic, obsctl.MonitorAndOutput)
	late := obsctl.MonitoringLate
	look(late, on)
	look(late)
	look(0) // in between
	look(late)
	look(late)
	look(late, off, on)
	for range 2 * lateTimes {
		look(late)
	}
	m.beginAnew()
	look(late, off, on)
}
