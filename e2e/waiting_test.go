// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/relay"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

const (
	// reasonLimit is how long a user waits on air until it is said why there is no peer.
	reasonLimit = 10 * time.Second
	// awayLimit also leaves room for going on air.
	awayLimit = airLimit + reasonLimit
	// friendProblem is what a problem with the peer begins with.
	friendProblem = "your friend: "
	// smallMTU is too small for media packets, and large enough for everything else.
	smallMTU = 1100
)

// TestRealWhyThePeerIsAway: a friend who does not run costream-obs is a problem that is reported, and that is gone once the
// friend comes.
func TestRealWhyThePeerIsAway(t *testing.T) {
	testbed.Need(t)
	p := newFriends(t, e2e.Alice(), e2e.Bob())
	p.alice.PairWith(binary, p.bob)
	p.runBob(t)
	p.bobC.Await(e2e.Ready, readyLimit)
	p.bob.OBS.StartStream()
	onAir := p.bobC.Await(e2e.OnAir, airLimit)
	want := fmt.Sprintf("%sNo costream-obs of your friend's answers at %s:5000. Does `costream-obs run`", friendProblem, p.alice.Address)
	report := p.bobC.AwaitProblem(e2e.OnAir, want, awayLimit)
	if took := report.Time.Sub(onAir.Time); took > reasonLimit {
		t.Errorf("the reason was reported after %v, want at most %v", took, reasonLimit)
	} else {
		t.Logf("the reason was reported after %v", took.Round(time.Millisecond))
	}
	p.runAlice(t)
	p.aliceC.Await(e2e.Ready, readyLimit)
	p.alice.OBS.StartStream()
	p.awaitNoReason(t)
}

// TestRealPathTooNarrow: so is a path on which the packets of a picture get lost.
func TestRealPathTooNarrow(t *testing.T) {
	testbed.Need(t)
	p := newFriends(t, e2e.Alice(), e2e.Bob())
	forAlice, forBob := testbed.LoopbackAddress(t), testbed.LoopbackAddress(t)
	narrow := relay.Path{MTU: smallMTU}
	network, err := relay.New(relay.Options{
		A: netip.MustParseAddr(p.alice.Address), B: netip.MustParseAddr(p.bob.Address),
		ForA: netip.MustParseAddr(forAlice), ForB: netip.MustParseAddr(forBob),
		Ports: []int{5000}, Paths: [2]relay.Path{narrow, narrow},
	})
	if err != nil {
		t.Fatal(err)
	}
	testbed.Run(t, "the network", network.Run)
	for _, person := range []*e2e.Person{p.alice, p.bob} {
		addDetail(t, person)
	}
	p.alice.PairAt(binary, forBob, p.bob)
	p.ready(t)
	p.alice.OBS.StartStream()
	p.bob.OBS.StartStream()
	for _, c := range []*e2e.Companion{p.aliceC, p.bobC} {
		c.AwaitProblem(e2e.OnAir, "and back, but packets of 1280 bytes do not. Find the VPN whose MTU is too small", awayLimit)
	}
	network.SetPath(relay.AToB, relay.Path{})
	network.SetPath(relay.BToA, relay.Path{})
	p.awaitNoReason(t)
}

// addDetail covers the last quarter of a person's programme with noise, so that a key frame needs several packets.
func addDetail(t *testing.T, p *e2e.Person) {
	t.Helper()
	quarter := e2e.Quarters(image.Pt(p.Width, p.Height))[3]
	noise, random := image.NewGray(image.Rectangle{Max: quarter.Size()}), rand.New(rand.NewPCG(1, 1))
	for i := range noise.Pix {
		noise.Pix[i] = byte(random.Uint32())
	}
	file := filepath.Join(t.TempDir(), "noise.png")
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, noise); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, encoded.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var created struct{ SceneItemID int }
	p.OBS.Request("CreateInput", testbed.D{"sceneName": testbed.Scene, "inputName": "noise", "inputKind": "image_source",
		"inputSettings": testbed.D{"file": file}}, &created)
	p.OBS.Request("SetSceneItemTransform", testbed.D{"sceneName": testbed.Scene, "sceneItemId": created.SceneItemID,
		"sceneItemTransform": testbed.D{"positionX": quarter.Min.X, "positionY": quarter.Min.Y}}, nil)
}

// awaitNoReason returns when both are on air with each other, and nothing is wrong with either's friend.
func (p *pair) awaitNoReason(t *testing.T) {
	t.Helper()
	for _, c := range []*e2e.Companion{p.aliceC, p.bobC} {
		r := c.Await(e2e.OnAirWithPeer, airLimit)
		if strings.Contains(strings.Join(r.Problems, "\n"), friendProblem) {
			t.Errorf("on air with the peer, and yet: %q", r.Problems)
		}
	}
	p.awaitPictures(t)
}
