// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/companion"
	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// TestChoices holds the words of the settings to those of the packages that get them.
func TestChoices(t *testing.T) {
	want := map[string][]string{
		"when": {
			string(companion.WhenStreaming), string(companion.WhenRecording),
			string(companion.WhenVirtualCam), string(companion.WhenAlways), string(companion.WhenManual),
		},
		"route":      {string(control.RouteAuto), string(control.RouteDevices), string(control.RoutePortable)},
		"peer-audio": {string(companion.PeerAudioAuto), string(companion.PeerAudioDesktop), string(companion.PeerAudioSource)},
		"link":       {linkAuto, linkSecure, linkPlain},
		"reach":      {reachDirect, reachAuto},
	}
	for _, s := range config.Table() {
		if diff := cmp.Diff(want[s.Key], s.Choices()); diff != "" {
			t.Errorf("%s: -want +got:\n%s", s.Key, diff)
		}
	}
}

// TestCompanionOptions holds that no setting of run gets lost on the way.
func TestCompanionOptions(t *testing.T) {
	isolate(t)
	c := &config.Config{
		Peer: "bob.example", PeerName: "Bob", Listen: "10.0.0.1", BasePort: 6000,
		When: "always", Route: "portable", VideoOut: "/dev/video20", VideoIn: "/dev/video21", Bitrate: 1500,
		Scenes: []string{"Game*"}, Layout: scenes.Layout{Shape: scenes.Full}, Layouts: []scenes.Rule{{Scenes: "Talk", Layout: scenes.Layout{Shape: scenes.Grid}}}, SourceName: "Friend", NamePlate: true, CleanFeed: true, Private: []string{"Bank*"}, Name: "Alice",
		Mics: []string{"Mic/Aux"}, MicSource: "mic", PeerAudio: "source",
		OBSHost: "obs.example", OBSPort: 4466,
	}
	got, err := companionOptions(c)
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := got.FindOBS()
	if err != nil {
		t.Fatal(err)
	}
	if want := (obsctl.Endpoint{Host: "obs.example", Port: 4466}); endpoint.Host != want.Host || endpoint.Port != want.Port {
		t.Errorf("FindOBS: got %s:%d, want %s:%d", endpoint.Host, endpoint.Port, want.Host, want.Port)
	}
	if !slices.Equal(got.PrivateScenes, c.Private) || got.Name != c.Name {
		t.Errorf("got private scenes %q and name %q, want %q and %q", got.PrivateScenes, got.Name, c.Private, c.Name)
	}
	if !slices.Equal(got.Scenes, c.Scenes) || !slices.Equal(got.Mics, c.Mics) {
		t.Errorf("got scenes %q and microphones %q, want %q and %q", got.Scenes, got.Mics, c.Scenes, c.Mics)
	}
	for _, field := range []struct{ name, got, want string }{
		{"peer", got.Peer, c.Peer},
		{"peer-name", got.PeerName, c.PeerName},
		{"listen", got.Listen, c.Listen},
		{"when", string(got.When), c.When},
		{"route", string(got.Route), c.Route},
		{"video-out", got.VideoOut, c.VideoOut},
		{"video-in", got.VideoIn, c.VideoIn},
		{"layout", got.Layouts.For("Game").String(), c.Layout.String()},
		{"layouts", got.Layouts.For("Talk").String(), "grid"},
		{"source-name", got.SourceName, c.SourceName},
		{"mic-source", got.MicSource, c.MicSource},
		{"peer-audio", string(got.PeerAudio), c.PeerAudio},
	} {
		if field.got != field.want {
			t.Errorf("%s: got %q, want %q", field.name, field.got, field.want)
		}
	}
	if !got.NamePlate || !got.CleanFeed {
		t.Errorf("got name-plate %t and clean-feed %t, want both", got.NamePlate, got.CleanFeed)
	}
	if got.BasePort != c.BasePort || got.BitrateKbps != c.Bitrate {
		t.Errorf("got base port %d and bitrate %d, want %d and %d", got.BasePort, got.BitrateKbps, c.BasePort, c.Bitrate)
	}
}
