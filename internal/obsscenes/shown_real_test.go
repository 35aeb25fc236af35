// SPDX-License-Identifier: Apache-2.0

package obsscenes

import (
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/obsctl"
)

// TestRealShownInGroup: OBS calls a source in a group active, and sends an event about it, while the group and the item in it
// are both visible and the programme has the group. The tally goes by that.
func TestRealShownInGroup(t *testing.T) {
	s := newStage(t)
	s.makePeer(scene, "Peer")
	s.makeGroup()
	group, inGroup := s.items(scene, false)[0].ID, s.items("Group", true)[0].ID
	s.addScene("Empty")
	watcher, err := obsctl.Dial(t.Context(), obsctl.Endpoint{Host: "127.0.0.1", Port: s.tb.Port, Password: obsctl.Secret(s.tb.Password)}, obsctl.Options{Activations: true})
	s.must(err)
	t.Cleanup(func() { _ = watcher.Close() })
	for _, step := range []struct {
		what string
		do   func()
		want bool
	}{
		{"the item hidden", func() { s.setEnabled("Group", inGroup, false) }, false},
		{"the item shown", func() { s.setEnabled("Group", inGroup, true) }, true},
		{"the group hidden", func() { s.setEnabled(scene, group, false) }, false},
		{"the group shown", func() { s.setEnabled(scene, group, true) }, true},
		{"another scene", func() { s.user("SetCurrentProgramScene", testbed.D{"sceneName": "Empty"}) }, false},
		{"the scene again", func() { s.user("SetCurrentProgramScene", testbed.D{"sceneName": scene}) }, true},
	} {
		step.do()
		limit := time.After(10 * time.Second)
		for told := false; !told; {
			select {
			case ev := <-watcher.Events():
				if active, is := ev.(obsctl.InputActive); is && active.Input == "Peer" {
					if active.Active != step.want {
						t.Fatalf("%s: OBS says that the source is active: %t, want %t", step.what, active.Active, step.want)
					}
					told = true
				}
			case <-limit:
				t.Fatalf("%s: no event in 10 s", step.what)
			}
		}
		active, err := watcher.SourceActive(t.Context(), "Peer")
		s.must(err)
		if active != step.want {
			t.Errorf("%s: asked, OBS says that the source is active: %t, want %t", step.what, active, step.want)
		}
	}
}
