// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// sharedStage is an OBS and a sound server, for shared.
type sharedStage struct {
	settings map[string]map[string]any
	silent   map[string]bool
	unheard  map[string]bool
	where    hearing
	mute     error // why the sound server does not answer
	records  map[string]recording
	unread   error  // why it does not say what OBS records
	device   string // OBS's monitoring device
}

func (s *sharedStage) MonitoringDevice(context.Context) (obsctl.MonitoringDevice, error) {
	return obsctl.MonitoringDevice{ID: s.device}, nil
}

func (s *sharedStage) InputSettings(_ context.Context, name string) (map[string]any, error) {
	return s.settings[name], nil
}

func (s *sharedStage) MonitorType(_ context.Context, input string) (obsctl.MonitorType, error) {
	if s.silent[input] {
		return obsctl.MonitorOff, &obsctl.RequestError{Request: "GetInputAudioMonitorType", Code: obsctl.CodeInvalidState}
	}
	return obsctl.MonitorOff, nil
}

func (s *sharedStage) Trackless(_ context.Context, input string) (bool, error) {
	return s.unheard[input], nil
}

func (s *sharedStage) hearing(context.Context) (hearing, error) { return s.where, s.mute }

func (s *sharedStage) recordsOf(context.Context, int) (map[string]recording, error) {
	return s.records, s.unread
}

