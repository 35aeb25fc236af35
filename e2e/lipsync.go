// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// flashRate is at how many places in a second a recording is looked at.
const flashRate = 100

// Flashes are when the first quarter of a picture within a recording of the person's channel changes between dark and
// bright.
func (p *Person) Flashes(file string, area image.Rectangle) []time.Duration {
	p.tb.Helper()
	spot := Quarters(area.Size())[0]
	spot = spot.Inset(min(spot.Dx(), spot.Dy()) / 4).Add(area.Min)
	filter := fmt.Sprintf("fps=%d:start_time=0,crop=%d:%d:%d:%d,scale=1:1:flags=area,format=gray",
		flashRate, spot.Dx(), spot.Dy(), spot.Min.X, spot.Min.Y)
	// A file that still grows ends in a broken packet, which is no fault.
	levels, err := exec.CommandContext(p.tb.Context(), "ffmpeg", "-nostdin", "-loglevel", "error", "-i", file,
		"-an", "-vf", filter, "-f", "rawvideo", "-").Output()
	if len(levels) == 0 {
		p.tb.Fatalf("picture of %s: %v", file, err)
	}
	const threshold = 128
	var found []time.Duration
	for i := 1; i < len(levels); i++ {
		if (levels[i] < threshold) != (levels[i-1] < threshold) {
			found = append(found, time.Duration(i)*time.Second/flashRate)
		}
	}
	return found
}

// Beeps are when the bursts of a tone begin in a recording of the person's channel.
func (p *Person) Beeps(file string, tone testbed.Tone) []time.Duration {
	p.tb.Helper()
	var found []time.Duration
	for _, b := range testbed.Bursts(p.Channel.Sound(file), tone.Hz, audible) {
		if n := len(found); n == 0 || b.At-found[n-1] > tone.On {
			found = append(found, b.At)
		}
	}
	return found
}

// stagger has the changes of LipSync come at all times between two pictures.
const stagger = 37 * time.Millisecond

// LipSync is by how much later the viewers of a person hear the peer than they see the peer: once for each of so many
// changes of the peer's first quarter between dark and bright. The peer's own viewers are the measure, so it does not matter
// when the peer's voice sounds, only that it does so periodically. Both must be on air.
func (p *Person) LipSync(peer *Person, changes int) []time.Duration {
	p.tb.Helper()
	area, err := p.PeerArea()
	if err != nil {
		p.tb.Fatalf("%s: %v", p.Name, err)
	}
	shades := []color.RGBA{{0x10, 0x10, 0x10, 0xff}, {0xf0, 0xf0, 0xf0, 0xff}}
	for i := range 2 + changes {
		peer.SetColour(0, shades[i%2])
		select {
		case <-time.After(peer.Voice.Period + stagger):
		case <-p.tb.Context().Done():
			p.tb.Fatalf("%v", p.tb.Context().Err())
		}
	}
	far := peer.apart(image.Rect(0, 0, peer.Width, peer.Height), peer.Voice, changes)
	near := p.apart(area, peer.Voice, changes)
	var out []time.Duration
	for i := range changes {
		out = append(out, wrap(near[i]-far[i], peer.Voice.Period))
	}
	return out
}

// apart is by how much later than each of the last changes of a picture the nearest beep begins, in what the person's
// viewers got.
func (p *Person) apart(area image.Rectangle, tone testbed.Tone, changes int) []time.Duration {
	p.tb.Helper()
	files := p.Channel.Recordings()
	var out []time.Duration
	testbed.Await(p.tb, fmt.Sprintf("%d changes in what %s's viewers get", changes, p.Name), 30*time.Second, func() (err error) {
		out, err = p.apartIn(files[len(files)-1], area, tone, changes)
		return err
	})
	return out
}

// apartIn is the same of one file.
func (p *Person) apartIn(file string, area image.Rectangle, tone testbed.Tone, changes int) ([]time.Duration, error) {
	p.tb.Helper()
	flashes, beeps := p.Flashes(file, area), p.Beeps(file, tone)
	if len(flashes) < changes || len(beeps) < changes || beeps[len(beeps)-1] < flashes[len(flashes)-1]-tone.Period {
		return nil, fmt.Errorf("got %d changes and %d beeps", len(flashes), len(beeps))
	}
	var out []time.Duration
	for _, f := range flashes[len(flashes)-changes:] {
		nearest := slices.MinFunc(beeps, func(a, b time.Duration) int { return int((a - f).Abs() - (b - f).Abs()) })
		out = append(out, nearest-f)
	}
	return out, nil
}

// RecordedLipSync is by how much later the voice is than the picture in what somebody recorded of the person, compared with what
// the person's own viewers got, for the last changes that LipSync made.
func (p *Person) RecordedLipSync(file string, changes int) []time.Duration {
	p.tb.Helper()
	// Where the voice pauses the time goes on, which Beeps does not know.
	steady := filepath.Join(p.tb.TempDir(), "steady.mkv")
	if out, err := exec.CommandContext(p.tb.Context(), "ffmpeg", "-nostdin", "-loglevel", "warning", "-xerror", "-i", file,
		"-c:v", "copy", "-af", "aresample=async=1:first_pts=0", "-c:a", "pcm_s16le", steady).CombinedOutput(); err != nil || len(out) > 0 {
		p.tb.Fatalf("read %s: %v\n%s", file, err, out)
	}
	frame := image.Rect(0, 0, p.Width, p.Height)
	recorded, err := p.apartIn(steady, frame, p.Voice, changes)
	if err != nil {
		p.tb.Fatalf("%s: %v", file, err)
	}
	own := p.apart(frame, p.Voice, changes)
	for i := range recorded {
		recorded[i] = wrap(recorded[i]-own[i], p.Voice.Period)
	}
	return recorded
}

// wrap is a time that is only known but for whole periods, as near to 0 as may be.
func wrap(d, period time.Duration) time.Duration {
	return d - time.Duration(math.Round(d.Seconds()/period.Seconds()))*period
}
