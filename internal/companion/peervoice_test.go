// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
	"github.com/costream-obs/costream-obs/obsctl"
)

// captures is an OBS with inputs that capture sound: their devices, by name.
type captures map[string]string

func (c captures) handle(request string, data json.RawMessage) (any, *fakeobs.Refusal) {
	type D = map[string]any
	var asked struct {
		InputName, SourceName string
		InputSettings         struct {
			Device string `json:"device_id"`
		}
		SceneItemID int
	}
	_ = json.Unmarshal(data, &asked)
	names := make([]string, 0, len(c))
	for name := range c {
		names = append(names, name)
	}
	slices.Sort(names)
	switch request {
	case "GetSceneList":
		return D{"scenes": []D{{"sceneName": "Scene"}}}, nil
	case "GetInputList":
		list := []D{}
		for _, name := range names {
			list = append(list, D{"inputName": name, "unversionedInputKind": captureKind})
		}
		return D{"inputs": list}, nil
	case "GetInputSettings":
		return D{"inputSettings": D{"device_id": c[asked.InputName]}}, nil
	case "GetSceneItemList":
		list := []D{}
		for i, name := range names {
			list = append(list, D{"sourceName": name, "sceneItemId": i})
		}
		return D{"sceneItems": list}, nil
	case "GetSceneItemId":
		if id := slices.Index(names, asked.SourceName); id >= 0 {
			return D{"sceneItemId": id}, nil
		}
		return nil, &fakeobs.Refusal{Code: 600}
	case "CreateInput":
		if _, taken := c[asked.InputName]; taken {
			return nil, &fakeobs.Refusal{Code: 601}
		}
		c[asked.InputName] = asked.InputSettings.Device
		return D{"sceneItemId": 9}, nil
	case "SetInputSettings":
		c[asked.InputName] = asked.InputSettings.Device
	case "RemoveInput":
		if c[asked.InputName] != obsctl.NoDevice {
			return nil, &fakeobs.Refusal{Code: 702, Comment: "OBS may crash: the input captures " + c[asked.InputName]}
		}
		delete(c, asked.InputName)
	}
	return nil, nil
}

// TestRemovalOfPeerAudioGoesOn: an input whose capture was ended by a run that was killed then is removed by the next.
func TestRemovalOfPeerAudioGoesOn(t *testing.T) {
	now := captures{"Desktop Audio": obsctl.NoDevice, "Peer audio": obsctl.NoDevice}
	s := newTestSession(t, Options{}, &fakeobs.Server{Handle: now.handle})
	s.seen.collection = testCollection
	s.ledger.noteVoice(testCollection, "Peer audio")
	if err := s.voice.remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(captures{"Desktop Audio": obsctl.NoDevice}, now); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
}

// The input with the peer's voice is told by what it captures. One of the user's that has its name is left alone, and
// counts as what it is.
func TestPeerAudioIsKnownByItsDevice(t *testing.T) {
	const other = "alsa_output.usb.monitor"
	for _, tt := range []struct {
		name    string
		has     captures
		rename  [2]string // by the user, on air
		onAir   captures
		foreign bool // something else is captured, too
	}{
		{name: "none", has: captures{}, onAir: captures{"Peer audio": fromPeerMonitor}},
		{name: "the name is taken", has: captures{"Peer audio": other, "Peer audio 2": "default"},
			onAir: captures{"Peer audio": other, "Peer audio 2": "default", "Peer audio 3": fromPeerMonitor}, foreign: true},
		{name: "the user has one already", has: captures{"Anna": fromPeerMonitor}, onAir: captures{"Anna": fromPeerMonitor}},
		{name: "renamed on air", has: captures{}, rename: [2]string{"Peer audio", "Anna"}, onAir: captures{"Anna": fromPeerMonitor}},
		{name: "renamed, and another got the name", has: captures{"Peer audio": other}, rename: [2]string{"Peer audio 2", "Anna"},
			onAir: captures{"Peer audio": other, "Anna": fromPeerMonitor}, foreign: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, now := make(captures), make(captures)
			for name, device := range tt.has {
				before[name], now[name] = device, device
			}
			s := newTestSession(t, Options{}, &fakeobs.Server{Handle: now.handle})
			s.seen.collection, s.seen.program = testCollection, "Scene"
			look := func() {
				t.Helper()
				var err error
				if s.seen.inputs, err = s.obs.Inputs(t.Context()); err != nil {
					t.Fatal(err)
				}
				if s.seen.voices, err = s.voice.inputs(t.Context(), s.seen.inputs); err != nil {
					t.Fatal(err)
				}
			}
			look()
			if err := s.voice.addInput(t.Context()); err != nil {
				t.Fatal(err)
			}
			if tt.rename != [2]string{} {
				now[tt.rename[1]] = now[tt.rename[0]]
				delete(now, tt.rename[0])
				s.note(obsctl.InputRenamed{Old: tt.rename[0], New: tt.rename[1]})
			}
			look()
			if err := s.voice.addInput(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.onAir, now); diff != "" {
				t.Errorf("on air (-want +got):\n%s", diff)
			}
			if got := s.viewers.capturesOutput(); got != tt.foreign {
				t.Errorf("OBS captures what a sink plays besides the peer: got %t, want %t", got, tt.foreign)
			}
			if err := s.voice.remove(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, now); diff != "" {
				t.Errorf("off air (-want +got):\n%s", diff)
			}
		})
	}
}

