// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/mean"
	"github.com/costream-obs/costream-obs/media/internal/pipe"
)

// ClientName is the name under which our streams appear at the sound server
// (application.name).
const ClientName = "costream-obs"

const defaultBitrateBps = 32000

// opusDelay is how much earlier than the time of a packet of opusenc its sound was captured: the encoder looks ahead by 2.5
// ms, and by 4 ms more for a voice (libopus 1.3.1, 312 samples). Ogg files say how much of their beginning to skip for that;
// RTP does not.
const opusDelay = 6500 * time.Microsecond

// nameMute is the name of the element that mutes the microphone.
const nameMute = "mute"

// AudioSenderOptions configure an AudioSender.
type AudioSenderOptions struct {
	// Device is the source at the sound server, such as
	// costream_topeer.monitor; empty means the default source.
	Device string
	// BitrateBps is the target of a voice in bit/s; 0 means 32000.
	BitrateBps int
	// Music says that SetMusic can be called. Both qualities are encoded all the time then.
	Music bool
	// Out gets each RTP packet (Opus, payload type 96, 48 kHz, 10 ms), from
	// one goroutine. It must not block; the packet is valid only during the
	// call.
	Out func(packet []byte)
	// Level gets, ten times a second, the loudest captured sample since the last time, 0 to 1, before SetMuted; exactly 0 is
	// digital silence. It may be nil and must not block.
	Level func(peak float64)
	Log   *slog.Logger
}

// AudioSender captures and encodes sound. It runs once.
type AudioSender struct {
	machine
	out     func([]byte)
	packets *pipe.Sink
	music   *pipe.Sink // nil without Music
	mute    *pipe.Element
	age     mean.Mean

	mu        sync.Mutex // held while Out has a packet
	muted     bool
	silent    []byte     // the last packet without sound
	qualities *qualities // nil without Music
}

// NewAudioSender makes a sender, not muted. The error wraps a
// *MissingElementError.
func NewAudioSender(o AudioSenderOptions) (*AudioSender, error) {
	const what = "audio sender"
	if o.Out == nil {
		return nil, errors.New(what + ": needs a function for packets")
	}
	m, err := newSoundMachine(what, audioSenderGraph(o.Device, o.BitrateBps, o.Music), o.Log)
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
	if o.Music {
		if s.music, err = m.pipe.Sink(nameMusic); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		s.qualities = newQualities()
	}
	if o.Level != nil {
		s.pipe.OnMessage("level", func(text string) {
			if peak, ok := peakOf(text); ok {
				o.Level(peak)
			}
		})
	}
	return s, nil
}

// peakText is the part of a message of the element level with the loudest sample of each channel, in decibels.
var peakText = regexp.MustCompile(`\bpeak=\(GValueArray\)<([^>]+)>`)

// nothing is below what any sound has: for digital silence the element level reports -350 dB (GStreamer 1.22); the smallest
// 16-bit sample is -90.
const nothing = -340.0

// peakOf reads the loudest sample from a message of the element level, 0 to 1.
func peakOf(text string) (peak float64, ok bool) {
	found := peakText.FindStringSubmatch(text)
	if found == nil {
		return 0, false
	}
	loudest := math.Inf(-1)
	for channel := range strings.SplitSeq(found[1], ",") {
		decibels, err := strconv.ParseFloat(strings.TrimSpace(channel), 64)
		if err != nil {
			return 0, false
		}
		loudest = max(loudest, decibels)
	}
	if loudest < nothing {
		return 0, true
	}
	return math.Pow(10, loudest/20), true
}

func audioSenderGraph(device string, bps int, music bool) graph {
	if bps <= 0 {
		bps = defaultBitrateBps
	}
	channels, encoders := 1, []node{opusEncoder(bps), element("rtpopuspay", intProp("pt", payloadType), intProp("mtu", packetSize)), packetSink()}
	if music {
		channels, encoders = 2, twoQualities(bps)
	}
	return row(append([]node{
		// The blocks of 10 ms decide the delay; the buffer of 200 ms only prevents overruns (40 ms lost sound under load,
		// measured).
		element("pulsesrc", append(pulseProps(nameMic, device, StreamVoice), intProp("latency-time", 10000))...),
		caps(fmt.Sprintf("audio/x-raw,rate=48000,channels=%d", channels)),
		element("queue", "max-size-buffers=0", "max-size-bytes=0", "max-size-time=60000000", "leaky=downstream"),
		element("level", intProp("interval", 100_000_000)),
		// Silence instead of a pause, so that the stream keeps its clock and the peer counts no losses.
		element("volume", prop("name", nameMute)),
	}, encoders...)...)
}