// TestShared: --share names inputs of any kind, by name or glob, but never the peer, and nothing in which the peer's voice is.
func TestShared(t *testing.T) {
	const voice = "Peer audio"
	type D = map[string]any
	inputs := []obsctl.Input{
		{Name: testMic, UnversionedKind: "pulse_input_capture"}, {Name: "Desktop Audio", UnversionedKind: captureKind},
		{Name: "Game sound", UnversionedKind: captureKind}, {Name: "Music", UnversionedKind: "ffmpeg_source"}, {Name: "Browser", UnversionedKind: "browser_source"},
		{Name: "Image", UnversionedKind: "image_source"}, {Name: "Peer", UnversionedKind: "ffmpeg_source"}, {Name: "Friend", UnversionedKind: "v4l2_input"},
		{Name: voice, UnversionedKind: captureKind}, {Name: "Alerts", UnversionedKind: "pulse_input_capture"},
		{Name: "App", UnversionedKind: "pipewire_audio_application_capture"}, {Name: "Sink", UnversionedKind: "pipewire_audio_output_capture"},
		{Name: "JACK", UnversionedKind: "jack_output_capture"}, {Name: "Line", UnversionedKind: "alsa_input_capture"},
	}
	stage := func(change func(*sharedStage)) *sharedStage {
		s := &sharedStage{
			settings: map[string]map[string]any{
				"Game sound": {"device_id": "games.monitor"}, voice: {"device_id": fromPeerMonitor}, "Friend": {scenes.MarkKey: true},
				"Alerts": {"device_id": "alerts.monitor"}, "App": {"TargetName": "supertux2"}, "Sink": {"TargetId": 41.0, "TargetName": "games"},
			},
			silent: map[string]bool{"Image": true},
			where:  hearing{sinks: map[string]bool{"speakers": true, ToPeerSink: true, FromPeerSink: true}, defaultSink: "speakers", defaultSource: "usb"},
		}
		if change != nil {
			change(s)
		}
		return s
	}
	set := func(input string, settings D) *sharedStage {
		return stage(func(s *sharedStage) { s.settings[input] = settings })
	}
	const echo, playsItself = "captures what you hear", "captures what OBS plays itself"
	for _, tt := range []struct {
		name    string
		share   []string
		stage   *sharedStage
		only    string // an input that is monitored only
		want    []string
		refused string
	}{
		{name: "nothing", share: nil},
		{name: "one", share: []string{"Music"}, want: []string{"Music"}},
		{name: "several kinds", share: []string{"Browser", "Music", "Line"}, want: []string{"Music", "Browser", "Line"}},
		{name: "a glob", share: []string{"*us*"}, want: []string{"Music"}},
		{name: "a glob that matches nothing yet", share: []string{"Tavern*"}, refused: `OBS has no input "Tavern*", which --share names; its inputs are "Mic/Aux", "Desktop Audio"`},
		{name: "a name and one that is not there", share: []string{"Music", "Muisc"}, want: []string{"Music"}, refused: `no input "Muisc"`},
		{name: "everything", share: []string{"*"}, want: []string{"Game sound", "Music", "Browser", "Alerts", "App", "Sink", "Line"}},
		{name: "a microphone", share: []string{testMic}, refused: "hears without --share"},
		{name: "without sound", share: []string{"Image"}, refused: "has no sound"},
		{name: "the peer's picture", share: []string{"Peer"}, refused: "is your friend's picture"},
		{name: "the peer's picture by our mark", share: []string{"Friend"}, refused: "is your friend's picture"},
		{name: "the peer's voice", share: []string{voice}, refused: "is your friend's voice"},
		{name: "on no audio track", share: []string{"Music"}, stage: stage(func(s *sharedStage) { s.unheard = map[string]bool{"Music": true} }), refused: "is on no audio track"},
		{name: "for the user alone", share: []string{"Music"}, only: "Music", refused: `is set to "Monitor Only"`},

		{name: "Desktop Audio", share: []string{"Desktop Audio"}, refused: `your friend does not hear "Desktop Audio", which --share names: it ` + echo},
		{name: "Desktop Audio by its device", share: []string{"Desktop Audio"}, stage: set("Desktop Audio", D{"device_id": "speakers.monitor"}), refused: echo},
		{name: "Desktop Audio of another sink", share: []string{"Desktop Audio"}, stage: set("Desktop Audio", D{"device_id": "games.monitor"}), want: []string{"Desktop Audio"}},
		{name: "a sink to which the peer was moved", share: []string{"Game sound"}, stage: stage(func(s *sharedStage) { s.where.sinks["games"] = true }), refused: echo},
		{name: "a capture that was moved to the peer", share: []string{"Game sound"},
			stage: stage(func(s *sharedStage) { s.records = map[string]recording{"Game sound": {source: "speakers.monitor"}} }), refused: echo},
		{name: "our own sink", share: []string{"Game sound"}, stage: set("Game sound", D{"device_id": ToPeerSink + ".monitor"}), refused: echo},
		{name: "an input capture of what the user hears", share: []string{"Alerts"}, stage: set("Alerts", D{"device_id": "speakers.monitor"}), refused: echo},
		{name: "the default source", share: []string{"Alerts"}, stage: set("Alerts", nil), want: []string{"Alerts"}},
		{name: "the default source is what the user hears", share: []string{"Alerts"},
			stage: stage(func(s *sharedStage) { s.settings["Alerts"], s.where.defaultSource = nil, "speakers.monitor" }), refused: echo},
		{name: "the sound server does not answer", share: []string{"Game sound", "Music"},
			stage: stage(func(s *sharedStage) { s.where, s.mute = hearing{}, errors.New("it hangs") }), want: []string{"Music"}, refused: echo},
		{name: "OBS's monitoring device", share: []string{"Game sound"}, stage: stage(func(s *sharedStage) { s.device = "games.monitor" }), refused: "captures OBS's monitoring device"},
		{name: "PipeWire's default sink", share: []string{"Sink"}, stage: set("Sink", D{"TargetName": "games"}), refused: echo},
		{name: "the same by its number", share: []string{"Sink"}, stage: set("Sink", D{"TargetId": float64(1<<32 - 1), "TargetName": "games"}), refused: echo},
		{name: "PipeWire's sink with the peer", share: []string{"Sink"}, stage: set("Sink", D{"TargetId": 41.0, "TargetName": "speakers"}), refused: echo},
		{name: "an application that is ours", share: []string{"App"}, stage: set("App", D{"TargetName": "Costream-OBS"}), refused: echo},
		{name: "all applications but one", share: []string{"App"}, stage: set("App", D{"TargetName": "firefox", "ExceptApp": true}), refused: echo},
		{name: "all applications but ours", share: []string{"App"}, stage: set("App", D{"TargetName": media.ClientName, "ExceptApp": true}), refused: playsItself},
		{name: "all applications but OBS", share: []string{"App"}, stage: set("App", D{"TargetName": "obs", "ExceptApp": true}), refused: echo},
		{name: "all applications but several", share: []string{"App"}, refused: playsItself,
			stage: set("App", D{"CaptureMode": 1.0, "ExceptApp": true, "apps": []any{D{"value": "firefox"}, D{"value": media.ClientName}}})},
		{name: "all applications but ours and OBS", share: []string{"App"}, want: []string{"App"},
			stage: set("App", D{"CaptureMode": 1.0, "ExceptApp": true, "apps": []any{D{"value": "OBS"}, D{"value": media.ClientName}}})},
		{name: "OBS by its program", share: []string{"App"}, stage: set("App", D{"TargetName": "obs"}), refused: playsItself},
		{name: "OBS as an application", share: []string{"App"}, stage: set("App", D{"TargetName": "OBS"}), refused: playsItself},
		{name: "several applications, one of them OBS", share: []string{"App"}, refused: playsItself,
			stage: set("App", D{"CaptureMode": 1.0, "apps": []any{D{"value": "firefox"}, D{"value": "obs"}}})},
		{name: "several applications, one of them ours", share: []string{"App"}, refused: echo,
			stage: set("App", D{"CaptureMode": 1.0, "TargetName": "firefox", "apps": []any{D{"value": "firefox"}, D{"value": media.ClientName}}})},
		{name: "several other applications", share: []string{"App"}, want: []string{"App"},
			stage: set("App", D{"CaptureMode": 1.0, "TargetName": media.ClientName, "apps": []any{D{"value": "firefox"}}})},
		{name: "a capture of another plugin", share: []string{"JACK"}, refused: echo},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.stage == nil {
				tt.stage = stage(nil)
			}
			seen := &observed{inputs: inputs, voices: []string{voice}, special: obsctl.SpecialInputs{Mics: []string{testMic}}}
			s := shared{obs: tt.stage, sound: tt.stage, seen: seen, patterns: tt.share, peerSource: "Peer",
				onlyHeard: func(input string) bool { return input == tt.only }}
			if err := s.ask(t.Context(), inputs); err != nil {
				t.Fatal(err)
			}
			s.decide(t.Context())
			if diff := cmp.Diff(tt.want, seen.shared); diff != "" {
				t.Errorf("shared (-want +got):\n%s", diff)
			}
			got := ""
			if err := s.check(t.Context()); err != nil {
				got = err.Error()
			}
			if (got == "") != (tt.refused == "") || !strings.Contains(got, tt.refused) {
				t.Errorf("refused: got %q, want %q", got, tt.refused)
			}
		})
	}
}

