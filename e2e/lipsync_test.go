// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"slices"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestRealLipSync: Bob's viewers see and hear Alice together, as Alice's own do.
func TestRealLipSync(t *testing.T) {
	testbed.Need(t)
	// Small pictures, so that two OBS and what they send leave two cores some rest.
	small := func(o e2e.PersonOptions) e2e.PersonOptions {
		o.Width, o.Height, o.FPS = 320, 180, 30
		return o
	}
	p := newPairOf(t, small(e2e.Alice()), small(e2e.Bob()))
	p.goOnAir(t)
	p.awaitVoices(t)
	const changes, most = 20, 40 * time.Millisecond
	errors := p.bob.LipSync(p.alice, changes)
	slices.Sort(errors)
	median := errors[changes/2]
	t.Logf("voice after picture: median %v, from %v to %v", median, errors[0], errors[changes-1])
	if median.Abs() > most {
		t.Errorf("got the voice %v after the picture, want at most %v to either side", median, most)
	}
}
