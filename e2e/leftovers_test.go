// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestRealLeftInFiles: Alice goes on air, switches to another scene collection and ends OBS on air. A little later nothing
// of ours is in either collection's file, and her next time on air is as the first.
func TestRealLeftInFiles(t *testing.T) {
	testbed.Need(t)
	p := newFriends(t, e2e.Alice(), e2e.Bob())
	p.alice.PairWith(binary, p.bob)
	// So that Bob's voice gets an input of its own.
	p.alice.OBS.Request("SetInputMute", testbed.D{"inputName": "Desktop Audio", "inputMuted": true}, nil)
	const first, second = "Untitled", "Evening"
	switchTo := func(collection string) {
		p.alice.OBS.Request("SetCurrentSceneCollection", testbed.D{"sceneCollectionName": collection}, nil)
	}
	p.alice.OBS.Request("CreateSceneCollection", testbed.D{"sceneCollectionName": second}, nil)
	p.alice.OBS.Restart()
	switchTo(first)
	p.alice.OBS.Interrupt()
	before := obsFiles(t, p.alice.OBS)
	p.alice.OBS.Start()

	p.aliceC = p.alice.Run(binary, p.bob)
	p.runBob(t)
	p.aliceC.Await(e2e.Ready, readyLimit)
	p.bobC.Await(e2e.Ready, readyLimit)
	p.goOnAir(t)
	awaitOurs := func() {
		t.Helper()
		testbed.Await(t, "the peer and the scene for the peer", 20*time.Second, func() error {
			var inputs struct{ Inputs []struct{ InputName string } }
			p.alice.OBS.Request("GetInputList", nil, &inputs)
			var list struct{ Scenes []struct{ SceneName string } }
			p.alice.OBS.Request("GetSceneList", nil, &list)
			found := 0
			for _, in := range inputs.Inputs {
				if in.InputName == e2e.PeerInput || in.InputName == "Peer audio" {
					found++
				}
			}
			for _, sc := range list.Scenes {
				if sc.SceneName == cleanfeed.Scene {
					found++
				}
			}
			if found != 3 {
				return fmt.Errorf("inputs %v, scenes %v", inputs.Inputs, list.Scenes)
			}
			return nil
		})
	}
	awaitOurs()
	switchTo(second)
	awaitOurs()
	mark := p.aliceC.Mark()
	p.alice.OBS.Interrupt()
	p.aliceC.AwaitSince(mark, e2e.Waiting, recoverLimit)
	began := time.Now()
	testbed.Await(t, "clean files", 20*time.Second, func() error {
		after := obsFiles(t, p.alice.OBS)
		// OBS notes which collection it had last elsewhere; which scene was shown is for the user to choose.
		if diff := cmp.Diff(before, after); diff != "" {
			return errors.New(diff)
		}
		return nil
	})
	t.Logf("the files are as before %v after OBS ended", time.Since(began).Round(time.Millisecond))

	p.alice.Channel.AwaitListening()
	p.alice.OBS.Start()
	switchTo(first)
	mark = p.aliceC.Mark()
	p.alice.OBS.StartStream()
	p.aliceC.AwaitSince(mark, e2e.OnAirWithPeer, recoverLimit)
	p.awaitPictures(t)
	awaitOurs()
	mark = p.aliceC.Mark()
	p.alice.OBS.StopStream()
	p.aliceC.AwaitSince(mark, e2e.Ready, recoverLimit)
	p.alice.OBS.Interrupt()
	if diff := cmp.Diff(before, obsFiles(t, p.alice.OBS)); diff != "" {
		t.Errorf("after the next time on air (-before +after):\n%s", diff)
	}
}