// TestSharedWhileServerIsBusy: what is shared stays so while the sound server does not answer.
func TestSharedWhileServerIsBusy(t *testing.T) {
	const game = "Game sound"
	inputs := []obsctl.Input{{Name: game, UnversionedKind: captureKind}}
	stage := &sharedStage{settings: map[string]map[string]any{game: {"device_id": "games.monitor"}}}
	seen := &observed{inputs: inputs}
	s := shared{obs: stage, sound: stage, seen: seen, patterns: []string{game}, onlyHeard: func(string) bool { return false }}
	if err := s.ask(t.Context(), inputs); err != nil {
		t.Fatal(err)
	}
	hangs := errors.New("it hangs")
	alone, together := map[string]bool{"speakers": true}, map[string]bool{"speakers": true, "games": true}
	moved := map[string]recording{game: {source: "speakers.monitor"}}
	for i, step := range []struct {
		mute, unread error
		sinks        map[string]bool
		records      map[string]recording
		want         []string
	}{
		{hangs, nil, nil, nil, nil},
		{nil, hangs, alone, nil, nil},
		{nil, nil, alone, nil, []string{game}},
		{hangs, nil, nil, nil, []string{game}},
		{nil, nil, together, nil, nil},
		{nil, hangs, alone, nil, nil},
		{nil, nil, alone, moved, nil},
		{nil, hangs, alone, nil, nil},
		{hangs, nil, alone, nil, nil},
		{nil, nil, alone, nil, []string{game}},
	} {
		stage.mute, stage.unread, stage.records = step.mute, step.unread, step.records
		stage.where = hearing{sinks: step.sinks, defaultSink: "speakers"}
		s.decide(t.Context())
		if diff := cmp.Diff(step.want, seen.shared); diff != "" {
			t.Errorf("step %d: shared (-want +got):\n%s", i, diff)
		}
	}
}

