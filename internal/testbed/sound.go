// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"time"
)

// SampleRate of everything played and recorded here, in Hz; one channel.
const SampleRate = 48000

// pcmArgs makes pacat speak our samples.
func pcmArgs(channels int) []string {
	return []string{"--raw", "--format=s16le", fmt.Sprintf("--rate=%d", SampleRate), fmt.Sprintf("--channels=%d", channels), "--latency-msec=20"}
}

// Tone is a sine wave, in bursts or without a pause.
type Tone struct {
	Hz     float64
	Volume float64 // amplitude of 0 to 1; 0.5 when 0
	// On of each Period sounds, with soft edges. Both 0: no pause.
	On, Period time.Duration
}

// edge is the length of a burst's rise and fall: short enough for a sharp
// count, long enough not to click into other frequencies.
const edge = 5 * time.Millisecond

// at is the tone's sample number n.
func (t Tone) at(n int64) float64 {
	volume := t.Volume
	if volume == 0 {
		volume = 0.5
	}
	seconds := float64(n) / SampleRate
	if t.Period > 0 {
		phase := math.Mod(seconds, t.Period.Seconds())
		rest := t.On.Seconds() - phase
		volume *= min(1, max(0, min(phase, rest)/edge.Seconds()))
	}
	return volume * math.Sin(2*math.Pi*t.Hz*seconds)
}

// Samples are what a recording of the tone should be.
func (t Tone) Samples(d time.Duration) []float64 {
	out := make([]float64, int(d.Seconds()*SampleRate))
	for i := range out {
		out[i] = t.at(int64(i))
	}
	return out
}

// PlayTone plays a tone into a sink until the returned function is called or
// the test ends. It starts again when the server was restarted.
func (p *Pulse) PlayTone(sink string, tone Tone) (stop func()) {
	p.tb.Helper()
	return p.keepPlaying(sink, tone)
}

// keepPlaying plays a tone in each channel.
func (p *Pulse) keepPlaying(sink string, channels ...Tone) (stop func()) {
	p.tb.Helper()
	ctx, cancel := context.WithCancel(p.tb.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if err := p.play(ctx, sink, channels); err != nil && ctx.Err() == nil {
				p.tb.Logf("play %v into %s: %v", channels, sink, err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	p.tb.Cleanup(stop)
	return stop
}

// play returns when pacat ends.
func (p *Pulse) play(ctx context.Context, sink string, channels []Tone) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer w.Close()
	player, err := start(Command{
		Path:  "pacat",
		Args:  append([]string{"--playback", "--device=" + sink, "--client-name=testbed", "--stream-name=tone"}, pcmArgs(len(channels))...),
		Env:   append(baseEnv(), p.Env()...),
		Stdin: r, Measures: true,
	})
	_ = r.Close()
	if err != nil {
		return err
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		const chunk = SampleRate / 100
		var buf []byte
		for n := int64(0); ; n += chunk {
			buf = appendSamples(buf[:0], n, chunk, channels)
			if _, err := w.Write(buf); err != nil {
				return
			}
		}
	}()
	select {
	case <-ctx.Done():
	case <-player.Done():
	}
	player.Kill() // which ends the writing, too
	<-written
	return nil
}

// appendSamples appends frames of the channels from frame number n on.
func appendSamples(pcm []byte, n, frames int64, channels []Tone) []byte {
	for i := range frames {
		for _, tone := range channels {
			pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(tone.at(n+i)*math.MaxInt16)))
		}
	}
	return pcm
}

// Record is TryRecord, and fails where that does.
func (p *Pulse) Record(source string, d time.Duration) []float64 {
	p.tb.Helper()
	sound, err := p.TryRecord(source, d)
	if err != nil {
		p.tb.Fatalf("%v", err)
	}
	return sound
}

// TryRecord records a source, or a sink's monitor, for a while. Samples are
// between -1 and 1.
func (p *Pulse) TryRecord(source string, d time.Duration) ([]float64, error) {
	return p.record(source, d, 1)
}

// record returns interleaved samples.
func (p *Pulse) record(source string, d time.Duration, channels int) ([]float64, error) {
	want := 2 * channels * int(d.Seconds()*SampleRate)
	sound := &limited{want: want, full: make(chan struct{})}
	recorder, err := start(Command{
		Path:   "pacat",
		Args:   append([]string{"--record", "--device=" + source, "--client-name=testbed", "--stream-name=recorder"}, pcmArgs(channels)...),
		Env:    append(baseEnv(), p.Env()...),
		Stdout: sound, Measures: true,
	})
	if err != nil {
		return nil, err
	}
	defer recorder.Kill()
	select {
	case <-sound.full:
	case <-recorder.Done():
		return nil, fmt.Errorf("recording of %s ended early: %s", source, recorder.log.last(5))
	case <-time.After(d + 20*time.Second):
		return nil, fmt.Errorf("recording of %s: no sound for 20 s: %s", source, recorder.log.last(5))
	case <-p.tb.Context().Done():
		return nil, fmt.Errorf("recording of %s: %w", source, p.tb.Context().Err())
	}
	recorder.Kill()
	return samples(sound.buf.Bytes()[:want]), nil
}

