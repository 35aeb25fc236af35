// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// audible is the least amplitude that counts as sound: a fifth of what is
// spoken, so that a faint echo counts, too.
const audible = 0.1

// HearsOnly returns nil when the person hears the peer's voice once and never
// an own one, listening for a while.
func (p *Person) HearsOnly(peer *Person, d time.Duration) error {
	sound, err := p.Pulse.TryRecord(testbed.Headphones+".monitor", d)
	if err != nil {
		return fmt.Errorf("%s's headphones: %w", p.Name, err)
	}
	if err := testbed.CheckBursts(sound, peer.Voice, audible); err != nil {
		return fmt.Errorf("%s's headphones: %w", p.Name, err)
	}
	if own := testbed.Bursts(sound, p.Voice.Hz, audible/2); len(own) > 0 {
		return fmt.Errorf("%s's headphones: got %d bursts of %s's own voice, want none", p.Name, len(own), p.Name)
	}
	return nil
}

// ChannelCarries returns nil when the last seconds of what the person's
// viewers get hold both voices, each once.
func (p *Person) ChannelCarries(peer *Person, d time.Duration) error {
	p.tb.Helper()
	files := p.Channel.Recordings()
	if len(files) == 0 {
		return fmt.Errorf("%s's channel: nothing was streamed", p.Name)
	}
	sound := p.Channel.Sound(files[len(files)-1])
	want := int(d.Seconds() * testbed.SampleRate)
	if len(sound) < want {
		return fmt.Errorf("%s's channel: got %.1f s of sound, want %v", p.Name, float64(len(sound))/testbed.SampleRate, d)
	}
	sound = sound[len(sound)-want:]
	return errors.Join(
		channelError(p, testbed.CheckBursts(sound, p.Voice, audible)),
		channelError(p, testbed.CheckBursts(sound, peer.Voice, audible)),
	)
}

func channelError(p *Person, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s's channel: %w", p.Name, err)
}

// OnItsWay is longer than a sound takes from one person's microphone to the other's ears, on a busy machine too.
const OnItsWay = time.Second

// HearsNot listens for a while and returns an error when a tone begins in it later than what was on its way before.
func (p *Person) HearsNot(hz float64, d time.Duration) error {
	for _, b := range testbed.Bursts(p.Pulse.Record(testbed.Headphones+".monitor", OnItsWay+d), hz, 0.05) {
		if b.At > OnItsWay {
			return fmt.Errorf("%s hears %.0f Hz after %v, for %v", p.Name, hz, b.At, b.Length)
		}
	}
	return nil
}
