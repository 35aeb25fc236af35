// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestRealPushToTalk: the friend hears a push-to-talk microphone while its key is down, as the viewers do, and not while it
// is up, although OBS monitors it then as well.
func TestRealPushToTalk(t *testing.T) {
	testbed.Need(t)
	p := newFriends(t, e2e.Alice(), e2e.Bob())
	setPushToTalk(t, p.bob.OBS, "OBS_KEY_F8")
	p.ready(t)
	p.goOnAir(t)
	testbed.Await(t, "Bob hears Alice", voiceLimit, func() error { return p.bob.HearsOnly(p.alice, listen) })

	silent := func() error { return p.alice.HearsNot(p.bob.Voice.Hz, listen) }
	if err := silent(); err != nil {
		t.Errorf("with the key up Alice hears Bob: %v", err)
	}
	release := p.bob.OBS.Display.Hold("F8")
	testbed.Await(t, "with the key down Alice hears Bob", voiceLimit, func() error { return p.alice.HearsOnly(p.bob, listen) })
	release()
	if err := silent(); err != nil {
		t.Errorf("with the key up again: %v", err)
	}
}

// setPushToTalk gives an OBS's microphone a push-to-talk key. No request does.
func setPushToTalk(t *testing.T, obs *testbed.OBS, key string) {
	t.Helper()
	obs.Interrupt()
	path := filepath.Join(obs.Config, "obs-studio", "basic", "scenes", "Untitled.json")
	var collection map[string]any
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &collection)
	}
	mic, ok := collection["AuxAudioDevice1"].(map[string]any)
	if err != nil || !ok {
		t.Fatalf("OBS's microphone in %s: %v", path, err)
	}
	mic["push-to-talk"] = true
	mic["push-to-talk-delay"] = 0
	mic["hotkeys"] = map[string]any{"libobs.push-to-talk": []any{map[string]any{"key": key}}}
	if text, err = json.Marshal(collection); err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	obs.Start()
}
