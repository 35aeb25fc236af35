// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/costream-obs/costream-obs/internal/mean"
	"github.com/costream-obs/costream-obs/media/internal/pipe"
)

const (
	// payloadType is the RTP payload type of both picture and sound, which are separate streams (the wire format of 2020).
	payloadType = 96
	// packetSize limits an RTP packet in bytes, so that it fits through VPNs, PPPoE, encryption and retransmission.
	packetSize = 1200
)

// namePackets is the name of the appsink or appsrc that moves RTP packets.
const namePackets = "packets"

// VideoSenderOptions configure a VideoSender.
type VideoSenderOptions struct {
	Source  VideoSource
	Encoder EncoderOptions
	// Card is the picture that Cover sends, of the source's size with even sides. Without one Cover sends nothing.
	Card Frame
	// Out gets each RTP packet (H.264, payload type 96, 90 kHz), from one
	// goroutine. It must not block; the packet is valid only during the call.
	Out func(packet []byte)
	Log *slog.Logger
}

const (
	// peekEvery is the least time between two pictures that Peek returns.
	peekEvery = 800 * time.Millisecond
	// peekFor is for how long pictures are kept on being taken after a Peek, and are returned after they were taken.
	peekFor = 3 * time.Second
)

// VideoSender captures and encodes pictures. It runs once; make a new one to
// start again.
type VideoSender struct {
	machine
	out     func([]byte)
	encoder encoder
	format  VideoFormat
	opens   time.Duration // how long the encoder may take for its first picture
	bare    bool          // Cover has no card to send
	images  *pipe.Source  // nil unless the source is an ImageSource or a RawSource
	enc     *pipe.Element
	thinner *pipe.Thinner
	pace    ratePace
	thinned thinned
	shrink  *pipe.Element
	size    atomic.Int64 // a Size
	cover   *pipe.Cover
	covered atomic.Bool
	peek    *pipe.Peek
	packets *pipe.Sink
	sink    *pipe.Element

	pushed, sent, bytes, frames atomic.Uint64

	encoding *pipe.Meter
	camera   *pipe.Meter // nil unless the source is a DeviceSource
	unsent   backlog

	age    mean.Mean
	newest time.Duration // the time of the last packet's picture
}

// VideoSenderStats count what a VideoSender did since it was made.
type VideoSenderStats struct {
	// Images is the number of pushed images. Those that are missing in Frames were dropped because the encoder was busy.
	Images uint64
	// Frames is the number of encoded pictures.
	Frames uint64
	// Packets and Bytes count RTP packets with their headers.
	Packets, Bytes uint64
}

// NewVideoSender makes a sender. The error wraps ErrFormat or a
// *MissingElementError.
func NewVideoSender(o VideoSenderOptions) (*VideoSender, error) {
	const what = "video sender"
	if o.Source == nil || o.Out == nil {
		return nil, errors.New(what + ": needs a source and a function for packets")
	}
	g, f, chosen, err := videoSenderGraph(o.Source, o.Encoder.normal())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if o.Card.Data != nil && !o.Card.is(f) {
		return nil, fmt.Errorf("%s: %w: the card has %dx%d pixels, the picture %dx%d", what, ErrFormat, o.Card.W, o.Card.H, f.W, f.H)
	}
	m, err := newPictureMachine(what, g, o.Log)
	if err != nil {
		return nil, err
	}
	s := &VideoSender{machine: m, out: o.Out, encoder: chosen, format: f, opens: startWithin, bare: o.Card.Data == nil}
	if chosen.row.hardware {
		m.pipe.Limit(startWithin, stopWithin)
	}
	s.pace.slow = o.Encoder.Choice.KeyOnRate
	if _, ok := o.Source.(ImageSource); ok {
		if err := m.pipe.ConvertFromJPEG(nameJPEG); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
	}
	switch o.Source.(type) {
	case ImageSource, RawSource, trialSource:
		if s.images, err = m.pipe.Source(nameImages); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
	}
	if s.enc, err = m.pipe.Element(nameEncoder); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	var card []byte
	if f := o.Card; f.Data != nil {
		card = padded(f.Data, f.W, f.H)
	}
	if s.thinner, err = m.pipe.Thinner(chosen.first); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if s.cover, err = m.pipe.Cover(chosen.first, card); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	// After the cover, so that it sees what is sent.
	if s.peek, err = m.pipe.Peek(chosen.first, peekEvery, peekFor); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if s.shrink, err = m.pipe.Element(nameSize); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	s.encoding = s.enc.Meter()
	if _, ok := o.Source.(DeviceSource); ok {
		camera, err := m.pipe.Element(nameCamera)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		s.camera = camera.SourceMeter()
	}
	if s.packets, err = m.pipe.Sink(namePackets); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if s.sink, err = m.pipe.Element(namePackets); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return s, nil
}

