// SPDX-License-Identifier: Apache-2.0

package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestQualities: of two encoders of the same sound each piece of sound is sent once and in its order, whoever is ahead at a
// change.
func TestQualities(t *testing.T) {
	const voice, music, change = "voice", "music", "change"
	type step struct {
		what  string
		stamp uint32
	}
	v := func(stamp uint32) step { return step{voice, stamp} }
	m := func(stamp uint32) step { return step{music, stamp} }
	swap := step{what: change}
	for _, tt := range []struct {
		name  string
		steps []step
		want  []step
	}{
		{"a voice alone", []step{v(0), m(0), v(480), m(480)}, []step{v(0), v(480)}},
		{"music follows", []step{v(0), m(0), swap, v(480), m(480), v(960), m(960)}, []step{v(0), m(480), m(960)}},
		{"music that is behind", []step{v(0), v(480), swap, v(960), m(0), m(480), m(960)}, []step{v(0), v(480), m(960)}},
		{"music that is ahead", []step{m(0), v(0), m(480), m(960), swap, v(480), m(1440)}, []step{v(0), m(480), m(960), m(1440)}},
		{"and back", []step{swap, m(0), v(0), m(480), swap, v(480), v(960), m(960)}, []step{m(0), m(480), v(960)}},
		{"there and back at once", []step{v(0), m(0), swap, swap, v(480), m(480)}, []step{v(0), v(480)}},
		{"music from the start", []step{swap, v(0), m(0), v(480), m(480)}, []step{m(0), m(480)}},
		{"a counter that begins again", []step{v(math.MaxUint32 - 479), swap, m(math.MaxUint32 - 479), m(0)}, []step{v(math.MaxUint32 - 479), m(0)}},
		{"no packet", []step{{what: "none"}, v(0)}, []step{v(0)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := newQualities()
			first := q.seq + 1
			chosen := false
			var got []step
			pass := func(out []byte) {
				if seq, want := binary.BigEndian.Uint16(out[2:]), first+uint16(len(got)); seq != want {
					t.Errorf("sequence number: got %d, want %d", seq, want)
				}
				if ssrc := binary.BigEndian.Uint32(out[8:]); ssrc != q.ssrc {
					t.Errorf("SSRC: got %d, want %d", ssrc, q.ssrc)
				}
				what := voice
				if out[12] == 1 {
					what = music
				}
				got = append(got, step{what, rtpTime(out)})
			}
			for _, s := range tt.steps {
				packet := make([]byte, 13)
				binary.BigEndian.PutUint32(packet[4:], s.stamp)
				switch s.what {
				case change:
					chosen = !chosen
					q.choose(chosen, pass)
					continue
				case music:
					packet[12] = 1
				case "none":
					packet = nil
				}
				q.pass(s.what == music, packet, pass)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(step{})); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPeakOf reads what the element level says of one channel and of two.
func TestPeakOf(t *testing.T) {
	const text = "level, timestamp=(guint64)0, rms=(GValueArray)< -3, -3 >, peak=(GValueArray)< %s >, decay=(GValueArray)< -1, -1 >;"
	for _, tt := range []struct {
		peaks string
		want  float64
		ok    bool
	}{
		{"-20", 0.1, true},
		{"-40, -20", 0.1, true},
		{"-20, -40", 0.1, true},
		{"-350, -350", 0, true},
		{"-350, -20", 0.1, true},
		{"-20, loud", 0, false},
	} {
		got, ok := peakOf(fmt.Sprintf(text, tt.peaks))
		if math.Abs(got-tt.want) > 1e-9 || ok != tt.ok {
			t.Errorf("%s: got %v and %v, want %v and %v", tt.peaks, got, ok, tt.want, tt.ok)
		}
	}
}

// The two tones of what is played, one at each side.
const (
	leftHz, rightHz = 440, 880
	toneVolume      = 0.3
)

// TestNoGapBetweenQualities: whenever the quality changes, the packets of the real encoders are one stream without a gap.
func TestNoGapBetweenQualities(t *testing.T) {
	const (
		pieces   = 300
		pcm      = "audio/x-raw,format=S16LE,rate=48000,channels=2,layout=interleaved"
		nameIn   = "in"
		everyFew = 7 // packets
	)
	line, voice := tapped(t, row(append([]node{element("appsrc", prop("name", nameIn), "is-live=true", "format=time", "max-bytes=0", prop("caps", pcm))},
		twoQualities(defaultBitrateBps)...)...))
	music, err := line.Sink(nameMusic)
	if err != nil {
		t.Fatal(err)
	}
	feed, err := line.Source(nameIn)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	var stamps []uint32
	s := &AudioSender{qualities: newQualities()}
	// Neither encoder gets further ahead than in a call, where the sound comes at its own pace.
	room := make(chan struct{}, mostKept/2)
	s.out = func(packet []byte) {
		<-room
		if stamps = append(stamps, rtpTime(packet)); len(stamps) == pieces {
			cancel()
		}
	}
	changes := 0
	take := func(of bool, packet []byte) {
		s.deliverOf(of, packet)
		s.mu.Lock()
		change, on := len(stamps)/everyFew > changes, s.qualities.music
		changes = len(stamps) / everyFew
		s.mu.Unlock()
		if change {
			s.SetMusic(!on)
		}
	}
	err = line.Run(ctx,
		func(context.Context) {
			for i := range pieces + 2 { // the encoders hold the last ones
				select {
				case room <- struct{}{}:
				case <-ctx.Done():
					return
				}
				if err := feed.PushTimed(4*packetFrames, time.Duration(i)*10*time.Millisecond, func(to []byte) { clear(to) }); err != nil {
					t.Error(err)
				}
			}
		},
		func(ctx context.Context) { voice.Pull(ctx, func(packet []byte) { take(false, packet) }) },
		func(ctx context.Context) { music.Pull(ctx, func(packet []byte) { take(true, packet) }) },
	)
	if err != nil || len(stamps) < pieces {
		t.Fatalf("got %d packets (%v), want %d", len(stamps), err, pieces)
	}
	for i := 2; i < len(stamps); i++ { // opusenc's first packet is shorter by what the encoder looks ahead
		if step := stamps[i] - stamps[i-1]; step != packetFrames {
			t.Errorf("packet %d comes %d samples after the one before, want %d", i, step, packetFrames)
		}
	}
}

// TestRealMusic: music arrives left as left and right as right, and a voice at both sides.
func TestRealMusic(t *testing.T) {
	testbed.Need(t)
	p := newPulse(t)
	p.PlayStereo(testbed.MicrophoneSink, testbed.Tone{Hz: leftHz, Volume: toneVolume}, testbed.Tone{Hz: rightHz, Volume: toneVolume})
	r := startAudioReceiver(t, AudioReceiverOptions{})
	var mu sync.Mutex
	var sizes []int
	s, err := NewAudioSender(AudioSenderOptions{Device: testbed.MicrophoneSink + ".monitor", Music: true, Out: func(packet []byte) {
		mu.Lock()
		sizes = append(sizes, len(packet))
		mu.Unlock()
		r.Push(packet)
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.SetMusic(true)
	start(t, s.Run)
	await := func(what string, left, right [2]float64) {
		t.Helper()
		testbed.Await(t, what, 10*time.Second, func() error {
			l, r := p.RecordStereo(testbed.Headphones+".monitor", 300*time.Millisecond)
			for i, side := range [][]float64{l, r} {
				for k, hz := range []float64{leftHz, rightHz} {
					want := [][2]float64{left, right}[i][k]
					if got := toneLevel(side, hz); math.Abs(got-want) > 0.05*toneVolume {
						return fmt.Errorf("channel %d, %.0f Hz: got %.3f, want %.3f", i, hz, got, want)
					}
				}
			}
			return nil
		})
	}
	await("stereo", [2]float64{toneVolume, 0}, [2]float64{0, toneVolume})
	s.SetMusic(false)
	await("mono", [2]float64{toneVolume / 2, toneVolume / 2}, [2]float64{toneVolume / 2, toneVolume / 2})
	mu.Lock()
	from := len(sizes)
	mu.Unlock()
	s.SetMusic(true)
	await("stereo again", [2]float64{toneVolume, 0}, [2]float64{0, toneVolume})
	mu.Lock()
	defer mu.Unlock()
	sum := 0
	for _, size := range sizes[from+10:] {
		sum += size
	}
	t.Logf("a packet of music has %d bytes on average", sum/max(1, len(sizes)-from-10))
}

// TestMusicIsMutedAtOnce: no packet of either encoder leaves with sound once SetMuted has returned.
func TestMusicIsMutedAtOnce(t *testing.T) {
	var sent [][]byte
	s := &AudioSender{out: func(p []byte) { sent = append(sent, bytes.Clone(p[12:])) }, qualities: newQualities(), muted: true}
	packet := func(stamp uint32) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{0x80, 96, 0, 0}, stamp), 0, 0, 0, 0, 'l', 'o', 'u', 'd')
	}
	s.deliverOf(false, packet(0))
	s.SetMusic(true)
	s.deliverOf(true, packet(480))
	want := [][]byte{opusSilence[:], opusSilence[:]}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

// BenchmarkSenders compares what a sender with both qualities costs beside one for a voice alone.
func BenchmarkSenders(b *testing.B) {
	testbed.Need(b)
	for _, music := range []bool{false, true} {
		b.Run(fmt.Sprintf("music=%v", music), func(b *testing.B) {
			p := newPulse(b)
			p.PlayTone(testbed.MicrophoneSink, testbed.Tone{Hz: 1000})
			packets := make(chan struct{}, 1000)
			s, err := NewAudioSender(AudioSenderOptions{Device: testbed.MicrophoneSink + ".monitor", Music: music, Out: func([]byte) {
				select {
				case packets <- struct{}{}:
				default:
				}
			}})
			if err != nil {
				b.Fatal(err)
			}
			if music {
				s.SetMusic(true)
			}
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- s.Run(ctx) }()
			<-packets
			before := processorTime(b)
			began := time.Now()
			for range b.N {
				<-packets
			}
			b.ReportMetric(100*float64(processorTime(b)-before)/float64(time.Since(began)), "%CPU")
			cancel()
			if err := <-ended; err != nil {
				b.Fatal(err)
			}
		})
	}
}

// processorTime is what this process has used so far.
func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