func opusEncoder(bps int) node {
	return element("opusenc", "audio-type=voice", "frame-size=10", intProp("bitrate", bps), "inband-fec=true", "packet-loss-percentage=5")
}

// StreamProperty is the property that says what one of our streams at the sound server is for: one of the Stream constants.
const StreamProperty = "costream.stream"

// What our streams are for.
const (
	StreamVoice   = "voice"   // an AudioSender's
	StreamReader  = "reader"  // a MonitorReader's
	StreamSpeaker = "speaker" // an AudioReceiver's, with "/" and the sink's name where it is not for the default one
)

// speakerPurpose is the purpose of the speaker for a sink; "" is the default sink.
func speakerPurpose(sink string) string {
	if sink == "" {
		return StreamSpeaker
	}
	return StreamSpeaker + "/" + sink
}

// SpeakerSink returns the sink that a stream with this purpose was made for. It is empty for the default sink, and for
// streams that are not speakers.
func SpeakerSink(purpose string) string {
	sink, _ := strings.CutPrefix(purpose, StreamSpeaker+"/")
	if sink == purpose {
		return ""
	}
	return sink
}

// pulseProps returns the properties that sound sources and sinks share.
func pulseProps(name, device, purpose string) []string {
	props := []string{prop("name", name), prop("client-name", ClientName), prop("stream-properties", "props,"+StreamProperty+"="+purpose)}
	if device != "" {
		props = append(props, prop("device", device))
	}
	return props
}

// SetMuted sends silence instead of the source's sound: once it has returned,
// Out gets no packet with sound any more. It may be called before Run, and not
// from Out.
func (s *AudioSender) SetMuted(muted bool) {
	s.mu.Lock()
	s.muted = muted
	s.mu.Unlock()
	s.mute.Set("mute", strconv.FormatBool(muted))
}

// opusSilence is 10 ms of digital silence in Opus, as libopus itself writes it in
// the mode CELT: a decoder fades out what it played within 5 ms, and fades in what
// comes next.
var opusSilence = [...]byte{30 << 3, 0xff, 0xfe}

// silence returns an RTP packet in the place of another one, without its sound. It
// is valid until the next call.
func (s *AudioSender) silence(packet []byte) []byte {
	const header, plain = 12, 2 << 6 // bytes without extensions, of version 2
	if len(packet) < header {
		return packet
	}
	s.silent = append(append(s.silent[:0], packet[:header]...), opusSilence[:]...)
	s.silent[0] = plain
	return s.silent
}

// deliver gives a packet to Out. The element mute is too far ahead for that: it
// silences what the source brings next, while the encoder still holds 20 ms of
// sound and, for packets that get lost, repeats it in the next one.
func (s *AudioSender) deliver(packet []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave(packet)
}

// leave gives a packet to Out. The caller holds the mutex.
func (s *AudioSender) leave(packet []byte) {
	if s.muted {
		packet = s.silence(packet)
	}
	s.out(packet)
}

// SetMusic sends the sound in stereo at the quality of music, or in mono as a voice. It needs the option Music, and may be
// called before Run, but not from Out. No sound is lost at a change.
func (s *AudioSender) SetMusic(music bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.qualities.choose(music, s.leave)
}

// Run sends until ctx ends (nil) or the pipeline fails.
func (s *AudioSender) Run(ctx context.Context) error {
	voice := func(ctx context.Context) {
		s.packets.PullTimed(ctx, func(packet []byte, at time.Duration) {
			s.age.Add(s.pipe.RunningTime()-at, aboutASecond)
			if s.music == nil {
				s.deliver(packet)
			} else {
				s.deliverOf(false, packet)
			}
		})
	}
	if s.music == nil {
		return s.run(ctx, voice)
	}
	return s.run(ctx, voice, func(ctx context.Context) {
		s.music.Pull(ctx, func(packet []byte) { s.deliverOf(true, packet) })
	})
}

// deliverOf is deliver for a packet of one of two encoders. Both have the same delay.
func (s *AudioSender) deliverOf(music bool, packet []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.qualities.pass(music, packet, s.leave)
}

// Age is the mean time from when sound was at the source until Out gets its packet.
func (s *AudioSender) Age() time.Duration { return s.age.Value() + opusDelay }
