// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestRealOffAir: off air, OBS is as it was before; on air again, everything
// is back where the user left it.
func TestRealOffAir(t *testing.T) {
	testbed.Need(t)
	p := newFriends(t, e2e.Alice(), e2e.Bob())
	p.alice.OBS.Interrupt()
	filesBefore := obsFiles(t, p.alice.OBS)
	p.alice.OBS.Start()
	before, err := observe(p.alice)
	if err != nil {
		t.Fatal(err)
	}
	p.runAlice(t)
	p.runBob(t)
	p.aliceC.Await(e2e.Ready, readyLimit)
	p.bobC.Await(e2e.Ready, readyLimit)
	p.goOnAir(t)

	// Within the quarter that the comparison of pictures leaves out.
	moved := moveItem(t, p.alice, e2e.PeerInput, float64(p.alice.Width)/2+20, float64(p.alice.Height)/2+10)
	testbed.Await(t, "Alice sees Bob where she moved him", pictureLimit, func() error { return p.alice.SeesPeer(p.bob) })

	p.alice.OBS.StopStream()
	awaitAsBefore(t, p.alice, before)
	p.aliceC.Await(e2e.Ready, readyLimit)
	p.bobC.Await(e2e.OnAir, readyLimit)

	// What OBS writes when it quits now is what the user keeps.
	p.alice.OBS.Interrupt()
	if diff := cmp.Diff(filesBefore, obsFiles(t, p.alice.OBS)); diff != "" {
		t.Errorf("profiles and scene collections (-before +off air):\n%s", diff)
	}
	mark := p.aliceC.Mark()
	p.alice.OBS.Start()
	p.aliceC.AwaitSince(mark, e2e.Ready, readyLimit)

	p.alice.Channel.AwaitListening()
	p.alice.OBS.StartStream()
	p.aliceC.Await(e2e.OnAirWithPeer, airLimit)
	p.bobC.Await(e2e.OnAirWithPeer, airLimit)
	p.awaitPictures(t)
	items, err := p.alice.Items(testbed.Scene)
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		if it.SourceName != e2e.PeerInput {
			continue
		}
		if got := [2]float64{it.SceneItemTransform.PositionX, it.SceneItemTransform.PositionY}; got != moved {
			t.Errorf("the item that Alice moved: got it at %v, want %v", got, moved)
		}
	}
	p.awaitVoices(t)
}

// TestRealSilentOffAir: off air nothing is sent.
func TestRealSilentOffAir(t *testing.T) {
	testbed.Need(t)
	alice := e2e.NewPerson(t, e2e.Alice(), testbed.NewDisplay(t))
	bob := &e2e.Person{PersonOptions: e2e.Bob(), Address: testbed.LoopbackAddress(t)}
	w := tapWire(t, bob.Address)
	companion := alice.Run(binary, bob)
	companion.Await(e2e.Ready, readyLimit)
	if got := w.packets.Load(); got != 0 {
		t.Errorf("packets before the stream: got %d, want none", got)
	}
	alice.OBS.StartStream()
	testbed.Await(t, "Alice sends", airLimit, func() error {
		if w.packets.Load() < 100 {
			return errors.New("not 100 packets yet")
		}
		return nil
	})
	alice.OBS.StopStream()
	stopped := time.Now()
	companion.Await(e2e.Ready, readyLimit)
	// That nothing comes can only be seen by waiting.
	time.Sleep(time.Until(stopped.Add(2 * offAirLimit)))
	if got := w.lastPacket().Sub(stopped); got > offAirLimit {
		t.Errorf("last packet: got it %v after the end of the stream, want at most %v", got, offAirLimit)
	}
	t.Logf("last of %d packets %v after the end of the stream", w.packets.Load(), w.lastPacket().Sub(stopped).Round(time.Millisecond))
}

// moveItem moves an item of the first scene as the user would and returns
// where it is.
func moveItem(t *testing.T, p *e2e.Person, source string, x, y float64) [2]float64 {
	t.Helper()
	var item struct{ SceneItemID int }
	p.OBS.Request("GetSceneItemId", testbed.D{"sceneName": testbed.Scene, "sourceName": source}, &item)
	p.OBS.Request("SetSceneItemTransform", testbed.D{"sceneName": testbed.Scene, "sceneItemId": item.SceneItemID,
		"sceneItemTransform": testbed.D{"positionX": x, "positionY": y}}, nil)
	return [2]float64{x, y}
}
