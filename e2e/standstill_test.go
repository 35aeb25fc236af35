// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestRealStandstill stops one companion for longer than a session lives, as a machine that sleeps does; picture and voice
// come back by themselves, both ways.
func TestRealStandstill(t *testing.T) {
	testbed.Need(t)
	p := newPair(t)
	p.goOnAir(t)
	p.awaitVoices(t)
	const sleep = 15 * time.Second
	mark := p.bobC.Mark()
	signal := func(s syscall.Signal) {
		t.Helper()
		if err := syscall.Kill(p.aliceC.PID(), s); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	asleep := time.After(sleep)
	p.bobC.AwaitSince(mark, e2e.OnAir, sleep) // without a peer
	mark = p.bobC.Mark()
	select {
	case <-asleep:
	case <-t.Context().Done():
	}
	signal(syscall.SIGCONT)
	woke := time.Now()
	p.bobC.AwaitSince(mark, e2e.OnAirWithPeer, recoverLimit)
	testbed.Await(t, "Bob sees Alice again", recoverLimit, func() error { return p.bob.SeesPeer(p.alice) })
	testbed.Await(t, "Alice sees Bob again", recoverLimit, func() error { return p.alice.SeesPeer(p.bob) })
	t.Logf("pictures are back %v after waking", time.Since(woke).Round(10*time.Millisecond))
	p.awaitVoices(t)
	t.Logf("voices are back, and each was listened to for %v, %v after waking", listen, time.Since(woke).Round(100*time.Millisecond))
}
