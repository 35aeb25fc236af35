// SPDX-License-Identifier: Apache-2.0

package media

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/internal/pipe"
)

// newPulse starts a private sound server that this process uses, with two more
// sinks than usual.
func newPulse(t testing.TB) *testbed.Pulse {
	t.Helper()
	p := testbed.NewPulse(t,
		"load-module module-null-sink sink_name=costream_topeer rate=48000",
		"load-module module-null-sink sink_name=costream_frompeer rate=48000 norewinds=1")
	for _, entry := range p.Env() {
		name, value, _ := strings.Cut(entry, "=")
		t.Setenv(name, value)
	}
	return p
}

// toneLevel is the mean level of a tone in short pieces, in which it may be some
// per cent off: a playout that catches up plays it a little higher.
func toneLevel(samples []float64, hz float64) float64 {
	const piece = testbed.SampleRate / 50
	sum := 0.0
	for i := 0; i+piece <= len(samples); i += piece {
		sum += testbed.ToneLevel(samples[i:i+piece], hz)
	}
	return sum / float64(len(samples)/piece)
}

// awaitTone waits until a source carries a tone at a level between two.
func awaitTone(t testing.TB, p *testbed.Pulse, source string, hz, least, most float64) {
	t.Helper()
	testbed.Await(t, fmt.Sprintf("%.0f Hz between %.2f and %.2f on %s", hz, least, most, source), 5*time.Second, func() error {
		if got := toneLevel(p.Record(source, 200*time.Millisecond), hz); got < least || got > most {
			return fmt.Errorf("got %.3f", got)
		}
		return nil
	})
}

func TestRealSoundArrives(t *testing.T) {
	testbed.Need(t)
	p := newPulse(t)
	tests := []struct {
		name         string
		sinks, heard []string
		silent       string
	}{
		{"default sink", nil, []string{testbed.Headphones}, "costream_frompeer"},
		{"named sink", []string{"costream_frompeer"}, []string{"costream_frompeer"}, testbed.Headphones},
		{"two sinks", []string{"costream_frompeer", ""}, []string{"costream_frompeer", testbed.Headphones}, ""},
	}
	p.PlayTone(testbed.MicrophoneSink, testbed.Tone{Hz: 1000})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := startAudioReceiver(t, AudioReceiverOptions{Sinks: tt.sinks})
			s, err := NewAudioSender(AudioSenderOptions{Device: testbed.MicrophoneSink + ".monitor", Out: r.Push})
			if err != nil {
				t.Fatal(err)
			}
			stop := start(t, s.Run)
			for _, sink := range tt.heard {
				awaitTone(t, p, sink+".monitor", 1000, 0.4, 0.6)
			}
			if tt.silent != "" {
				awaitTone(t, p, tt.silent+".monitor", 1000, 0, 0.001)
			}
			s.SetMuted(true)
			for _, sink := range tt.heard {
				awaitTone(t, p, sink+".monitor", 1000, 0, 0.001)
			}
			s.SetMuted(false)
			for _, sink := range tt.heard {
				awaitTone(t, p, sink+".monitor", 1000, 0.4, 0.6)
			}

			// The sender restarts with another SSRC while the receiver stays.
			stop()
			s, err = NewAudioSender(AudioSenderOptions{Device: testbed.MicrophoneSink + ".monitor", Out: r.Push})
			if err != nil {
				t.Fatal(err)
			}
			start(t, s.Run)
			for _, sink := range tt.heard {
				awaitTone(t, p, sink+".monitor", 1000, 0.4, 0.6)
			}
		})
	}
}

