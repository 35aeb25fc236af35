// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"fmt"
	"strings"
	"sync"
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
	const sleep = 45 * time.Second
	mark, markAlice := p.bobC.Mark(), p.aliceC.Mark()
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
	// All four at once, so that none is measured late.
	var back sync.WaitGroup
	for what, returned := range map[string]func() error{
		"Bob sees Alice":  func() error { return p.bob.SeesPeer(p.alice) },
		"Alice sees Bob":  func() error { return p.alice.SeesPeer(p.bob) },
		"Bob hears Alice": nil, "Alice hears Bob": nil,
	} {
		back.Add(1)
		go func() {
			defer back.Done()
			if returned != nil {
				testbed.Await(t, what+" again", recoverLimit, returned)
				t.Logf("%s again %v after waking", what, time.Since(woke).Round(10*time.Millisecond))
				return
			}
			ear, mouth := p.bob, p.alice
			if strings.HasPrefix(what, "Alice") {
				ear, mouth = p.alice, p.bob
			}
			from := time.Since(woke)
			bursts := testbed.Bursts(ear.Pulse.Record(testbed.Headphones+".monitor", 10*time.Second), mouth.Voice.Hz, 0.1)
			var at []string
			for _, b := range bursts {
				at = append(at, fmt.Sprintf("%v+%v", (from+b.At).Round(10*time.Millisecond), b.Length))
			}
			t.Logf("%s after waking at %v", what, at)
		}()
	}
	back.Wait()
	p.bobC.AwaitSince(mark, e2e.OnAirWithPeer, recoverLimit)
	p.awaitVoices(t)
	t.Logf("voices were listened to for %v, %v after waking", listen, time.Since(woke).Round(100*time.Millisecond))
	for _, report := range p.aliceC.Since(markAlice) {
		if report.State == e2e.Waiting {
			t.Errorf("Alice lost her OBS by her own standstill: %s", report.Detail)
		}
	}
}
