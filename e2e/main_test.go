// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// binary is the costream-obs that all tests here run: the one of -costream, else one that TestMain has built.
var binary string

var costream = flag.String("costream", "", "`path` of the costream-obs to test, in place of one that is built")

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if testing.Short() {
		return m.Run()
	}
	if *costream != "" {
		binary = *costream
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "costream-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "costream-obs")
	if out, err := exec.Command("go", "build", "-o", binary, "../cmd/costream-obs").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build costream-obs: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

const (
	// readyLimit holds for a companion that starts beside a running OBS.
	readyLimit = 30 * time.Second
	// airLimit holds from OBS's start of the stream to the peer's picture.
	airLimit = 30 * time.Second
	// pictureLimit holds for a picture once the companion has reported it.
	pictureLimit = 10 * time.Second
	// listen is how long each voice is listened to: four bursts of it.
	listen = 4 * time.Second
	// voiceLimit leaves room for several tries.
	voiceLimit = 40 * time.Second
	// offAirLimit is what a user is promised.
	offAirLimit = 2 * time.Second
)

// pair is Alice and Bob with a costream-obs each.
type pair struct {
	alice, bob   *e2e.Person
	aliceC, bobC *e2e.Companion
	flags        []string // of both companions
}

// newPair starts two OBS, and a ready companion beside each, who are paired and use the secure link.
func newPair(t *testing.T) *pair {
	t.Helper()
	return newPairOf(t, e2e.Alice(), e2e.Bob())
}

// newPairOf does the same for others than Alice and Bob as they mostly are.
func newPairOf(t *testing.T, alice, bob e2e.PersonOptions) *pair {
	t.Helper()
	p := newFriends(t, alice, bob)
	p.alice.PairWith(binary, p.bob)
	p.ready(t)
	return p
}

// withCanvas gives a person another canvas.
func withCanvas(o e2e.PersonOptions, width, height int) e2e.PersonOptions {
	o.Width, o.Height = width, height
	return o
}

// newPlainPair does the same for the plain link.
func newPlainPair(t *testing.T) *pair {
	t.Helper()
	p := newFriends(t, e2e.Alice(), e2e.Bob())
	p.ready(t)
	return p
}

func newFriends(t *testing.T, alice, bob e2e.PersonOptions) *pair {
	t.Helper()
	display := testbed.NewDisplay(t)
	return &pair{alice: e2e.NewPerson(t, alice, display), bob: e2e.NewPerson(t, bob, display)}
}

// ready starts the companions.
func (p *pair) ready(t *testing.T) {
	t.Helper()
	p.runAlice(t)
	p.runBob(t)
	p.aliceC.Await(e2e.Ready, readyLimit)
	p.bobC.Await(e2e.Ready, readyLimit)
}

func (p *pair) runAlice(t *testing.T) {
	t.Helper()
	p.aliceC = p.alice.Run(binary, p.bob, p.flags...)
}

func (p *pair) runBob(t *testing.T) {
	t.Helper()
	p.bobC = p.bob.Run(binary, p.alice, p.flags...)
}

// goOnAir starts both streams and returns when each sees the other.
func (p *pair) goOnAir(t *testing.T) {
	t.Helper()
	p.alice.OBS.StartStream()
	p.bob.OBS.StartStream()
	p.aliceC.Await(e2e.OnAirWithPeer, airLimit)
	p.bobC.Await(e2e.OnAirWithPeer, airLimit)
	p.awaitPictures(t)
}

func (p *pair) awaitPictures(t *testing.T) {
	t.Helper()
	testbed.Await(t, "Bob sees Alice", pictureLimit, func() error { return p.bob.SeesPeer(p.alice) })
	testbed.Await(t, "Alice sees Bob", pictureLimit, func() error { return p.alice.SeesPeer(p.bob) })
}

// awaitVoices returns when each hears the other; both listen at once. A recovery
// may catch the first seconds in the middle of a burst, and a busy machine loses
// some, so each listens more than once.
func (p *pair) awaitVoices(t *testing.T) {
	t.Helper()
	heard := t.Run("voices", func(t *testing.T) {
		for _, who := range []struct{ ear, mouth *e2e.Person }{{p.bob, p.alice}, {p.alice, p.bob}} {
			t.Run(who.ear.Name, func(t *testing.T) {
				t.Parallel()
				testbed.Await(t, "hears "+who.mouth.Name+" once", voiceLimit, func() error { return who.ear.HearsOnly(who.mouth, listen) })
			})
		}
	})
	if !heard {
		t.FailNow()
	}
}