// TestRealAudioLevel: digital silence is told from sound, whether or not it is sent.
func TestRealAudioLevel(t *testing.T) {
	testbed.Need(t)
	p := newPulse(t)
	var told atomic.Pointer[float64]
	s, err := NewAudioSender(AudioSenderOptions{
		Device: testbed.MicrophoneSink + ".monitor", Out: func([]byte) {}, Level: func(peak float64) { told.Store(&peak) },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.SetMuted(true)
	start(t, s.Run)
	await := func(from, to float64) {
		t.Helper()
		testbed.Await(t, fmt.Sprintf("a level of %v to %v", from, to), 10*time.Second, func() error {
			if peak := told.Load(); peak == nil || *peak < from || *peak > to {
				return fmt.Errorf("got %v", told.Load())
			}
			return nil
		})
	}
	await(0, 0)
	stop := p.PlayTone(testbed.MicrophoneSink, testbed.Tone{Hz: 1000, Volume: 0.001})
	await(0.0005, 0.002)
	stop()
	await(0, 0)
}

// No sample of a muted microphone may leave, not even those of the moment
// before Run.
func TestRealMutedFromTheStart(t *testing.T) {
	testbed.Need(t)
	p := newPulse(t)
	p.PlayTone(testbed.MicrophoneSink, testbed.Tone{Hz: 1000, Volume: 0.9})
	decoder, err := pipe.Parse(row(packetSource("audio", "OPUS", 48000), element("rtpopusdepay"), element("opusdec"),
		caps("audio/x-raw,format=S16LE"), element("appsink", prop("name", nameFrames), "sync=false")).String())
	if err != nil {
		t.Fatal(err)
	}
	in, err := decoder.Source(namePackets)
	if err != nil {
		t.Fatal(err)
	}
	out, err := decoder.Sink(nameFrames)
	if err != nil {
		t.Fatal(err)
	}
	var samples, loud atomic.Int64
	start(t, func(ctx context.Context) error {
		return decoder.Run(ctx, func(ctx context.Context) {
			out.Pull(ctx, func(pcm []byte) {
				for i := 0; i+1 < len(pcm); i += 2 {
					samples.Add(1)
					if v := int16(binary.LittleEndian.Uint16(pcm[i:])); v > 3 || v < -3 {
						loud.Add(1)
					}
				}
			})
		})
	})

	s, err := NewAudioSender(AudioSenderOptions{Device: testbed.MicrophoneSink + ".monitor", Out: func(packet []byte) {
		_ = in.Push(packet)
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.SetMuted(true)
	start(t, s.Run)
	await := func(what string, ok func() bool) {
		testbed.Await(t, what, 10*time.Second, func() error {
			if !ok() {
				return fmt.Errorf("%d of %d samples loud", loud.Load(), samples.Load())
			}
			return nil
		})
	}
	await("a second of sound", func() bool { return samples.Load() > 48000 })
	if n := loud.Load(); n > 0 {
		t.Errorf("got %d samples of a muted microphone, want 0", n)
	}
	// The tone was there all the time.
	s.SetMuted(false)
	await("the tone", func() bool { return loud.Load() > 4800 })
}

func TestRealSoundServerGoes(t *testing.T) {
	testbed.Need(t)
	p := newPulse(t)
	r, err := NewAudioReceiver(AudioReceiverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// The peer is on another machine: its packets go on when our server dies.
	var listener atomic.Pointer[AudioReceiver]
	listener.Store(r)
	remotePeer(t, 440, func(packet []byte) { listener.Load().Push(packet) })
	s, err := NewAudioSender(AudioSenderOptions{Device: testbed.MicrophoneSink + ".monitor", Out: func([]byte) {}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMonitorReader(MonitorReaderOptions{Device: "costream_topeer.monitor"})
	if err != nil {
		t.Fatal(err)
	}
	runs := map[string]func(context.Context) error{"receiver": r.Run, "sender": s.Run, "reader": m.Run}
	type end struct {
		who string
		err error
	}
	ends := make(chan end, len(runs))
	for who, run := range runs {
		go func() { ends <- end{who, run(t.Context())} }()
	}
	awaitTone(t, p, testbed.Headphones+".monitor", 440, 0.4, 0.6)
	begin := time.Now()
	p.Kill()
	for range runs {
		select {
		case e := <-ends:
			var fault *PipelineError
			if !errors.As(e.err, &fault) || !strings.Contains(e.err.Error(), "pactl") {
				t.Errorf("%s: got %v, want a PipelineError that says where to look", e.who, e.err)
			}
			t.Logf("%s after %v: %v", e.who, time.Since(begin), e.err)
		case <-time.After(10 * time.Second):
			t.Fatal("a pipeline does not notice that the sound server is gone")
		}
	}

	// All start again once the server is back.
	p.Restart()
	r2 := startAudioReceiver(t, AudioReceiverOptions{})
	listener.Store(r2)
	awaitTone(t, p, testbed.Headphones+".monitor", 440, 0.4, 0.6)

	packets, put := latest[int]()
	s2, err := NewAudioSender(AudioSenderOptions{Device: testbed.MicrophoneSink + ".monitor", Out: func(b []byte) { put(len(b)) }})
	if err != nil {
		t.Fatal(err)
	}
	start(t, s2.Run)
	await(t, "a packet of the new sender", packets, 5*time.Second, func(n int) bool { return n > 12 })
}

// remotePeer sends a tone as a peer would that has nothing to do with this
// machine's sound server.
func remotePeer(t testing.TB, hz int, out func([]byte)) {
	t.Helper()
	line, sink := voiceLine(t, hz, "is-live=true")
	start(t, func(ctx context.Context) error {
		return line.Run(ctx, func(ctx context.Context) { sink.Pull(ctx, out) })
	})
}

func TestRealWrongSoundDevice(t *testing.T) {
	testbed.Need(t)
	testbed.NeedPulseAudio(t) // PipeWire takes any name and waits for a node that has it
	newPulse(t)
	s, err := NewAudioSender(AudioSenderOptions{Device: "no_such_source", Out: func([]byte) {}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err = s.Run(ctx)
	var fault *PipelineError
	if !errors.As(err, &fault) {
		t.Fatalf("got %v, want a PipelineError", err)
	}
	for _, want := range []string{"audio sender", "pactl list short sources"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want it to contain %q", err, want)
		}
	}
}

func TestRealMonitorReaderKeepsLatencySmall(t *testing.T) {
	testbed.Need(t)
	p := newPulse(t)
	latency := func() string {
		var last string
		for line := range strings.Lines(p.Pactl("list", "sinks")) {
			line = strings.TrimSpace(line)
			if name, ok := strings.CutPrefix(line, "Name: "); ok {
				last = name
			}
			if l, ok := strings.CutPrefix(line, "Latency: "); ok && last == "costream_topeer" {
				return l
			}
		}
		return "none"
	}
	before := latency()
	m, err := NewMonitorReader(MonitorReaderOptions{Device: "costream_topeer.monitor"})
	if err != nil {
		t.Fatal(err)
	}
	start(t, m.Run)
	testbed.Await(t, "the reader's configured latency", 5*time.Second, func() error {
		_, configured, _ := strings.Cut(latency(), "configured ")
		var usec int
		if _, err := fmt.Sscanf(configured, "%d usec", &usec); err != nil || usec > 30000 {
			return fmt.Errorf("configured %q, before %q", configured, before)
		}
		return nil
	})
}

func TestOpusDelay(t *testing.T) {
	coded := tick(t, opusEncoder(defaultBitrateBps), element("rtpopuspay"), element("rtpopusdepay"), element("opusdec"))
	got := coded - tick(t, element("identity"))
	if (got - opusDelay).Abs() > time.Millisecond {
		t.Errorf("Opus delays sound: got %v, want %v", got, opusDelay)
	}
}

// tick is when the middle of one second's tick has passed a way.
func tick(t *testing.T, way ...node) time.Duration {
	t.Helper()
	const second = soundRate
	voice := caps("audio/x-raw,format=S16LE,rate=48000,channels=1")
	nodes := append([]node{element("audiotestsrc", "wave=ticks", "freq=1000", "sine-periods-per-tick=10", "samplesperbuffer=480"), voice}, way...)
	line, sink := tapped(t, row(append(nodes, voice, packetSink())...))
	var pcm []int16
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := line.Run(ctx, func(ctx context.Context) {
		sink.Pull(ctx, func(b []byte) {
			pcm = appendSamples(pcm, b)
			if len(pcm) > 2*second {
				cancel()
			}
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	var moment, energy float64
	for i := second / 2; i < 3*second/2; i++ {
		e := float64(pcm[i]) * float64(pcm[i])
		moment += e * float64(i)
		energy += e
	}
	return time.Duration(moment / energy / second * float64(time.Second))
}

// BenchmarkRealMouthToEar measures the time from a sound in the microphone's
// sink to the same sound in the headphones' sink. Run it with -benchtime=1x.
func BenchmarkRealMouthToEar(b *testing.B) {
	testbed.Need(b)
	p := newPulse(b)
	r := startAudioReceiver(b, AudioReceiverOptions{})
	s, err := NewAudioSender(AudioSenderOptions{Device: testbed.MicrophoneSink + ".monitor", Out: r.Push})
	if err != nil {
		b.Fatal(err)
	}
	start(b, s.Run)
	mouth, ear := onsets(b, testbed.MicrophoneSink+".monitor"), onsets(b, testbed.Headphones+".monitor")
	const period = 700 * time.Millisecond
	p.PlayTone(testbed.MicrophoneSink, testbed.Tone{Hz: 1000, On: 100 * time.Millisecond, Period: period})
	awaitTone(b, p, testbed.Headphones+".monitor", 1000, 0.05, 1)
	for range b.N {
		said, heard := collect(mouth, 15*period), collect(ear, period)
		var took []time.Duration
		for _, s := range said {
			// A sound that is heard later than the next was said was lost.
			if i := slices.IndexFunc(heard, s.Before); i >= 0 && heard[i].Sub(s) < period {
				took = append(took, heard[i].Sub(s))
			}
		}
		if len(took) == 0 {
			b.Fatalf("nothing heard of %d sounds", len(said))
		}
		slices.SortFunc(took, cmp.Compare)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		b.ReportMetric(float64(len(said)-len(took)), "lost")
	}
}

// collect takes what comes for so long.
func collect(from <-chan time.Time, d time.Duration) []time.Time {
	var out []time.Time
	for end := time.After(d); ; {
		select {
		case t := <-from:
			out = append(out, t)
		case <-end:
			return out
		}
	}
}

// onsets reports when a source begins to carry sound.
func onsets(t testing.TB, source string) <-chan time.Time {
	t.Helper()
	g := row(element("pulsesrc", prop("device", source), "latency-time=5000", "buffer-time=200000"),
		caps("audio/x-raw,format=S16LE,rate=48000,channels=1"), packetSink())
	line, sink := tapped(t, g)
	out := make(chan time.Time, 1000)
	quiet := 0
	start(t, func(ctx context.Context) error {
		return line.Run(ctx, func(ctx context.Context) {
			sink.Pull(ctx, func(pcm []byte) {
				end := time.Now()
				for i := 0; i+1 < len(pcm); i += 2 {
					level := int16(binary.LittleEndian.Uint16(pcm[i:]))
					if level < 1000 && level > -1000 {
						quiet++
						continue
					}
					if quiet > 48*200 {
						out <- end.Add(-time.Duration((len(pcm)-i)/2) * time.Second / 48000)
					}
					quiet = 0
				}
			})
		})
	})
	return out
}
