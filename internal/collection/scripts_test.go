// SPDX-License-Identifier: Apache-2.0

package collection

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestScripts(t *testing.T) {
	first := `{"modules":{"scripts-tool":[{"path":"/b.lua","settings":{"x":1}}]}}`
	doc := mustParse(t, first)
	ours := Script{Path: "/a.lua", Settings: map[string]json.RawMessage{"k": json.RawMessage(`[]`)}}
	for range 2 {
		if err := doc.SetScript(ours); err != nil {
			t.Fatal(err)
		}
		want := `{"modules":{"scripts-tool":[{"path":"/b.lua","settings":{"x":1}},{"path":"/a.lua","settings":{"k":[]}}]}}`
		if got := string(doc.text); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if err := doc.RemoveScript("/a.lua"); err != nil || string(doc.text) != first {
		t.Errorf("RemoveScript: got %s, %v; want %s", doc.text, err, first)
	}
}

func TestBindings(t *testing.T) {
	doc := mustParse(t, `{"name":"A",
		"DesktopAudioDevice1":{"name":"Desktop Audio","hotkeys":{"libobs.mute":[{"key":"OBS_KEY_M","control":true}],"libobs.unmute":[]}},
		"quick_transitions":[{"name":"Cut","id":1,"hotkeys":[{"key":"OBS_KEY_1"}]}],
		"sources":[{"name":"Cam","filters":[{"name":"Blur","hotkeys":{"ToggleFilter":[{"key":"OBS_KEY_B","shift":true,"alt":true,"command":true}]}}],
			"settings":{"name":"no owner of hotkeys"},"hotkeys":{"libobs.push-to-talk":[{"key":"OBS_KEY_NONE"},{"key":"OBS_KEY_T"}]}}],
		"modules":{"scripts-tool":[{"path":"/x.lua","settings":{"k":[{"key":"OBS_KEY_F9"}],"list":[{"key":"value"}]}}]}}`)
	want := []Binding{
		{Key{Control: true, Key: "OBS_KEY_M"}, "libobs.mute", "Desktop Audio"},
		{Key{Key: "OBS_KEY_F9"}, "k", "/x.lua"},
		{Key{Key: "OBS_KEY_1"}, "quick_transitions", "Cut"},
		{Key{Shift: true, Alt: true, Command: true, Key: "OBS_KEY_B"}, "ToggleFilter", "Blur"},
		{Key{Key: "OBS_KEY_T"}, "libobs.push-to-talk", "Cam"},
	}
	if diff := cmp.Diff(want, doc.Bindings()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestProfileBindings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "basic.ini")
	if got, err := ProfileBindings(path); got != nil || err != nil {
		t.Errorf("without a file: got %v, %v", got, err)
	}
	text := "[Hotkeys]\nOBSBasic.StartStreaming={\"bindings\":[{\"control\":true,\"key\":\"OBS_KEY_F5\"}]}\n" +
		"ReplayBuffer={\"ReplayBuffer.Save\":[{\"key\":\"OBS_KEY_F6\"}]}\n[Other]\nx={\"bindings\":[{\"key\":\"OBS_KEY_A\"}]}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := ProfileBindings(path)
	want := []Binding{
		{Key{Control: true, Key: "OBS_KEY_F5"}, "OBSBasic.StartStreaming", ""},
		{Key{Key: "OBS_KEY_F6"}, "ReplayBuffer.Save", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestVirtualCamera(t *testing.T) {
	for text, want := range map[string]VirtualCamera{
		`{}`: {Type: CameraProgramme},
		`{"virtual-camera":{"internal":0,"scene":"","source":"","type":0}}`:               {Type: CameraProgramme},
		`{"virtual-camera":{"internal":1,"type":0}}`:                                      {Type: CameraPreview},
		`{"virtual-camera":{"internal":0,"scene":"To peer","source":"x","type":1}}`:       {CameraScene, "To peer", "x"},
		`{"virtual-camera":{"type2":3}}`:                                                  {Type: CameraProgramme},
		`{"virtual-camera":{"type2":2,"type":1,"source":"Cam"}}`:                          {Type: CameraSource, Source: "Cam"},
		`{"virtual-camera":{"type2":4,"internal":0,"type":1,"scene":"S","unknown":true}}`: {Type: CameraPreview, Scene: "S"},
	} {
		got, err := mustParse(t, text).VirtualCamera()
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, diff)
		}
	}
	for _, v := range []VirtualCamera{{Type: CameraProgramme}, {Type: CameraPreview, Source: "x"}, {CameraScene, "To peer", ""}, {CameraSource, "a", "b"}} {
		doc := mustParse(t, `{"a":1}`)
		if err := doc.SetVirtualCamera(v); err != nil {
			t.Fatal(err)
		}
		if got, err := doc.VirtualCamera(); got != v || err != nil {
			t.Errorf("got %v, %v; want %v", got, err, v)
		}
		doc.Delete(CameraPath)
		if got, want := string(doc.text), `{"a":1}`; got != want {
			t.Errorf("taken back: got %s, want %s", got, want)
		}
	}
	doc := mustParse(t, `{}`)
	if err := doc.SetVirtualCamera(VirtualCamera{CameraScene, "To peer", ""}); err != nil {
		t.Fatal(err)
	}
	if got, want := string(doc.Get(CameraPath)), `{"internal":0,"scene":"To peer","source":"","type":1,"type2":1}`; got != want {
		t.Errorf("both forms: got %s, want %s", got, want)
	}
}
