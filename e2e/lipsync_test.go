// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestRealLipSync: viewers see and hear the peer together, as the peer's own do. That is promised where OBS draws in time: one
// that does not shows pictures late, and what it mixed late once stays late for good (libobs, discard_audio). Voices beside
// their pictures count in any case; voices away from them count as soon as both OBS drew in time.
func TestRealLipSync(t *testing.T) {
	testbed.Need(t)
	const tries = 3
	for range tries {
		inTime := true
		t.Run("pair", func(t *testing.T) { inTime = lipSync(t) })
		if inTime || t.Failed() {
			return
		}
	}
	t.Errorf("got voices away from their pictures from OBS that drew late in each of %d tries: the machine is too slow or too busy", tries)
}

// mostLate is the share of its pictures that an OBS may draw late and still be held to the promise. On two processors it was
// 0.0 to 2.1 % beside one busy loop, and 4.6 to 4.9 % beside four.
const mostLate = 0.01

// lipSync reports false where nothing can be said, since an OBS drew late.
func lipSync(t *testing.T) bool {
	// Small pictures, so that two OBS and what they send leave two cores some rest. They draw at different rates: at the
	// same one an OBS shows every change as late, by up to a picture, as its beat happens to be from the other's.
	p := newFriends(t, withCanvas(e2e.Alice(), 320, 180), withCanvas(e2e.Bob(), 320, 180))
	p.alice.PairWith(binary, p.bob)
	p.flags = []string{"--record-peer=" + filepath.Join(t.TempDir(), "recordings")}
	p.ready(t)
	p.goOnAir(t)
	p.awaitVoices(t)
	aliceLate, bobLate := lateSince(p.alice), lateSince(p.bob)
	// A voice that is 45 ms early is noticed, one that is 90 ms early is not accepted (ITU-R BT.1359). One way alone is held
	// to the latter, for OBS's sake: where a stream starts, OBS puts its first sound and its first picture to the same time,
	// though they are not (libobs, initialize_interleaved_packets). By as much as the one way is late for that the other is
	// early.
	const changes, most, mostOneWay = 10, 40 * time.Millisecond, 90 * time.Millisecond
	var wrong []string
	var both time.Duration
	for _, way := range []struct{ viewed, peer *e2e.Person }{{p.bob, p.alice}, {p.alice, p.bob}} {
		errors := way.viewed.LipSync(way.peer, changes)
		slices.Sort(errors)
		median := (errors[changes/2-1] + errors[changes/2]) / 2
		t.Logf("%s's voice after the picture: median %v, from %v to %v", way.peer.Name, median, errors[0], errors[changes-1])
		if median.Abs() > mostOneWay {
			wrong = append(wrong, fmt.Sprintf("got %s's voice %v after the picture, want at most %v to either side", way.peer.Name, median, mostOneWay))
		}
		both += median / 2
	}
	if both.Abs() > most {
		wrong = append(wrong, fmt.Sprintf("got voices %v after pictures, as the mean of both ways, want at most %v to either side", both, most))
	}
	share := max(aliceLate(), bobLate())
	wrong = append(wrong, recorded(t, p, changes, mostOneWay)...)
	t.Logf("drawn late: %.1f %% of the pictures", 100*share)
	if len(wrong) > 0 && share > mostLate {
		t.Logf("not counted, since OBS drew late: %s", strings.Join(wrong, "; "))
		return false
	}
	for _, w := range wrong {
		t.Error(w)
	}
	return true
}

// recorded plays what both recorded of each other, and says where the voice is not beside the picture as the peer's own viewers
// have it. One costream-obs is killed, the other ends its time on air.
func recorded(t *testing.T, p *pair, changes int, most time.Duration) (wrong []string) {
	t.Helper()
	files := map[*e2e.Person]string{p.alice: p.bobC.Last().Recording, p.bob: p.aliceC.Last().Recording}
	p.bobC.Kill()
	p.alice.OBS.StopStream()
	p.aliceC.Await(e2e.Ready, readyLimit)
	for peer, file := range files {
		errors := peer.RecordedLipSync(file, changes)
		slices.Sort(errors)
		median := (errors[changes/2-1] + errors[changes/2]) / 2
		t.Logf("%s's voice after the picture in the recording: median %v, from %v to %v", peer.Name, median, errors[0], errors[changes-1])
		if median.Abs() > most {
			wrong = append(wrong, fmt.Sprintf("got %s's voice %v after the picture in the recording, want at most %v to either side", peer.Name, median, most))
		}
	}
	return wrong
}

// lateSince begins to count, and returns what says how large a share of its pictures a person's OBS drew late since.
func lateSince(p *e2e.Person) func() float64 {
	lateBefore, before := p.OBS.DrawnLate()
	return func() float64 {
		late, all := p.OBS.DrawnLate()
		return float64(late-lateBefore) / float64(max(all-before, 1))
	}
}
