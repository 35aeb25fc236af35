// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"encoding/json"
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
	s := newTestSession(Options{})
	s.obs, s.seen.collection = dialFake(t, &fakeobs.Server{Handle: now.handle}), testCollection
	s.changes.noteVoice(testCollection, "Peer audio")
	if err := s.removePeerVoice(t.Context()); err != nil {
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
			obs := (&fakeobs.Server{Handle: now.handle}).Start(t)
			client, err := obsctl.Dial(t.Context(), obsctl.Endpoint{Host: obs.Addr().IP.String(), Port: obs.Addr().Port, Enabled: true}, obsctl.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = client.Close() })
			s := newTestSession(Options{})
			s.obs, s.seen.collection, s.seen.program = client, testCollection, "Scene"
			look := func() {
				t.Helper()
				if s.seen.inputs, err = client.Inputs(t.Context()); err != nil {
					t.Fatal(err)
				}
				if s.seen.voices, err = s.peerVoices(t.Context(), s.seen.inputs); err != nil {
					t.Fatal(err)
				}
			}
			look()
			if err := s.addPeerAudio(t.Context()); err != nil {
				t.Fatal(err)
			}
			if tt.rename != [2]string{} {
				now[tt.rename[1]] = now[tt.rename[0]]
				delete(now, tt.rename[0])
				s.note(obsctl.InputRenamed{Old: tt.rename[0], New: tt.rename[1]})
			}
			look()
			if err := s.addPeerAudio(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.onAir, now); diff != "" {
				t.Errorf("on air (-want +got):\n%s", diff)
			}
			if got := s.capturesOutput(); got != tt.foreign {
				t.Errorf("OBS captures what a sink plays besides the peer: got %t, want %t", got, tt.foreign)
			}
			if err := s.removePeerVoice(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, now); diff != "" {
				t.Errorf("off air (-want +got):\n%s", diff)
			}
		})
	}
}
