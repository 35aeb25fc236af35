// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"encoding/json"
	"fmt"
	"image/color"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestRealCoStream: picture and voice go both ways, each once, started by
// nothing but OBS's own "Start streaming". The canvases are larger here than in the other tests.
func TestRealCoStream(t *testing.T) {
	testbed.Need(t)
	coStream(t, newPairOf(t, withCanvas(e2e.Alice(), 640, 360), withCanvas(e2e.Bob(), 960, 540)))
}

// TestRealCoStreamPlain: so they do without a pair, as in 2020.
func TestRealCoStreamPlain(t *testing.T) {
	testbed.Need(t)
	coStream(t, newPlainPair(t))
}

// TestRealCoStreamPipeWire: so they do where the sound server is PipeWire, as on most desktops of today.
func TestRealCoStreamPipeWire(t *testing.T) {
	testbed.Need(t)
	alice, bob := e2e.Alice(), e2e.Bob()
	alice.PipeWire, bob.PipeWire = true, true
	coStream(t, newPairOf(t, alice, bob))
}

func coStream(t *testing.T, p *pair) {
	t.Helper()
	began := time.Now()
	p.goOnAir(t)
	t.Logf("from both streams' start to both pictures: %v", time.Since(began).Round(time.Millisecond))

	began = time.Now()
	p.alice.SetColour(0, color.RGBA{0x20, 0x20, 0x20, 0xff})
	testbed.Await(t, "a change of Alice's colour reaches Bob", pictureLimit, func() error { return p.bob.SeesPeer(p.alice) })
	t.Logf("from Alice's change to Bob's picture: %v at most", time.Since(began).Round(time.Millisecond))

	awaitFigures(t, p)

	// An own voice in the headphones would be what the peer sends back.
	p.awaitVoices(t)
	const carries = 5 * time.Second
	testbed.Await(t, "Bob's viewers hear both, each once", 20*time.Second, func() error { return p.bob.ChannelCarries(p.alice, carries) })
	testbed.Await(t, "Alice's viewers hear both, each once", 20*time.Second, func() error { return p.alice.ChannelCarries(p.bob, carries) })
}

// awaitFigures awaits what each side measures: all of it, and nothing that cannot be.
func awaitFigures(t *testing.T, p *pair) {
	t.Helper()
	for _, person := range []*e2e.Companion{p.aliceC, p.bobC} {
		testbed.Await(t, "the figures", 20*time.Second, func() error {
			f := person.Figures()
			if f == nil || f.RoundTrip == nil || f.Picture == nil || f.Voice == nil || f.PictureAfterVoice == nil || f.Encoder == nil ||
				f.Dropped.OBS == nil || f.Dropped.Us == nil || f.In.Loss == nil || f.Out.Loss == nil {
				text, _ := json.Marshal(f)
				return fmt.Errorf("some are missing: %s", text)
			}
			text, err := json.Marshal(f)
			if err != nil {
				return err
			}
			for _, d := range []*call.Delay{f.Picture, f.Voice} {
				if total := d.Total.Duration(); total < 20*time.Millisecond || total > time.Second {
					return fmt.Errorf("a delay of %v: %s", total, text)
				}
			}
			if f.Encoder.PerFrame <= 0 || f.Out.Kbps <= 0 || f.In.Kbps <= 0 || f.PictureAfterVoice.Duration().Abs() > 200*time.Millisecond {
				return fmt.Errorf("strange figures: %s", text)
			}
			t.Logf("figures: %s", text)
			return nil
		})
	}
}