// voiceWorld is a sound server and a call for the peer's voice. It notes what is done to them.
type voiceWorld struct {
	peerVoiceOBS
	saidTo
	records map[string]recording // by OBS
}

func (w *voiceWorld) recordsOf(context.Context, int) (map[string]recording, error) {
	return maps.Clone(w.records), nil
}

func (w *voiceWorld) defaultSink(context.Context) (string, error) { return "speakers", nil }
func (w *voiceWorld) SetSpeakers(sinks []string)                  { w.say("play to %q", sinks) }
func (w *voiceWorld) SilenceSpeakers(sinks []string)              { w.say("silence at %q", sinks) }

func (w *voiceWorld) needFromPeer(context.Context) error {
	w.say("sink")
	return nil
}

// TestChoosePeerVoice: where the peer's voice plays, and that our input has none of it before it is heard while Desktop Audio
// carries it.
func TestChoosePeerVoice(t *testing.T) {
	const (
		desktop = "Desktop Audio"
		both    = `play to ["" "` + FromPeerSink + `"]`
		none    = `silence at []`
		ours    = `silence at ["` + FromPeerSink + `"]`
	)
	for _, tt := range []struct {
		name    string
		way     PeerAudio
		records string
		muted   bool
		want    saidTo
	}{
		{"Desktop Audio is heard", PeerAudioAuto, "speakers.monitor", false, saidTo{none, "sink", none, ours, both}},
		{"it is muted", PeerAudioAuto, "speakers.monitor", true, saidTo{none, "sink", none, none, both}},
		{"it captures another sink", PeerAudioAuto, "usb.monitor", false, saidTo{none, "sink", none, none, both}},
		{"by the user's choice", PeerAudioDesktop, "usb.monitor", false, saidTo{none, `play to [""]`}},
		{"an input by choice", PeerAudioSource, "usb.monitor", false, saidTo{none, "sink", none, none, both}},
		{"an input by choice would be heard twice", PeerAudioSource, "speakers.monitor", false, saidTo{none, "sink", none, ours, both}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &voiceWorld{records: map[string]recording{desktop: {index: 1, source: tt.records}, "Mic/Aux": {index: 2, source: "mic"}}}
			log := slog.New(slog.DiscardHandler)
			v := &peerVoice{obs: w, sound: w, seen: &observed{}, way: tt.way, log: log, desktop: desktopAudio{log: log, told: true}}
			v.desktop.inputs = map[string]desktopInput{desktop: {muted: tt.muted}}
			v.begin(w)
			if err := v.choose(t.Context()); err != nil {
				t.Fatal(err)
			}
			v.play()
			if diff := cmp.Diff(tt.want, w.saidTo); diff != "" {
				t.Errorf("done (-want +got):\n%s", diff)
			}
		})
	}
}
