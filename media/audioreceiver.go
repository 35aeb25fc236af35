// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/media/internal/pipe"
)

// AudioReceiverOptions configure an AudioReceiver.
type AudioReceiverOptions struct {
	// Sinks are the sinks at the sound server that all play the sound. An empty name, or an empty list, means the default
	// sink.
	Sinks []string
	// Delay is the first value of SetDelay.
	Delay time.Duration
	// Buffer is how much sound the sound server holds; 0 means 25 ms. More helps if the server comes late for it, and delays
	// the sound by as much.
	Buffer time.Duration
	// Spare is what an earlier receiver's Spare returned for the same voice.
	Spare time.Duration
	Log   *slog.Logger
}

// AudioReceiver decodes and plays one incoming stream of sound. It runs once.
//
// Each sink has its own speaker, so that each plays by its own clock.
type AudioReceiver struct {
	machine
	packets  *pipe.Source
	sound    *pipe.Sink
	speakers []*speaker
	pcm      []int16
}

// NewAudioReceiver makes a receiver. The error wraps a *MissingElementError.
func NewAudioReceiver(o AudioReceiverOptions) (*AudioReceiver, error) {
	const what = "audio receiver"
	m, err := newSoundMachine(what, audioReceiverGraph(), o.Log)
	if err != nil {
		return nil, err
	}
	r := &AudioReceiver{machine: m}
	if r.packets, err = m.pipe.Source(namePackets); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if r.sound, err = m.pipe.Sink(nameSound); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	sinks := o.Sinks
	if len(sinks) == 0 {
		sinks = []string{""}
	}
	for _, sink := range sinks {
		s, err := newSpeaker(sink, o.Buffer, o.Spare, o.Log)
		if err != nil {
			return nil, err
		}
		r.speakers = append(r.speakers, s)
	}
	r.SetDelay(o.Delay)
	return r, nil
}

func audioReceiverGraph() graph {
	return row(
		packetSource("audio", "OPUS", 48000),
		// Packets are decoded as they come, and a gap is filled when the next packet comes. The reserve is kept as decoded
		// sound.
		element("rtpjitterbuffer", "latency=0", "do-lost=true"),
		element("rtpopusdepay"),
		// Without use-inband-fec, which delays every sound by 110 to 150 ms (measured, 1.22.0) and repairs only single
		// losses. plc costs nothing.
		element("opusdec", "plc=true"),
		element("audioconvert"),
		element("audioresample"),
		caps(soundCaps),
		element("appsink", prop("name", nameSound), "sync=false", "async=false"),
	)
}

// Push gives the receiver one RTP packet, which is copied. It does not block.
// Packets pushed while the receiver does not run are dropped.
func (r *AudioReceiver) Push(packet []byte) {
	if err := r.packets.Push(packet); err != nil && !errors.Is(err, pipe.ErrNotRunning) {
		r.log.Debug("packet refused", "what", r.what, "err", err)
	}
}

// SetDelay delays sound by d in addition to the latency. Sound that plays gets there gradually, by up to 25 ms a second.
func (r *AudioReceiver) SetDelay(d time.Duration) {
	for _, s := range r.speakers {
		s.playout.setDelay(d)
	}
}

// Silence makes these of the sinks, by their names in AudioReceiverOptions, play silence, and all others the sound. It may
// be called before Run.
func (r *AudioReceiver) Silence(sinks []string) {
	for _, s := range r.speakers {
		s.silent.Store(slices.Contains(sinks, s.sink))
	}
}

// Latency is the time from Push to the ear without the delay of SetDelay, as far as the sound server knows it, at the first
// sink. It is 0 while unknown.
func (r *AudioReceiver) Latency() time.Duration { return r.speakers[0].latency() }

// Breaks is how often sound at the first sink broke off because there was nothing to play, or was skipped because too much
// came late.
func (r *AudioReceiver) Breaks() int { return r.speakers[0].playout.breaks() }

// Spare is how much decoded sound is kept in reserve at the first sink, because packets can be late.
func (r *AudioReceiver) Spare() time.Duration { return r.speakers[0].playout.learnt() }

// Late is how often the first sink asked for sound only after it had played everything.
func (r *AudioReceiver) Late() int { return int(r.speakers[0].late.Load()) }

// Run receives until ctx ends (nil) or one of its sinks fails, which ends all.
func (r *AudioReceiver) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ends := make(chan error, 1+len(r.speakers))
	go func() {
		ends <- r.run(ctx, func(ctx context.Context) { r.sound.Pull(ctx, r.play) })
	}()
	for _, s := range r.speakers {
		go func() { ends <- s.run(ctx) }()
	}
	var first error
	for range cap(ends) {
		if err := <-ends; err != nil && first == nil {
			first = err
			cancel()
		}
	}
	return first
}

func (r *AudioReceiver) play(data []byte) {
	r.pcm = appendSamples(r.pcm[:0], data)
	for _, s := range r.speakers {
		s.playout.write(r.pcm)
	}
}

// appendSamples decodes S16LE.
func appendSamples(pcm []int16, data []byte) []int16 {
	for i := 0; i+1 < len(data); i += 2 {
		pcm = append(pcm, int16(binary.LittleEndian.Uint16(data[i:])))
	}
	return pcm
}

// Text returns the launch text of the decoder's pipeline and of each sink's, a
// line each.
func (r *AudioReceiver) Text() string {
	texts := []string{r.machine.Text()}
	for _, s := range r.speakers {
		texts = append(texts, s.Text())
	}
	return strings.Join(texts, "\n")
}

// Dot returns the running pipelines in the language of Graphviz, one graph
// after the other.
func (r *AudioReceiver) Dot() string {
	dots := []string{r.machine.Dot()}
	for _, s := range r.speakers {
		dots = append(dots, s.Dot())
	}
	return strings.Join(dots, "\n")
}