func videoSenderGraph(source VideoSource, o EncoderOptions) (graph, VideoFormat, encoder, error) {
	nodes, f, err := source.capture()
	if err != nil {
		return nil, f, encoder{}, err
	}
	chosen, err := chooseEncoder(o, f)
	if err != nil {
		return nil, f, encoder{}, err
	}
	nodes = append(nodes,
		caps(fmt.Sprintf("video/x-raw,format=I420,width=%d,height=%d,pixel-aspect-ratio=1/1,colorimetry=bt709", f.W, f.H)))
	return row(append(append(nodes, chosen.nodes...),
		element("rtph264pay", intProp("pt", payloadType), intProp("mtu", packetSize),
			// Parameter sets with each key frame, in the packet of the picture.
			"config-interval=-1", "aggregate-mode=zero-latency"),
		packetSink(),
	)...), f, chosen, nil
}

// packetSink takes each packet as soon as it is made: a synchronised sink would hold it for 53 ms (measured).
func packetSink() node {
	return element("appsink", prop("name", namePackets), "sync=false", "async=false")
}

// Run sends until ctx ends (nil) or the pipeline fails. The error wraps an *EncoderError if it is the encoder that fails.
func (s *VideoSender) Run(ctx context.Context) error {
	return s.blame(s.run(ctx, func(ctx context.Context) { s.packets.PullTimed(ctx, s.send) }, s.watchEncoder, s.pace.run(s.setBitrate)))
}

// Age is the mean time from when a picture entered the pipeline, from the device or by PushImage, until Out gets its first
// packet.
func (s *VideoSender) Age() time.Duration { return s.age.Value() }

func (s *VideoSender) send(packet []byte, at time.Duration) {
	if at != s.newest {
		s.newest = at
		s.age.Add(s.pipe.RunningTime()-at, aboutASecond)
	}
	s.sent.Add(1)
	s.bytes.Add(uint64(len(packet)))
	// The marker bit is set in the last packet of a picture (RFC 6184).
	if len(packet) > 1 && packet[1]&0x80 != 0 {
		frames := s.frames.Add(1)
		if entered, ok := s.entered(); ok {
			s.unsent.look(entered-min(s.thinner.Held(), entered), frames)
		}
	}
	s.out(packet)
}

// entered is how many pictures the source has brought, if that is known.
func (s *VideoSender) entered() (uint64, bool) {
	switch {
	case s.images != nil:
		return s.pushed.Load(), true
	case s.camera != nil:
		return s.camera.Read().Entered, true
	}
	return 0, false
}

// EncoderLoad is what the encoder did since the sender was made.
type EncoderLoad struct {
	Name   string // of its GStreamer element, such as x264enc
	Frames uint64
	Busy   time.Duration // from when each picture entered the encoder until it left, added up
	// Smaller is the size to which pictures are shrunk before, such as 640x360; empty where they keep theirs.
	Smaller string
}

// Load is how much work the encoder has.
func (s *VideoSender) Load() EncoderLoad {
	r := s.encoding.Read()
	return EncoderLoad{Name: s.encoder.row.name, Frames: r.Left, Busy: r.Busy, Smaller: s.smaller()}
}

// Dropped is how many pictures were replaced by newer ones because the sender was too slow for them. It is not known for a
// TestSource.
func (s *VideoSender) Dropped() (count uint64, known bool) {
	_, known = s.entered()
	return s.unsent.dropped(), known
}

// PushImage takes the next JPEG image of an ImageSource, or the next picture of a RawSource, and copies it. It never blocks:
// a new image replaces one that waits. Images are dropped while the sender does not run.
func (s *VideoSender) PushImage(image []byte) {
	if s.images == nil {
		return
	}
	if err := s.images.Push(image); err == nil {
		s.pushed.Add(1)
	}
}

// Cover sends the card, or the pictures again. No picture that came into the encoder after Cover(true) has returned is sent; those
// before it may be under way. It may be called from any goroutine, also before Run.
func (s *VideoSender) Cover(on bool) {
	s.covered.Store(on)
	s.cover.Set(on)
}

// Peek returns one of the pictures that are sent, about one each second, as it goes into the encoder: the card while that covers
// them. ok is false where there is none of the last peekFor, as at the first call. While nobody calls it, it costs nothing. It
// may be called from any goroutine.
func (s *VideoSender) Peek() (f Frame, ok bool) {
	data := s.peek.Look()
	if len(data) != s.format.FrameSize() {
		return Frame{}, false
	}
	return Frame{Data: data, W: s.format.W, H: s.format.H}, true
}

// ForceKeyFrame makes the next picture a key frame.
func (s *VideoSender) ForceKeyFrame() {
	if err := s.sink.ForceKeyFrame(); err != nil {
		s.log.Debug("no key frame", "err", err)
	}
}

// SetBitrate changes the target, in kbit/s, without a glitch. Where each change makes a key frame, small changes wait.
func (s *VideoSender) SetBitrate(kbps int) {
	s.thinned.set(max(kbps, 1), s.passBitrate)
}

func (s *VideoSender) setBitrate(kbps int) {
	for _, p := range s.encoder.bitrate(kbps, s.thinned.vbv(kbps)) {
		s.enc.Set(p.name, p.value)
	}
}

// Stats returns the counts so far.
func (s *VideoSender) Stats() VideoSenderStats {
	return VideoSenderStats{
		Images:  s.pushed.Load(),
		Frames:  s.frames.Load(),
		Packets: s.sent.Load(),
		Bytes:   s.bytes.Load(),
	}
}
