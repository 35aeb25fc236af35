// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestRealHotkeys: hotkeys that are set up while OBS is open are in it after its next start, and costream-obs keeps to what
// was done with them: hidden is hidden until the next stream, and muted is not heard.
func TestRealHotkeys(t *testing.T) {
	testbed.Need(t)
	p := newPair(t)
	said := p.alice.Costream(binary, "", "setup", "hotkeys", "--toggle", "F9", "--mute=Ctrl+Alt+M")
	if !strings.Contains(said, "costream-obs run does it when you close OBS") {
		t.Errorf("setup hotkeys beside an open OBS said:\n%s", said)
	}
	collection := filepath.Join(p.alice.OBS.Config, "obs-studio/basic/scenes/Untitled.json")
	awaitScript := func(there bool) {
		t.Helper()
		testbed.Await(t, fmt.Sprintf("the script in the scene collection: %v", there), readyLimit, func() error {
			text, err := os.ReadFile(collection)
			if err != nil || strings.Contains(string(text), "costream-obs.lua") != there {
				return errors.Join(err, errors.New("it is not so"))
			}
			return nil
		})
	}
	p.alice.OBS.Interrupt()
	awaitScript(true)
	mark := p.aliceC.Mark()
	p.alice.OBS.Start()
	p.aliceC.AwaitSince(mark, e2e.Ready, readyLimit)
	p.goOnAir(t)

	press := func(key, what string, done func() error) {
		t.Helper()
		release := p.alice.OBS.Display.Hold(key)
		testbed.Await(t, what, pictureLimit, done)
		release()
	}
	hidden := func() error {
		if err := p.alice.SeesPeer(p.bob); !errors.Is(err, e2e.ErrHidden) {
			return fmt.Errorf("got %v, want the peer hidden", err)
		}
		return nil
	}
	shown := func() error { return p.alice.SeesPeer(p.bob) }
	press("F9", "Alice hides Bob", hidden)
	mark = p.aliceC.Mark()
	p.bob.OBS.StopStream()
	p.aliceC.AwaitSince(mark, e2e.OnAir, airLimit)
	p.bob.OBS.StartStream()
	p.aliceC.Await(e2e.OnAirWithPeer, airLimit)
	testbed.Await(t, "Bob is back, and hidden", pictureLimit, hidden)
	press("F9", "Alice shows Bob", shown)
	press("F9", "Alice hides Bob again", hidden)

	mark = p.aliceC.Mark()
	p.alice.OBS.StopStream()
	p.aliceC.AwaitSince(mark, e2e.Ready, airLimit)
	p.alice.Channel.AwaitListening()
	p.alice.OBS.StartStream()
	p.aliceC.Await(e2e.OnAirWithPeer, airLimit)
	testbed.Await(t, "Alice sees Bob in her next stream", pictureLimit, shown)

	p.awaitVoices(t)
	press("ctrl+alt+m", "Alice does not hear a muted Bob", func() error {
		sound := p.alice.Pulse.Record(testbed.Headphones+".monitor", secondOfSound)
		if got := testbed.Bursts(sound, p.bob.Voice.Hz, 0.05); len(got) > 0 {
			return fmt.Errorf("%d bursts of Bob's voice", len(got))
		}
		return nil
	})
	release := p.alice.OBS.Display.Hold("ctrl+alt+m")
	testbed.Await(t, "Alice hears Bob again", voiceLimit, func() error { return p.alice.HearsOnly(p.bob, listen) })
	release()

	p.alice.OBS.StopStream()
	p.aliceC.Await(e2e.Ready, airLimit)
	p.alice.Costream(binary, "", "setup", "hotkeys", "--undo")
	p.alice.OBS.Interrupt()
	awaitScript(false)
}