// limited takes bytes until it has as many as wanted.
type limited struct {
	buf  bytes.Buffer
	want int
	full chan struct{}
}

func (l *limited) Write(b []byte) (int, error) {
	if l.buf.Len() < l.want {
		l.buf.Write(b)
		if l.buf.Len() >= l.want {
			close(l.full)
		}
	}
	return len(b), nil
}

func samples(pcm []byte) []float64 {
	out := make([]float64, len(pcm)/2)
	for i := range out {
		out[i] = float64(int16(binary.LittleEndian.Uint16(pcm[2*i:]))) / math.MaxInt16
	}
	return out
}

// ToneLevel is the amplitude, 0 to 1, with which a frequency is in the
// samples: Goertzel's algorithm under a Hann window.
func ToneLevel(samples []float64, hz float64) float64 {
	n := float64(len(samples))
	if n == 0 {
		return 0
	}
	step := 2 * math.Pi * hz / SampleRate
	var re, im, sum float64
	for i, s := range samples {
		w := 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/n)
		re += w * s * math.Cos(step*float64(i))
		im += w * s * math.Sin(step*float64(i))
		sum += w
	}
	return 2 * math.Hypot(re, im) / sum
}

// Burst is a stretch of sound of one frequency.
type Burst struct {
	At, Length time.Duration
	Level      float64 // largest amplitude
}

// Bursts finds where a frequency sounds at threshold or louder. Gaps under
// 15 ms do not end a burst.
func Bursts(samples []float64, hz, threshold float64) []Burst {
	const (
		window = SampleRate * 20 / 1000
		hop    = SampleRate * 5 / 1000
		gap    = 15 * time.Millisecond
	)
	duration := func(n int) time.Duration { return time.Duration(n) * time.Second / SampleRate }
	var found []Burst
	for at := 0; at+window <= len(samples); at += hop {
		level := ToneLevel(samples[at:at+window], hz)
		if level < threshold {
			continue
		}
		// The middle of the window stands for it.
		now := duration(at + window/2)
		if n := len(found); n > 0 && now-(found[n-1].At+found[n-1].Length) <= gap {
			last := &found[n-1]
			last.Length, last.Level = now+duration(hop)-last.At, max(last.Level, level)
			continue
		}
		found = append(found, Burst{At: now, Length: duration(hop), Level: level})
	}
	return found
}

// CheckBursts returns an error unless the samples hold the tone's bursts once
// each: a period apart, never longer than they were played, with nothing
// between. An echo shows as additional or longer bursts. A machine that is too
// busy may lose a part of a burst, but not most of it. Level is the least
// amplitude that counts as sound; bursts cut by either end of the samples are
// left out.
func CheckBursts(samples []float64, tone Tone, level float64) error {
	const slack = 50 * time.Millisecond
	total := time.Duration(len(samples)) * time.Second / SampleRate
	var whole []Burst
	for _, b := range joined(Bursts(samples, tone.Hz, level), tone.On) {
		if b.At > tone.On && b.At+b.Length < total-tone.On {
			whole = append(whole, b)
		}
	}
	if want := int((total - 2*tone.On) / tone.Period); len(whole) < want-1 || len(whole) == 0 {
		return fmt.Errorf("%.0f Hz: got %d bursts in %v, want %d: %v", tone.Hz, len(whole), total, want, describe(whole))
	}
	for i, b := range whole {
		if b.Length < tone.On/2 || b.Length > tone.On+slack {
			return fmt.Errorf("%.0f Hz: a burst lasts %v, want %v and at most %v more: %v", tone.Hz, b.Length, tone.On, slack, describe(whole))
		}
		if i == 0 {
			continue
		}
		if apart := b.At - whole[i-1].At; (apart - tone.Period).Abs() > 4*slack {
			return fmt.Errorf("%.0f Hz: bursts %v apart, want %v within %v: %v", tone.Hz, apart, tone.Period, 4*slack, describe(whole))
		}
	}
	return nil
}

// joined makes one burst of pieces that begin within on of its start.
func joined(pieces []Burst, on time.Duration) []Burst {
	var out []Burst
	for _, p := range pieces {
		if n := len(out); n > 0 && p.At < out[n-1].At+on {
			last := &out[n-1]
			last.Length = p.At + p.Length - last.At
			last.Level = max(last.Level, p.Level)
			continue
		}
		out = append(out, p)
	}
	return out
}

func describe(bursts []Burst) string {
	var parts []string
	for _, b := range bursts {
		parts = append(parts, fmt.Sprintf("%v+%v at level %.2f", b.At.Round(time.Millisecond), b.Length, b.Level))
	}
	return strings.Join(parts, ", ")
}
