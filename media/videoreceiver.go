// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/costream-obs/costream-obs/internal/mean"
	"github.com/costream-obs/costream-obs/media/internal/pipe"
)

// patience is how long we wait for a missing packet: a little longer than the 30 ms after which the link asks for a key
// frame. Packets in order are not delayed (measured).
const patience = 40 * time.Millisecond

// nameFrames is the name of the appsink or appsrc that moves pictures.
const nameFrames = "frames"

// nameScale is the name of the element that scales the peer's picture.
const nameScale = "scale"

// VideoReceiverOptions configure a VideoReceiver.
type VideoReceiverOptions struct {
	// Format is the size of the pictures for Out. The peer's picture is scaled into it, with black borders if the aspect
	// ratio differs. Odd sides are rounded down to even. Pictures come at the peer's rate, not at that of Format.
	Format VideoFormat
	// Ordered says that packets come in order and that waiting for missing ones is useless, so there is no jitter buffer.
	Ordered bool
	// Out gets each picture as soon as it is decoded, from one goroutine. Its data is valid only during the call. While Out
	// is busy, a newer picture replaces the one that waits.
	Out func(Frame)
	Log *slog.Logger
}

// VideoReceiver decodes one incoming stream of pictures. It runs once; a stream
// with another SSRC needs a new one.
type VideoReceiver struct {
	machine
	out     func(Frame)
	format  VideoFormat
	packets *pipe.Source
	frames  *pipe.Sink
	scale   *pipe.Element
	tight   []byte // buffer for pictures that GStreamer pads
	latency mean.Mean

	pushed, shown atomic.Uint64 // pictures
	unshown       backlog
}

// NewVideoReceiver makes a receiver. The error wraps ErrFormat or a
// *MissingElementError.
func NewVideoReceiver(o VideoReceiverOptions) (*VideoReceiver, error) {
	const what = "video receiver"
	if o.Out == nil {
		return nil, errors.New(what + ": needs a function for pictures")
	}
	f, err := o.Format.normal()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	m, err := newPictureMachine(what, videoReceiverGraph(f, o.Ordered), o.Log)
	if err != nil {
		return nil, err
	}
	r := &VideoReceiver{machine: m, out: o.Out, format: f, tight: make([]byte, f.FrameSize())}
	if r.packets, err = m.pipe.Source(namePackets); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if r.scale, err = m.pipe.Element(nameScale); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if r.frames, err = m.pipe.Sink(nameFrames); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return r, nil
}

func videoReceiverGraph(f VideoFormat, ordered bool) graph {
	nodes := []node{packetSource("video", "H264", 90000)}
	if !ordered {
		nodes = append(nodes, element("rtpjitterbuffer", intProp("latency", int(patience.Milliseconds())), "do-lost=true"))
	}
	return row(append(nodes,
		element("rtph264depay"),
		element("h264parse"),
		// Frame threads would delay each picture by one (33 ms at 30 fps).
		element("avdec_h264", "thread-type=slice", "max-threads=1"),
		newest(),
		// Every stream is treated as BT.709, whatever it claims: a peer of 2020 passes on what its loopback device claims.
		element("videoconvert", "matrix-mode=none"),
		element("videoscale", prop("name", nameScale), "add-borders=true"),
		caps(fmt.Sprintf("video/x-raw,format=I420,width=%d,height=%d,pixel-aspect-ratio=1/1,colorimetry=bt709", f.W, f.H)),
		element("appsink", prop("name", nameFrames), "sync=false", "async=false", "max-buffers=1", "drop=true"),
	)...)
}

// packetSource takes RTP packets and stamps them with their time of arrival.
func packetSource(media, encoding string, clock int) node {
	return element("appsrc", prop("name", namePackets), "is-live=true", "format=time", "do-timestamp=true", "max-bytes=0",
		prop("caps", fmt.Sprintf("application/x-rtp,media=(string)%s,clock-rate=(int)%d,encoding-name=(string)%s,payload=(int)%d",
			media, clock, encoding, payloadType)))
}

// Push gives the receiver one RTP packet, which is copied. It does not block.
// Packets pushed while the receiver does not run are dropped.
func (r *VideoReceiver) Push(packet []byte) {
	err := r.packets.Push(packet)
	if err != nil && !errors.Is(err, pipe.ErrNotRunning) {
		r.log.Debug("packet refused", "what", r.what, "err", err)
	}
	// The marker bit is set in the last packet of a picture (RFC 6184).
	if err == nil && len(packet) > 1 && packet[1]&0x80 != 0 {
		r.pushed.Add(1)
	}
}

// Dropped is how many of the pictures whose last packet was pushed were not given to Out: where all of their packets are
// pushed, those that came while the receiver was too slow.
func (r *VideoReceiver) Dropped() uint64 { return r.unshown.dropped() }

// Run receives until ctx ends (nil) or the pipeline fails.
func (r *VideoReceiver) Run(ctx context.Context) error {
	return r.run(ctx, func(ctx context.Context) { r.frames.PullTimed(ctx, r.show) })
}

// Latency is the mean time from the Push of a picture's packets to its Out.
func (r *VideoReceiver) Latency() time.Duration { return r.latency.Value() }

func (r *VideoReceiver) show(data []byte, at time.Duration) {
	r.latency.Add(r.pipe.RunningTime()-at, aboutASecond)
	r.unshown.look(r.pushed.Load(), r.shown.Add(1))
	w, h := r.format.W, r.format.H
	if len(data) != len(r.tight) {
		if _, size := i420Planes(w, h); len(data) != size {
			r.log.Warn("picture of a strange size", "bytes", len(data), "want", size)
			return
		}
		unpad(r.tight, data, w, h)
		data = r.tight
	}
	r.out(Frame{Data: data, W: w, H: h, Area: r.area()})
}

// area is where videoscale puts the peer's picture between its borders.
func (r *VideoReceiver) area() image.Rectangle {
	w, h := r.scale.InputSize()
	return fitted(w, h, r.format.W, r.format.H)
}

// fitted is the part of a frame that videoscale covers with a picture, keeping its aspect ratio.
func fitted(w, h, frameW, frameH int) image.Rectangle {
	all := image.Rect(0, 0, frameW, frameH)
	if w <= 0 || h <= 0 {
		return all
	}
	if height := frameW * h / w; height <= frameH {
		all.Min.Y, all.Max.Y = centred(height, frameH)
	} else {
		all.Min.X, all.Max.X = centred(frameH*w/h, frameW)
	}
	return all
}

// centred is where videoscale puts a length in the middle: it begins at an even line (measured, GStreamer 1.22). A line at
// the end that shares its colour with the border is not counted, because I420 has one colour for two lines.
func centred(length, room int) (from, to int) {
	from = (room - length) / 2 &^ 1
	if to = (from + length) &^ 1; from == to {
		return 0, room
	}
	return from, to
}
