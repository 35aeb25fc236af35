// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"os"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// recoverLimit is what each recovery may take, on a machine that plays both
// friends at once.
const recoverLimit = 40 * time.Second

// TestRealRecovery breaks one part after the other while both are on air;
// each time picture and voice come back by themselves.
func TestRealRecovery(t *testing.T) {
	testbed.Need(t)
	p := newPair(t)
	p.goOnAir(t)
	p.awaitVoices(t)

	// recovered notes the time at which both pictures are back; the voices
	// take some seconds to listen to and come after.
	recovered := func(began time.Time) {
		t.Helper()
		testbed.Await(t, "Bob sees Alice again", recoverLimit, func() error { return p.bob.SeesPeer(p.alice) })
		testbed.Await(t, "Alice sees Bob again", recoverLimit, func() error { return p.alice.SeesPeer(p.bob) })
		t.Logf("pictures are back after %v", time.Since(began).Round(10*time.Millisecond))
		p.awaitVoices(t)
	}

	t.Log("OBS killed")
	mark := p.aliceC.Mark()
	p.alice.OBS.Kill()
	// As when it was killed while it wrote that file.
	store := p.alice.OBS.PersistentDataFile()
	if err := os.Truncate(store, 0); err != nil {
		t.Fatal(err)
	}
	p.aliceC.AwaitSince(mark, e2e.Waiting, recoverLimit)
	began := time.Now()
	p.alice.Channel.AwaitListening()
	p.alice.OBS.Start()
	p.alice.OBS.StartStream()
	p.aliceC.AwaitSince(mark+1, e2e.OnAirWithPeer, recoverLimit)
	recovered(began)

	t.Log("companion killed")
	p.aliceC.Kill()
	began = time.Now()
	p.runAlice(t)
	p.aliceC.Await(e2e.OnAirWithPeer, recoverLimit)
	recovered(began)

	t.Log("peer's companion killed")
	mark = p.aliceC.Mark()
	p.bobC.Kill()
	p.aliceC.AwaitSince(mark, e2e.OnAir, recoverLimit)
	began = time.Now()
	p.runBob(t)
	p.aliceC.AwaitSince(mark+1, e2e.OnAirWithPeer, recoverLimit)
	recovered(began)

	t.Log("PulseAudio restarted")
	began = time.Now()
	p.alice.Pulse.Restart()
	recovered(began)
	t.Logf("voices are back, and each was listened to for %v, after %v", listen, time.Since(began).Round(100*time.Millisecond))

	t.Log("on air without a sound server")
	mark = p.aliceC.Mark()
	p.alice.OBS.StopStream()
	p.aliceC.AwaitSince(mark, e2e.Ready, recoverLimit)
	p.alice.Pulse.Kill()
	p.alice.Channel.AwaitListening()
	mark = p.aliceC.Mark()
	p.alice.OBS.StartStream()
	p.aliceC.AwaitSince(mark, e2e.OnAirWithPeer, recoverLimit)
	p.awaitPictures(t)
	p.alice.Pulse.Restart()
	p.awaitVoices(t)
}
