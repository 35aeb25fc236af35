// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/internal/testbed/fakeencoder"
)

// TestRealEncoderDies: Alice's encoder passes its trial, encodes, and then reports an error, or hangs as a driver may. Bob's OBS
// shows a new picture of her within a second, now by another encoder, and both are told why.
func TestRealEncoderDies(t *testing.T) {
	testbed.Need(t)
	plugin, err := fakeencoder.Build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	// The trial takes 30 pictures; it is in a process of its own. Alice sends 30 a second.
	for _, behaviour := range []string{"fail=500", "hang=500"} {
		t.Run(behaviour, func(t *testing.T) { encoderDies(t, append(plugin, fakeencoder.Behaviour+"="+behaviour)) })
	}
}

// dieLimit is far more than the pictures take after which the encoder fails.
const dieLimit = 90 * time.Second

func encoderDies(t *testing.T, env []string) {
	p := newFriends(t, e2e.Alice(), e2e.Bob())
	p.alice.AddLamp()
	p.alice.PairWith(binary, p.bob)
	env = append(append(p.alice.Env(), "XDG_CACHE_HOME="+t.TempDir()), env...)
	p.aliceC = e2e.StartCompanion(t, binary, "Alice's costream-obs", env,
		"--listen="+p.alice.Address, "--peer-name=Bob", "--route=portable", "--verbose")
	p.runBob(t)
	p.aliceC.Await(e2e.Ready, readyLimit)
	p.bobC.Await(e2e.Ready, readyLimit)
	p.alice.OBS.StartStream()
	p.bob.OBS.StartStream()
	p.bobC.Await(e2e.OnAirWithPeer, airLimit)

	encodes := func(name, why string) func() error {
		return func() error {
			f := p.aliceC.Figures()
			if f == nil || f.Encoder == nil || f.Encoder.Name != name || !strings.Contains(f.Encoder.Why, why) {
				return fmt.Errorf("Alice's figures: %+v", f)
			}
			return nil
		}
	}
	testbed.Await(t, fakeencoder.Name+" encodes", airLimit, encodes(fakeencoder.Name, "it passed its trial"))

	// Bob is watched for so long after the failure.
	const after = 3 * time.Second
	began, failed := time.Now(), time.Time{}
	pictures := p.alice.WatchPictures(p.bob, func() bool {
		if last := p.aliceC.Last(); failed.IsZero() && strings.Contains(strings.Join(last.Problems, ""), "x264enc replaces it") {
			failed = last.Time
			t.Logf("after %v: %s", failed.Sub(began).Round(time.Millisecond), last.Problems)
		}
		return !failed.IsZero() && time.Since(failed) > after || time.Since(began) > dieLimit
	})
	if failed.IsZero() {
		t.Fatalf("no encoder failed in %v", dieLimit)
	}
	var others []time.Duration
	var still time.Duration
	for i := range len(pictures) - 1 {
		from, to := pictures[i], pictures[i+1]
		// The report comes when the next encoder is chosen, after the time in which a hanging one was waited for.
		if to.After(failed.Add(-time.Second)) && from.Before(failed.Add(time.Second)) {
			still = max(still, to.Sub(from))
		} else {
			others = append(others, to.Sub(from))
		}
	}
	if len(others) < 20 || !pictures[len(pictures)-1].After(failed.Add(time.Second)) {
		t.Fatalf("Bob saw %d new pictures, and the last one %v after the failure", len(pictures), pictures[len(pictures)-1].Sub(failed))
	}
	slices.Sort(others)
	t.Logf("Bob saw no new picture for %v around the failure; otherwise for %v (median) and %v (95 of 100) of %d", still.Round(time.Millisecond),
		others[len(others)/2].Round(time.Millisecond), others[len(others)*95/100].Round(time.Millisecond), len(others))
	if still > time.Second {
		t.Errorf("%v without a new picture, want less than a second", still)
	}
	testbed.Await(t, "x264enc encodes", airLimit, encodes("x264enc", fakeencoder.Name+" failed: "))
	if found := p.alice.Doctor(binary, "--only", "media.encoder"); !strings.Contains(strings.Join(found, "\n"), "warn media.encoder: encoder: "+fakeencoder.Name+" failed") {
		t.Errorf("doctor found %q", found)
	}
}