// TestHearing: the peer's voice is on the default sink, on our own, and where another program has moved it.
func TestHearing(t *testing.T) {
	stream := func(sink int, purpose string) pulse.SinkInput {
		return pulse.SinkInput{Stream: pulse.Stream{Properties: map[string]string{media.StreamProperty: purpose}}, Sink: sink}
	}
	got := hearingOf(pulse.Info{DefaultSink: "speakers", DefaultSource: "usb"},
		[]pulse.SinkInput{stream(1, media.StreamSpeaker), stream(2, media.StreamSpeaker+"/"+FromPeerSink), stream(3, ""), stream(4, media.StreamVoice)},
		[]pulse.Sink{{Index: 1, Name: "headset"}, {Index: 2, Name: FromPeerSink}, {Index: 3, Name: "games"}, {Index: 4, Name: "other"}, {Index: 5, Name: "speakers"}})
	want := hearing{sinks: map[string]bool{"headset": true, "speakers": true, FromPeerSink: true, ToPeerSink: true}, defaultSink: "speakers", defaultSource: "usb"}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(hearing{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSharedGoesToPeer: what is shared is monitored like a microphone, and other inputs are not.
func TestSharedGoesToPeer(t *testing.T) {
	m, obs, sound := newTestMicrophone(obsctl.Semver{Major: 29, Patch: 2})
	m.seen.shared = []string{"Music"}
	m.seen.monitored = map[string]obsctl.MonitorType{"Guitar": obsctl.MonitorAndOutput}
	sound.streams = map[string]pulse.SinkInput{testMic: {Stream: pulse.Stream{Index: 1}, Sink: 3}, "Music": {Stream: pulse.Stream{Index: 2}, Sink: 3}}
	if err := m.monitor(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(saidTo{"Guitar 0", testMic + " 2", "Music 2"}, obs.saidTo); diff != "" {
		t.Errorf("OBS was told (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(saidTo{"1 to " + ToPeerSink, "2 to " + ToPeerSink}, sound.saidTo); diff != "" {
		t.Errorf("the sound server was told (-want +got):\n%s", diff)
	}
	noted := map[string]obsctl.MonitorType{"Guitar": obsctl.MonitorAndOutput, testMic: obsctl.MonitorOff, "Music": obsctl.MonitorOff}
	if diff := cmp.Diff(noted, m.ledger.monitorOf(testCollection)); diff != "" {
		t.Errorf("noted (-want +got):\n%s", diff)
	}
	obs.saidTo = nil
	if err := m.unmonitor(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(obs.saidTo); got != 3 || len(m.ledger.monitorOf(testCollection)) > 0 {
		t.Errorf("undone: OBS was told %q, and %v stays noted", obs.saidTo, m.ledger.monitorOf(testCollection))
	}
}

// TestGateWithShared: what is shared is music while it is in the programme and heard there, and closes the gate as a second
// microphone would.
func TestGateWithShared(t *testing.T) {
	const mic, music = "Mic/Aux", "Music"
	both := map[string]obsctl.MonitorType{mic: obsctl.MonitorAndOutput, music: obsctl.MonitorAndOutput}
	open := map[string]bool{mic: false, music: false}
	inProgramme := obsctl.Levels{{Input: mic}, {Input: music, Captured: 0.5, Heard: 0.5}}
	for _, tt := range []struct {
		name         string
		hazard       bool
		act          func(g *gate)
		silent, tune bool
	}{
		{"in the programme", true, func(*gate) {}, false, true},
		{"not in the programme", true, func(g *gate) { g.meter(obsctl.Levels{{Input: mic}}) }, false, false},
		{"and back", true, func(g *gate) { g.meter(nil); g.meter(inProgramme) }, false, true},
		{"muted where OBS silences it", false, func(g *gate) { g.mute(music, true) }, false, false},
		{"muted where OBS monitors it", true, func(g *gate) { g.mute(music, true) }, true, false},
		{"the microphone is muted where OBS silences it", false, func(g *gate) { g.mute(mic, true) }, false, true},
		{"both are muted", false, func(g *gate) { g.mute(mic, true); g.mute(music, true) }, true, false},
		{"a break", true, func(g *gate) { g.pause(true) }, true, true},
		{"not monitored", true, func(g *gate) { g.set([]string{mic}, open, map[string]obsctl.MonitorType{mic: obsctl.MonitorAndOutput}) }, false, false},
		{"its fader is down", true, func(g *gate) { g.meter(obsctl.Levels{{Input: music, Captured: 0.5}}) }, true, false},
		{"not shared any more, and still monitored", false, func(g *gate) { g.share(nil); g.set([]string{mic}, open, both) }, true, false},
		{"not shared any more, and on its way", false, func(g *gate) {
			g.share(nil)
			g.set([]string{mic}, open, map[string]obsctl.MonitorType{mic: obsctl.MonitorAndOutput})
		}, true, false},
		{"renamed, and not shared any more, and still monitored", false, func(g *gate) {
			g.rename(music, "Song")
			g.share(nil)
			g.set([]string{mic}, map[string]bool{mic: false}, map[string]obsctl.MonitorType{mic: obsctl.MonitorAndOutput, "Song": obsctl.MonitorAndOutput})
			g.leaked = time.Now().Add(-leakTail)
			g.place(false)
			g.place(true)
		}, true, false},
		{"renamed, and still shared", false, func(g *gate) {
			g.rename(music, "Song")
			g.share([]string{"Song"})
			g.set([]string{mic}, map[string]bool{mic: false, "Song": false}, map[string]obsctl.MonitorType{mic: obsctl.MonitorAndOutput, "Song": obsctl.MonitorAndOutput})
		}, false, false},
		{"renamed, and muted", true, func(g *gate) { g.rename(music, "Song"); g.mute("Song", true) }, true, false},
		{"shared again", false, func(g *gate) {
			g.share(nil)
			g.set([]string{mic}, open, both)
			g.share([]string{music})
			g.set([]string{mic}, open, both)
		}, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var silent, tune bool
			g := gate{hazard: tt.hazard}
			g.reset()
			g.follow(func(music bool) { tune = music })
			g.attach(func(s bool) { silent = s })
			g.place(true)
			g.share([]string{music})
			g.set([]string{mic}, open, both)
			g.meter(inProgramme)
			tt.act(&g)
			g.meter(inProgrammeOf(&g))
			if silent != tt.silent || tune != tt.tune {
				t.Errorf("got silent %v and music %v, want %v and %v", silent, tune, tt.silent, tt.tune)
			}
			g.detach()
		})
	}
}

// inProgrammeOf are meters of the inputs that were in the programme last, which say nothing new.
func inProgrammeOf(g *gate) obsctl.Levels {
	var levels obsctl.Levels
	for _, input := range g.active {
		levels = append(levels, obsctl.Level{Input: input})
	}
	return levels
}
