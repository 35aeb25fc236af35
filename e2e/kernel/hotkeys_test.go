// SPDX-License-Identifier: Apache-2.0

package kernel_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestGuestHotkeys: with the real module, and so with the virtual camera's settings in the scene collection, a key that is
// pressed hides and shows the peer in all scenes, after a restart of OBS too, and --undo leaves the collection as it was.
func TestGuestHotkeys(t *testing.T) {
	needGuest(t, "alone")
	rootSetup(t, "--yes").check(t, 0, "Done.")
	alice, _ := friends("a")
	p := e2e.NewPerson(t, alice, testbed.NewDisplay(t))
	t.Cleanup(func() { keepLogs(t, p.OBS) })
	scenes := []string{testbed.Scene, "Second", "Third"}
	for _, scene := range scenes[1:] {
		p.OBS.Request("CreateScene", testbed.D{"sceneName": scene}, nil)
	}
	p.Costream(binary, "", "peer", "add", "--route=devices", "--scene=*")
	// OBS brings the collection into its own form first.
	p.OBS.Restart()
	p.OBS.Interrupt()
	collection := filepath.Join(p.OBS.Config, "obs-studio/basic/scenes/Untitled.json")
	first := readFile(t, collection)
	t.Log(p.Costream(binary, "", "setup", "hotkeys", "--toggle=F9"))

	press := func(then bool) {
		t.Helper()
		release := p.OBS.Display.Hold("F9")
		await(t, fmt.Sprintf("the peer shown by F9: %v", then), pictureLimit, func() error {
			for _, scene := range scenes {
				items, err := p.Items(scene)
				if err != nil {
					return err
				}
				i := slices.IndexFunc(items, func(it e2e.Item) bool { return it.SourceName == e2e.PeerInput })
				if i < 0 || items[i].SceneItemEnabled != then {
					return errors.New("it is not so in " + scene)
				}
			}
			return nil
		})
		release()
	}
	p.OBS.Start()
	press(false)
	press(true)
	p.OBS.Restart()
	press(false)
	press(true)
	p.OBS.Interrupt()
	t.Log(p.Costream(binary, "", "setup", "hotkeys", "--undo"))
	if diff := cmp.Diff(first, readFile(t, collection)); diff != "" {
		t.Errorf("the scene collection after --undo (-first +last):\n%s", diff)
	}
}
