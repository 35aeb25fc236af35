// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

func TestRealPeerCommands(t *testing.T) {
	testbed.Need(t)
	const password = "correct horse"
	obs := testbed.StartOBS(t, testbed.OBSOptions{Password: password})
	obs.Request("CreateScene", testbed.D{"sceneName": "Game"}, nil)
	isolate(t)
	t.Setenv("COSTREAM_OBS_PORT", strconv.Itoa(obs.Port))
	t.Setenv("COSTREAM_OBS_PASSWORD", password)
	t.Setenv("COSTREAM_ROUTE", "portable")

	enabled := func(scene string) []bool {
		t.Helper()
		var list struct {
			SceneItems []struct {
				SourceName       string `json:"sourceName"`
				SceneItemEnabled bool   `json:"sceneItemEnabled"`
			} `json:"sceneItems"`
		}
		obs.Request("GetSceneItemList", testbed.D{"sceneName": scene}, &list)
		eyes := []bool{}
		for _, item := range list.SceneItems {
			if item.SourceName == "Peer" {
				eyes = append(eyes, item.SceneItemEnabled)
			}
		}
		return eyes
	}
	const none = "OBS has no peer source in its scene collection \"Untitled\".\n" +
		"costream-obs run makes it when OBS streams; costream-obs peer add makes it now.\n"

	for _, step := range []struct {
		args   string
		want   result
		eyes   []bool // of the peer's items in the scene "Scene"
		inGame []bool
	}{
		{args: "status", want: result{Stdout: none}},
		{
			args: "show",
			want: result{Code: exitFailure, Stderr: "costream-obs peer show: OBS has no peer source: start streaming with `costream-obs run`, or type `costream-obs peer add`\n"},
		},
		{
			args: "add --scene Gmae",
			want: result{Code: exitFailure, Stderr: "costream-obs peer add: no scene is called \"Gmae\" in OBS's scene collection \"Untitled\"; there are \"Scene\", \"Game\"\n"},
		},
		{args: "add", want: result{Stdout: "Added to scene \"Scene\"\n"}, eyes: []bool{true}},
		{args: "add", want: result{Stdout: "Nothing to change.\n"}, eyes: []bool{true}},
		{args: "add --scene G*", want: result{Stdout: "Added to scene \"Game\"\n"}, eyes: []bool{true}, inGame: []bool{true}},
		{args: "hide --scene Game", want: result{Stdout: "Hidden in scene \"Game\"\n"}, eyes: []bool{true}, inGame: []bool{false}},
		{
			args: "status",
			want: result{Stdout: "Source \"Peer\" (ffmpeg_source) in scene collection \"Untitled\":\n" +
				"  Scene  shown   in the programme\n  Game   hidden  hidden by you\n"},
			eyes: []bool{true}, inGame: []bool{false},
		},
		{args: "toggle", want: result{Stdout: "Hidden in scene \"Scene\"\n"}, eyes: []bool{false}, inGame: []bool{false}},
		{
			args: "toggle", want: result{Stdout: "Shown in scene \"Scene\"\nShown in scene \"Game\"\n"},
			eyes: []bool{true}, inGame: []bool{true},
		},
		{args: "show", want: result{Stdout: "Nothing to change.\n"}, eyes: []bool{true}, inGame: []bool{true}},
		{args: "layout list", want: result{Stdout: "No layout is saved. Place the peer in OBS as you like it, then: costream-obs peer layout save NAME\n"}, eyes: []bool{true}, inGame: []bool{true}},
		{args: "layout pip --corner top-left --size 25%", want: result{Stdout: "Laid out in scene \"Scene\"\n"}, eyes: []bool{true}, inGame: []bool{true}},
		{
			args: "status", eyes: []bool{true}, inGame: []bool{true},
			want: result{Stdout: "Source \"Peer\" (ffmpeg_source) in scene collection \"Untitled\":\n" +
				"  Scene  shown  in the programme, pip top-left 25%\n  Game   shown\n"},
		},
		{args: "layout save small", want: result{}, eyes: []bool{true}, inGame: []bool{true}},
		{args: "layout list", want: result{Stdout: "small  made on 640x360\n"}, eyes: []bool{true}, inGame: []bool{true}},
		{
			args: "layout use smal --scene Game", eyes: []bool{true}, inGame: []bool{true},
			want: result{Code: exitFailure, Stderr: "costream-obs peer layout use: there is no saved layout \"smal\"; did you mean small?\n"},
		},
		{args: "layout use small --scene Game", want: result{Stdout: "Laid out in scene \"Game\"\n"}, eyes: []bool{true}, inGame: []bool{true}},
		{args: "layout restore --scene *", want: result{Stdout: "Laid out in scene \"Scene\"\nLaid out in scene \"Game\"\n"}, eyes: []bool{true}, inGame: []bool{true}},
		{
			args: "layout restore", eyes: []bool{true}, inGame: []bool{true},
			want: result{Code: exitFailure, Stderr: "costream-obs peer layout restore: there is nothing to restore: the peer is where you or your settings placed it\n"},
		},
		{args: "layout delete small", want: result{}, eyes: []bool{true}, inGame: []bool{true}},
		{
			args: "remove", want: result{Stdout: "Removed from scene \"Scene\"\nRemoved from scene \"Game\"\n"},
		},
	} {
		t.Run(step.args, func(t *testing.T) {
			got := runCLI(t.Context(), append([]string{"peer"}, strings.Fields(step.args)...)...)
			if diff := cmp.Diff(step.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			for scene, want := range map[string][]bool{"Scene": step.eyes, "Game": step.inGame} {
				if got := enabled(scene); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("items of the peer in %s: got shown %v, want %v", scene, got, want)
				}
			}
		})
	}

	// OBS destroys an input a moment after its last item.
	testbed.Await(t, "end of the peer source", 5*time.Second, func() error {
		if got := runCLI(t.Context(), "peer", "status"); got != (result{Stdout: none}) {
			return fmt.Errorf("status: got %+v", got)
		}
		return nil
	})

	t.Run("json", func(t *testing.T) {
		runCLI(t.Context(), "peer", "add")
		got := runCLI(t.Context(), "peer", "hide", "--json")
		var hidden struct{ Changes []control.PeerChange }
		if err := json.Unmarshal([]byte(got.Stdout), &hidden); err != nil || len(hidden.Changes) != 1 || hidden.Changes[0].Action != "hide" || hidden.Changes[0].Item == 0 {
			t.Errorf("hide: got %+v, want one change that hides an item", got)
		}
		got = runCLI(t.Context(), "peer", "status", "--json")
		var status struct {
			Input string
			Spots []struct {
				Scene  string
				Hidden bool
			}
		}
		if err := json.Unmarshal([]byte(got.Stdout), &status); err != nil || status.Input != "Peer" || len(status.Spots) != 1 || !status.Spots[0].Hidden {
			t.Errorf("status: got %+v, want one hidden spot", got)
		}
		got = runCLI(t.Context(), "peer", "hide", "--json")
		if want := (result{Stdout: "{\"changes\":[]}\n"}); got != want {
			t.Errorf("hide again: got %+v, want %+v", got, want)
		}
	})
}

// TestRealPeerCannot shows what a person reads when OBS cannot be reached: one line that ends with what to do.
func TestRealPeerCannot(t *testing.T) {
	testbed.Need(t)
	obs := testbed.StartOBS(t, testbed.OBSOptions{Password: "correct horse"})
	isolate(t)
	for _, test := range []struct {
		name     string
		port     int
		password string
		want     string
	}{
		{"wrong password", obs.Port, "hunter2", "does not accept the password"},
		{"no OBS there", testbed.FreePort(t), "hunter2", "nothing listens at"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("COSTREAM_OBS_PASSWORD", test.password)
			got := runCLI(t.Context(), "peer", "show", "--obs-port", strconv.Itoa(test.port))
			if got.Code != exitFailure || got.Stdout != "" || !strings.HasPrefix(got.Stderr, "costream-obs peer show: ") ||
				!strings.Contains(got.Stderr, test.want) || strings.Count(got.Stderr, "\n") != 1 {
				t.Errorf("got %+v, want exit code 1 and one line with %q", got, test.want)
			}
			if strings.Contains(got.Stderr, test.password) {
				t.Errorf("the password is in the message: %s", got.Stderr)
			}
		})
	}
}
