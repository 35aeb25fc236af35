// SPDX-License-Identifier: Apache-2.0

package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/internal/pipe"
)

// voiceLine is a pipeline that says a tone, and where its packets come out.
func voiceLine(t testing.TB, hz int, props ...string) (*pipe.Pipeline, *pipe.Sink) {
	t.Helper()
	g := row(element("audiotestsrc", append(props, intProp("freq", hz), "volume=0.5", "samplesperbuffer=480")...),
		caps("audio/x-raw,rate=48000,channels=1"), element("opusenc", "audio-type=voice", "frame-size=10"),
		element("rtpopuspay", intProp("pt", payloadType)), packetSink())
	return tapped(t, g)
}

// voice returns the packets of a tone of so long, as fast as they can be made.
func voice(t *testing.T, hz int, d time.Duration) [][]byte {
	t.Helper()
	n := int(d / (10 * time.Millisecond))
	line, sink := voiceLine(t, hz, intProp("num-buffers", n))
	var packets [][]byte
	err := line.Run(t.Context(), func(ctx context.Context) {
		sink.Pull(ctx, func(packet []byte) { packets = append(packets, bytes.Clone(packet)) })
	})
	if !errors.Is(err, pipe.ErrEnded) || len(packets) < n {
		t.Fatalf("got %d packets (%v), want %d", len(packets), err, n)
	}
	return packets
}

// speak pushes packets at a pace that is by a part faster than ours, without
// those that are lost.
func speak(t *testing.T, packets [][]byte, fast float64, lost func(i int) bool, push func([]byte)) {
	t.Helper()
	start(t, func(ctx context.Context) error {
		began := time.Now()
		for i, p := range packets {
			due := time.Duration(float64(i) * float64(10*time.Millisecond) / (1 + fast))
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(time.Until(began.Add(due))):
			}
			if !lost(i) {
				push(p)
			}
		}
		return nil
	})
}

// missingTone is the share of sound that lacks a tone.
func missingTone(samples []float64, hz float64) float64 {
	const window = testbed.SampleRate / 50
	n := 0
	for i := 0; i+window <= len(samples); i += window {
		if testbed.ToneLevel(samples[i:i+window], hz) < 0.35 {
			n++
		}
	}
	return float64(n) / float64(len(samples)/window)
}

func never(int) bool { return false }

// A peer whose sound card is 2 % faster or slower than ours drifts in 45 s by as
// much as one of 200 ppm in 75 min. TestPlayoutFollowsDrift has the hours.
func TestRealDrift(t *testing.T) {
	testbed.Need(t)
	p := newPulse(t)
	for sink, fast := range map[string]float64{testbed.Headphones: 0.02, testbed.MicrophoneSink: -0.02} {
		t.Run(fmt.Sprintf("%+.0f %%", 100*fast), func(t *testing.T) {
			t.Parallel()
			const learn, watch = 15 * time.Second, 30 * time.Second
			r := startAudioReceiver(t, AudioReceiverOptions{Sinks: []string{sink}})
			speak(t, voice(t, 1000, learn+watch+30*time.Second), fast, never, r.Push)
			p.Record(sink+".monitor", learn)
			breaks := r.Breaks()
			missing := missingTone(p.Record(sink+".monitor", watch), 1000)
			more := r.Breaks() - breaks
			t.Logf("%d breaks in the first %v, %d in the next %v; latency %v; %.1f %% missing", breaks, learn, more, watch, r.Latency(), 100*missing)
			// Uncorrected there are a dozen and more. A busy machine makes some of its own.
			if more > 4 || missing > 0.05 {
				t.Errorf("got %d breaks and %.1f %% missing, want at most 4 and 5 %%", more, 100*missing)
			}
		})
	}
}

// A sound server that stands still for a while leaves neither silence nor delay.
func TestRealSoundServerStalls(t *testing.T) {
	testbed.Need(t)
	testbed.NeedPulseAudio(t) // PipeWire is three processes, of which the testbed knows the parent
	p := newPulse(t)
	r := startAudioReceiver(t, AudioReceiverOptions{})
	speak(t, voice(t, 1000, 60*time.Second), 0, never, r.Push)
	awaitTone(t, p, testbed.Headphones+".monitor", 1000, 0.4, 0.6)
	for _, stall := range []time.Duration{100 * time.Millisecond, 1500 * time.Millisecond} {
		before := r.Latency()
		if err := syscall.Kill(p.PID(), syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		time.Sleep(stall)
		if err := syscall.Kill(p.PID(), syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		testbed.Await(t, "the sound as it was", 20*time.Second, func() error {
			missing := missingTone(p.Record(testbed.Headphones+".monitor", time.Second), 1000)
			if more := r.Latency() - before; missing > 0 || more > 50*time.Millisecond {
				return fmt.Errorf("after %v: %.0f %% missing, %v more latency", stall, 100*missing, more)
			}
			return nil
		})
		t.Logf("after %v: latency %v, was %v; %d breaks", stall, r.Latency(), before, r.Breaks())
	}
}

// What is lost on the way is covered up.
func TestRealVoiceWithLoss(t *testing.T) {
	testbed.Need(t)
	p := newPulse(t)
	r := startAudioReceiver(t, AudioReceiverOptions{})
	// 5 %, and now and then two in a row.
	lost := func(i int) bool { return i%20 == 0 || i%200 == 1 }
	speak(t, voice(t, 1000, 30*time.Second), 0, lost, r.Push)
	awaitTone(t, p, testbed.Headphones+".monitor", 1000, 0.4, 0.6)
	const most = 0.02
	testbed.Await(t, "sound without holes", 20*time.Second, func() error {
		if got := missingTone(p.Record(testbed.Headphones+".monitor", 3*time.Second), 1000); got > most {
			return fmt.Errorf("%.1f %% are missing", 100*got)
		}
		return nil
	})
}
