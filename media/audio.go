// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/costream-obs/costream-obs/media/internal/pipe"
)

// ClientName is the name under which our streams appear at the sound server
// (application.name).
const ClientName = "costream-obs"

const (
	defaultBitrateBps = 32000
	// Buffer of a speaker in microseconds. 40/10 ms is 30 ms quicker than
	// 60/10 (measured), with less in reserve when the machine is busy.
	speakerBuffer  = 60000
	speakerLatency = 10000
)

// nameMute is the name of the element that silences the microphone.
const nameMute = "mute"

// AudioSenderOptions configure an AudioSender.
type AudioSenderOptions struct {
	// Device is the source at the sound server, such as
	// costream_topeer.monitor; empty means the default source.
	Device string
	// BitrateBps is the target in bit/s; 0 means 32000.
	BitrateBps int
	// Out gets each RTP packet (Opus, payload type 96, 48 kHz, 10 ms), from
	// one goroutine. It must not block; the packet is valid only during the
	// call.
	Out func(packet []byte)
	Log *slog.Logger
}

// AudioSender captures and encodes sound. It runs once.
type AudioSender struct {
	machine
	out     func([]byte)
	packets *pipe.Sink
	mute    *pipe.Element
}

// NewAudioSender makes a sender, not muted. The error wraps a
// *MissingElementError.
func NewAudioSender(o AudioSenderOptions) (*AudioSender, error) {
	const what = "audio sender"
	if o.Out == nil {
		return nil, errors.New(what + ": needs a function for packets")
	}
	m, err := newMachine(what, audioSenderGraph(o.Device, o.BitrateBps), o.Log)
	if err != nil {
		return nil, err
	}
	s := &AudioSender{machine: m, out: o.Out}
	if s.packets, err = m.pipe.Sink(namePackets); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if s.mute, err = m.pipe.Element(nameMute); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return s, nil
}

func audioSenderGraph(device string, bps int) graph {
	if bps <= 0 {
		bps = defaultBitrateBps
	}
	return row(
		// 10 ms blocks set the delay; the 200 ms buffer only guards against
		// overruns (40 ms dropped sound under load, measured).
		element("pulsesrc", append(pulseProps(nameMic, device), intProp("latency-time", 10000))...),
		caps("audio/x-raw,rate=48000,channels=1"),
		element("queue", "max-size-buffers=0", "max-size-bytes=0", "max-size-time=60000000", "leaky=downstream"),
		// Silence instead of a stop: the stream keeps its clock, and the peer
		// does not count losses.
		element("volume", prop("name", nameMute)),
		element("opusenc", "audio-type=voice", "frame-size=10", intProp("bitrate", bps), "inband-fec=true", "packet-loss-percentage=5"),
		element("rtpopuspay", intProp("pt", payloadType), intProp("mtu", packetSize)),
		packetSink(),
	)
}

// pulseProps returns the properties that sound sources and sinks share.
func pulseProps(name, device string) []string {
	props := []string{prop("name", name), prop("client-name", ClientName)}
	if device != "" {
		props = append(props, prop("device", device))
	}
	return props
}

// SetMuted sends silence instead of the source's sound, from the next 10 ms
// on. It may be called before Run.
func (s *AudioSender) SetMuted(muted bool) {
	s.mute.Set("mute", strconv.FormatBool(muted))
}

// Run sends until ctx ends (nil) or the pipeline fails.
func (s *AudioSender) Run(ctx context.Context) error {
	return s.run(ctx, func(ctx context.Context) { s.packets.Pull(ctx, s.out) })
}

// AudioReceiverOptions configure an AudioReceiver.
type AudioReceiverOptions struct {
	// Sinks are the sinks at the sound server that all play the sound; an empty
	// name means the default sink, and so does an empty list.
	Sinks []string
	Log   *slog.Logger
}

// AudioReceiver decodes and plays one incoming stream of sound. It runs once.
//
// Each sink has a pipeline of its own, so that each plays by its own clock
// instead of one having to follow the other.
type AudioReceiver struct {
	players []player
}

// player is the pipeline of one sink.
type player struct {
	machine
	packets *pipe.Source
}

// NewAudioReceiver makes a receiver. The error wraps a *MissingElementError.
func NewAudioReceiver(o AudioReceiverOptions) (*AudioReceiver, error) {
	const what = "audio receiver"
	sinks := o.Sinks
	if len(sinks) == 0 {
		sinks = []string{""}
	}
	r := &AudioReceiver{}
	for _, sink := range sinks {
		m, err := newMachine(what, audioReceiverGraph(sink), o.Log)
		if err != nil {
			return nil, err
		}
		packets, err := m.pipe.Source(namePackets)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		r.players = append(r.players, player{machine: m, packets: packets})
	}
	return r, nil
}

func audioReceiverGraph(sink string) graph {
	return row(
		packetSource("audio", "OPUS", 48000),
		// Packets are played as they come; a wait here would delay all of them.
		element("rtpjitterbuffer", "latency=0", "do-lost=true"),
		element("rtpopusdepay"),
		// Without use-inband-fec: it adds 110 to 150 ms to every sound (measured,
		// 1.22.0), and repairs only single losses. plc costs nothing.
		element("opusdec", "plc=true"),
		element("audioconvert"),
		element("audioresample"),
		speaker(sink),
	)
}

// speaker plays to a sink. It must stay synchronised: what an unsynchronised
// one piles up stays as delay (measured).
func speaker(sink string) node {
	return element("pulsesink", append(pulseProps(nameSpeaker, sink),
		intProp("buffer-time", speakerBuffer), intProp("latency-time", speakerLatency), "processing-deadline=0")...)
}

// Push gives the receiver one RTP packet, which is copied. It does not block.
// Packets pushed while the receiver does not run are dropped.
func (r *AudioReceiver) Push(packet []byte) {
	for _, p := range r.players {
		if err := p.packets.Push(packet); err != nil && !errors.Is(err, pipe.ErrNotRunning) {
			p.log.Debug("packet refused", "what", p.what, "err", err)
		}
	}
}

// Run receives until ctx ends (nil) or one of its sinks fails, which ends the
// other, too. A sink whose server is gone fails with the next packet: while the
// peer sends nothing, it is not noticed (measured, 1.22.0).
func (r *AudioReceiver) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ends := make(chan error, len(r.players))
	for _, p := range r.players {
		go func() { ends <- p.run(ctx) }()
	}
	var first error
	for range r.players {
		if err := <-ends; err != nil && first == nil {
			first = err
			cancel()
		}
	}
	return first
}

// Text returns the launch text of each sink's pipeline, a line each.
func (r *AudioReceiver) Text() string {
	var texts []string
	for _, p := range r.players {
		texts = append(texts, p.Text())
	}
	return strings.Join(texts, "\n")
}

// Dot returns the running pipelines in the language of Graphviz, one graph
// after the other.
func (r *AudioReceiver) Dot() string {
	var dots []string
	for _, p := range r.players {
		dots = append(dots, p.Dot())
	}
	return strings.Join(dots, "\n")
}
