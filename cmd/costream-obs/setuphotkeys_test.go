// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/hotkeys"
	"github.com/costream-obs/costream-obs/obsctl"
)

const collectionText = `{"name":"Main show","sources":[{"name":"Mic/Aux","hotkeys":{"libobs.mute":[{"key":"OBS_KEY_M"}]}}],"modules":{"scripts-tool":[]}}`

// closedOBS gives the isolated home directory an OBS that is closed, with the scene collections Main show and Other.
func closedOBS(t *testing.T) (collection string) {
	t.Helper()
	dir := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "obs-studio")
	for name, text := range map[string]string{
		"global.ini":                    "[Basic]\nProfileDir=P\nSceneCollection=Main show\nSceneCollectionFile=Main_show\n",
		"basic/profiles/P/basic.ini":    "[Hotkeys]\nOBSBasic.StartStreaming={\"bindings\":[{\"key\":\"OBS_KEY_F5\"}]}\n",
		"basic/scenes/Main_show.json":   collectionText,
		"basic/scenes/Other.json":       `{"name":"Other"}`,
		"basic/scenes/Broken file.json": `{"name":`,
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "basic/scenes/Main_show.json")
}

func TestSetupHotkeys(t *testing.T) {
	isolate(t)
	collection := closedOBS(t)
	other := filepath.Join(filepath.Dir(collection), "Other.json")
	for _, step := range []struct {
		args  string
		want  result
		text  string // of the current collection afterwards, SCRIPT for the script's path; "" for the one before
		other string
	}{
		{args: "", want: result{Code: exitUsage, Stderr: "no key was given; for example: costream-obs setup hotkeys --toggle F9\n"}},
		{args: "--toggle Hyper", want: result{Code: exitUsage, Stderr: "--toggle: \"Hyper\" is not a key that costream-obs knows: type F9, Ctrl+Alt+P, Num 5, Super+Space or similar; for any other key, type one of these and change it in OBS, Settings, Hotkeys\n"}},
		{args: "--show F9 --hide f9", want: result{Code: exitUsage, Stderr: "--show and --hide have the same key, F9: give each its own key, or use --toggle to show and hide with one\n"}},
		{args: "--undo --toggle F9", want: result{Code: exitUsage, Stderr: "--undo removes all our hotkeys and takes no other flag\n"}},
		{args: "--undo", want: result{Stdout: "There is nothing to undo.\n"}},
		{args: "--toggle F5", want: result{Code: exitFailure, Stderr: "scene collection \"Main show\": F5 is already the key of the hotkey \"OBSBasic.StartStreaming\": choose another key, or remove that one in OBS, Settings, Hotkeys\n"}},
		{args: "--mute M", want: result{Code: exitFailure, Stderr: "scene collection \"Main show\": M is already the key of the hotkey \"libobs.mute\" of \"Mic/Aux\": choose another key, or remove that one in OBS, Settings, Hotkeys\n"}},
		{
			args: "--toggle F9 --mute Ctrl+M",
			want: result{Stdout: "From its next start, OBS has the hotkeys, under Settings, Hotkeys: F9 (toggle), Ctrl+M (mute).\n" +
				"  scene collection \"Main show\", backup: COLLECTION.before-costream-obs\n" +
				"Other scene collections: choose one in OBS, close OBS and repeat this; or add --all.\n"},
			text:  strings.Replace(collectionText, "[]", `[{"path":"SCRIPT","settings":{"device":"/dev/video11","mute":[{"control":true,"key":"OBS_KEY_M"}],"toggle":[{"key":"OBS_KEY_F9"}]}}]`, 1),
			other: `{"name":"Other"}`,
		},
		{
			args: "--hide F8 --all",
			want: result{Stdout: "From its next start, OBS has the hotkeys, under Settings, Hotkeys: F8 (hide).\n" +
				"  scene collection \"Main show\", backup: COLLECTION.before-costream-obs\n" +
				"  scene collection \"Other\", backup: OTHER.before-costream-obs\n"},
			other: `{"name":"Other","modules":{"scripts-tool":[{"path":"SCRIPT","settings":{"device":"/dev/video11","hide":[{"key":"OBS_KEY_F8"}]}}]}}`,
		},
		{
			args: "--undo",
			want: result{Stdout: "Our hotkeys are removed from OBS.\n" +
				"  scene collection \"Main show\", backup: COLLECTION.before-costream-obs\n" +
				"  scene collection \"Other\", backup: OTHER.before-costream-obs\n"},
			text: collectionText, other: `{"name":"Other","modules":{"scripts-tool":[]}}`,
		},
	} {
		t.Run(step.args, func(t *testing.T) {
			var args []string
			if step.args != "" {
				args = strings.Split(step.args, " ")
			}
			got := runCLI(t.Context(), append([]string{"setup", "hotkeys"}, args...)...)
			plain := strings.NewReplacer(collection, "COLLECTION", other, "OTHER", "costream-obs setup hotkeys: ", "", "See: costream-obs setup hotkeys --help\n", "")
			got.Stdout, got.Stderr = plain.Replace(got.Stdout), plain.Replace(got.Stderr)
			if diff := cmp.Diff(step.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			data, err := dataDir()
			if err != nil {
				t.Fatal(err)
			}
			for path, want := range map[string]string{collection: step.text, other: step.other} {
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if want = strings.ReplaceAll(want, "SCRIPT", hotkeys.Path(data)); want != "" && string(text) != want {
					t.Errorf("%s: got %s, want %s", path, text, want)
				}
			}
		})
	}
}

func TestSetupHotkeysWithoutOBS(t *testing.T) {
	if len(obsctl.FindProcesses("/proc")) > 0 {
		t.Skip("an OBS runs on this machine, and would be found")
	}
	isolate(t)
	got := runCLI(t.Context(), "setup", "hotkeys", "--toggle", "F9")
	if got.Code != exitFailure || !strings.Contains(got.Stderr, "start OBS once, then close it") {
		t.Errorf("got %+v", got)
	}
}
