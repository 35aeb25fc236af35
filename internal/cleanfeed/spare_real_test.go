// SPDX-License-Identifier: Apache-2.0

package cleanfeed

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestRealSpareMirrors: who switches to a scene with the peer for the first time waits for no scene to be made, and off air
// nothing of what was made ahead is left, nor after a crash.
func TestRealSpareMirrors(t *testing.T) {
	s := newStage(t)
	users := []string{"Third", "Second", testbed.Scene}
	s.addPeer(testbed.Scene, testbed.D{"positionX": 100})
	for i, name := range []string{"Second", "Third"} {
		s.user("CreateScene", testbed.D{"sceneName": name})
		s.place(name, "blue", testbed.D{"positionX": 30 * i})
		s.addPeer(name, testbed.D{"positionX": 10})
	}
	slices.Sort(users)
	made := func() (ours, theirs []string) {
		for _, name := range s.scenes() {
			if MayBeOurs(name) {
				ours = append(ours, name)
			} else {
				theirs = append(theirs, name)
			}
		}
		slices.Sort(theirs)
		return ours, theirs
	}
	await := func(what string, want ...string) {
		t.Helper()
		slices.Sort(want)
		testbed.Await(t, what, 10*time.Second, func() error {
			ours, theirs := made()
			slices.Sort(ours)
			if !slices.Equal(ours, want) || !slices.Equal(theirs, users) {
				return fmt.Errorf("got %q and %q, want %q and %q", ours, theirs, want, users)
			}
			return nil
		})
	}
	first := []string{Scene, mirrorPrefix + testbed.Scene, spareName, spareName + " 2"}
	s.follow()
	s.wantClean(testbed.Scene)
	await("two mirrors made ahead", first...)

	s.user("SetCurrentProgramScene", testbed.D{"sceneName": "Second"})
	s.wantClean("Second")
	if !s.feed.Ours("Untitled", spareName) {
		t.Errorf("%q is not known to be ours", spareName)
	}
	await("the next mirror ahead", append(first, spareName+" 3")...)
	s.user("SetCurrentProgramScene", testbed.D{"sceneName": "Third"})
	s.wantClean("Third")
	s.user("SetCurrentProgramScene", testbed.D{"sceneName": testbed.Scene})
	s.wantClean(testbed.Scene)

	s.crash()
	s.wantClean(testbed.Scene)
	s.stop()
	if err := s.feed.Remove(s.Context(), s.count, false); err != nil {
		s.Fatal(err)
	}
	await("the user's scenes alone")
}
