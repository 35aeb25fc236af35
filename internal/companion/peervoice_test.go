// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"testing"
	"time"

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

// voiceWorld is an OBS, a sound server and a call for the peer's voice. It notes what is done to them.
type voiceWorld struct {
	peerVoiceOBS
	saidTo
	muted     map[string]bool   // inputs of OBS
	devices   map[string]string // what they are set to capture
	recording map[string]bool   // those that record
	sources   map[string]string // and from where
}

func (w *voiceWorld) InputMuted(_ context.Context, input string) (bool, error) {
	return w.muted[input], nil
}

func (w *voiceWorld) InputSettings(_ context.Context, input string) (map[string]any, error) {
	if device, chosen := w.devices[input]; chosen {
		return map[string]any{"device_id": device}, nil
	}
	return nil, nil
}

func (w *voiceWorld) SetInputMuted(_ context.Context, input string, muted bool) error {
	w.say("%s muted %t", input, muted)
	return nil
}

func (w *voiceWorld) capturesOf(context.Context, int) (map[string]bool, error) {
	return w.recording, nil
}

func (w *voiceWorld) sourcesOf(context.Context, int) (map[string]string, error) {
	return w.sources, nil
}

func (w *voiceWorld) defaultSink(context.Context) (string, error) { return "speakers", nil }
func (w *voiceWorld) defaultsMoved() bool                         { return false }
func (w *voiceWorld) lookAgain(time.Duration)                     { w.say("look again") }
func (w *voiceWorld) SetSpeakers(sinks []string)                  { w.say("play to %q", sinks) }
func (w *voiceWorld) RenewVoice()                                 { w.say("renew") }

func (w *voiceWorld) needFromPeer(context.Context) error {
	w.say("sink")
	return nil
}

func newTestVoice(w *voiceWorld, way PeerAudio) *peerVoice {
	seen := &observed{collection: testCollection, voices: []string{"Peer audio"}, special: obsctl.SpecialInputs{Desktop: []string{"Desktop Audio"}}}
	v := &peerVoice{obs: w, sound: w, seen: seen, ledger: newTestLedger(), way: way, log: slog.New(slog.DiscardHandler)}
	v.ledger.noteVoice(testCollection, "Peer audio")
	return v
}

// TestChoosePeerVoice: by which way the peer's voice comes into the stream, before and on air.
func TestChoosePeerVoice(t *testing.T) {
	ears, both := []string{""}, []string{"", FromPeerSink}
	long := time.Now().Add(-time.Hour)
	for _, tt := range []struct {
		name      string
		way       PeerAudio
		speakers  []string // nil before it is known
		onAir     bool
		desktop   desktopAudio
		muted     bool // our input, by us
		byUser    bool // our input, by the user
		recording map[string]bool
		from      time.Time // since when Desktop Audio has recorded
		want      []string
		done      []string
	}{
		{name: "Desktop Audio is heard", way: PeerAudioAuto, desktop: desktopHeard, want: ears},
		{name: "Desktop Audio is muted", way: PeerAudioAuto, desktop: desktopMuted, want: both, done: []string{"sink"}},
		{name: "no Desktop Audio", way: PeerAudioAuto, desktop: desktopElsewhere, want: both, done: []string{"sink"}},
		{name: "by the user's choice, elsewhere", way: PeerAudioDesktop, desktop: desktopElsewhere, want: ears},
		{name: "an input by choice", way: PeerAudioSource, desktop: desktopElsewhere, want: both, done: []string{"sink"}},
		{name: "an input by choice would be heard twice", way: PeerAudioSource, desktop: desktopHeard, want: ears},
		{name: "known on air only", way: PeerAudioAuto, onAir: true, desktop: desktopHeard, want: ears},

		{name: "on air, Desktop Audio goes", way: PeerAudioAuto, speakers: ears, onAir: true, desktop: desktopElsewhere, want: both,
			done: []string{"sink", `play to ["" "` + FromPeerSink + `"]`, "renew"}},
		{name: "on air, Desktop Audio is muted", way: PeerAudioAuto, speakers: ears, onAir: true, desktop: desktopMuted, want: ears},
		{name: "on air, by choice", way: PeerAudioDesktop, speakers: ears, onAir: true, desktop: desktopElsewhere, want: ears},
		{name: "on air, Desktop Audio comes", way: PeerAudioAuto, speakers: both, onAir: true, desktop: desktopHeard,
			recording: map[string]bool{"Desktop Audio": true}, want: both, done: []string{"look again"}},
		{name: "on air, it records", way: PeerAudioAuto, speakers: both, onAir: true, desktop: desktopHeard,
			recording: map[string]bool{"Desktop Audio": true}, from: long, want: both, done: []string{"Peer audio muted true"}},
		{name: "on air, it does not record yet", way: PeerAudioAuto, speakers: both, onAir: true, desktop: desktopHeard,
			recording: map[string]bool{"Mic/Aux": true}, from: long, want: both},
		{name: "on air, it records, the user muted our input", way: PeerAudioAuto, speakers: both, onAir: true, desktop: desktopHeard, byUser: true,
			recording: map[string]bool{"Desktop Audio": true}, from: long, want: both},
		{name: "on air, it goes again", way: PeerAudioAuto, speakers: both, onAir: true, desktop: desktopElsewhere, muted: true, want: both,
			done: []string{"Peer audio muted false"}},
		{name: "on air, it is muted meanwhile", way: PeerAudioAuto, speakers: both, onAir: true, desktop: desktopMuted, muted: true, want: both,
			done: []string{"Peer audio muted false"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &voiceWorld{recording: tt.recording, muted: map[string]bool{"Peer audio": tt.byUser}}
			v := newTestVoice(w, tt.way)
			v.speakers, v.muted, v.desktopFrom = tt.speakers, tt.muted, tt.from
			if tt.onAir {
				v.call = w
			}
			if err := v.choose(t.Context(), tt.desktop); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, v.speakers); diff != "" {
				t.Errorf("speakers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(saidTo(tt.done), w.saidTo); diff != "" {
				t.Errorf("done (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLookAtDesktop: what Desktop Audio does with the default sink, by its settings and by what OBS records from.
func TestLookAtDesktop(t *testing.T) {
	const desktop = "Desktop Audio"
	for _, tt := range []struct {
		name    string
		device  string // "" is one that was never chosen
		records string // "" is not known
		muted   bool
		want    desktopAudio
	}{
		{name: "never chosen", want: desktopHeard},
		{name: "the default one", device: defaultDevice, want: desktopHeard},
		{name: "by name", device: "speakers.monitor", want: desktopHeard},
		{name: "muted", device: defaultDevice, muted: true, want: desktopMuted},
		{name: "another one", device: "usb.monitor", want: desktopElsewhere},
		{name: "left behind on another one", device: defaultDevice, records: "usb.monitor", want: desktopElsewhere},
		{name: "recorded", device: defaultDevice, records: "speakers.monitor", want: desktopHeard},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &voiceWorld{muted: map[string]bool{desktop: tt.muted}, devices: make(map[string]string), sources: make(map[string]string)}
			if tt.device != "" {
				w.devices[desktop] = tt.device
			}
			if tt.records != "" {
				w.sources[desktop] = tt.records
			}
			got, err := newTestVoice(w, PeerAudioAuto).lookAtDesktop(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
