// SPDX-License-Identifier: Apache-2.0

package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"testing"
	"time"
)

// converted is what comes out of a pipeline for 10 ms pieces, as many as went in.
func converted(t *testing.T, in [][]byte, inCaps string, way ...node) (out [][]byte) {
	t.Helper()
	const nameIn = "in"
	source := element("appsrc", prop("name", nameIn), "is-live=true", "format=time", "max-bytes=0", prop("caps", inCaps))
	line, sink := tapped(t, row(append(append([]node{source}, way...), packetSink())...))
	feed, err := line.Source(nameIn)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	err = line.Run(ctx, func(ctx context.Context) {
		for i, b := range in {
			if err := feed.PushTimed(len(b), time.Duration(i)*10*time.Millisecond, func(to []byte) { copy(to, b) }); err != nil {
				t.Error(err)
			}
		}
		sink.Pull(ctx, func(b []byte) {
			if out = append(out, bytes.Clone(b)); len(out) == len(in) {
				cancel()
			}
		})
	})
	if err != nil || len(out) < len(in) {
		t.Fatalf("got %d pieces (%v), want %d", len(out), err, len(in))
	}
	return out
}

// TestMuteAtOnce: the first packet after a mute has no sound, although the encoder still brings some. In the ear the sound
// fades out without a click within this packet, and is as it always was after the mute; the stream has no gap.
func TestMuteAtOnce(t *testing.T) {
	const (
		mute, unmute, all = 50, 80, 120 // packets
		late              = 3           // packets later the source brings silence
		mono              = "audio/x-raw,format=S16LE,rate=48000,channels=1,layout=interleaved"
		rtp               = "application/x-rtp,media=(string)audio,clock-rate=(int)48000,encoding-name=(string)OPUS,payload=(int)96"
	)
	tone := func(x float64) float64 { return math.Sin(440 * x) }
	voice := func(x float64) (v float64) {
		for h := 1.0; h < 20; h++ {
			v += math.Sin(140*h*x) / h / 2
		}
		return v
	}
	for _, tt := range []struct {
		name    string
		bitrate int // the lower one has another mode of Opus
		sound   func(x float64) float64
	}{
		{"tone", defaultBitrateBps, tone},
		{"voice", defaultBitrateBps, voice},
		{"voice at a low bitrate", 24000, voice},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var pcm [][]byte
			for i := range all {
				var piece []byte
				for k := range packetFrames {
					v := 12000 * tt.sound(2*math.Pi*float64(i*packetFrames+k)/soundRate)
					if i >= mute+late && i < unmute {
						v = 0
					}
					piece = binary.LittleEndian.AppendUint16(piece, uint16(int16(v)))
				}
				pcm = append(pcm, piece)
			}
			encoded := converted(t, pcm, mono, opusEncoder(tt.bitrate), element("rtpopuspay", intProp("pt", payloadType)))
			var sent [][]byte
			s := &AudioSender{out: func(p []byte) { sent = append(sent, bytes.Clone(p)) }}
			for i, p := range encoded {
				s.muted = i >= mute && i < unmute
				s.deliver(p)
			}
			for i, got := range sent {
				want := encoded[i]
				if i >= mute && i < unmute {
					want = append(bytes.Clone(want[:12]), opusSilence[:]...)
				}
				if !bytes.Equal(got, want) {
					t.Fatalf("packet %d: got %x, want %x", i, got, want)
				}
			}

			var heard [2][]int16 // with and without the mute
			for i, packets := range [][][]byte{sent, encoded} {
				for _, b := range converted(t, packets, rtp, element("rtpopusdepay"), element("opusdec", "plc=true"), caps(mono)) {
					heard[i] = appendSamples(heard[i], b)
				}
			}
			steep, _ := shape(heard[0], mute-10, mute)
			if step, _ := shape(heard[0], mute, unmute); step > 1.2*steep {
				t.Errorf("the mute clicks: got a step of %.0f, want no more than the sound's own %.0f", step, steep)
			}
			if _, peak := shape(heard[0], mute+1, unmute); peak > 1 {
				t.Errorf("got a peak of %.0f after the first packet of the mute, want silence", peak)
			}
			for i := unmute; i < all; i++ {
				step, peak := shape(heard[0], i, i+1)
				wantStep, wantPeak := shape(heard[1], i, i+1)
				if math.Abs(step-wantStep) > 0.05*wantStep || math.Abs(peak-wantPeak) > 0.05*wantPeak {
					t.Errorf("packet %d, after the mute: got a peak of %.0f and a step of %.0f, want %.0f and %.0f", i, peak, step, wantPeak, wantStep)
				}
			}
		})
	}
}

// shape is the largest step between two samples of some packets, and the largest sample.
func shape(pcm []int16, from, to int) (step, peak float64) {
	for i := from * packetFrames; i < to*packetFrames; i++ {
		step = max(step, math.Abs(float64(pcm[i])-float64(pcm[i-1])))
		peak = max(peak, math.Abs(float64(pcm[i])))
	}
	return step, peak
}
