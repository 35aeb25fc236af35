// SPDX-License-Identifier: Apache-2.0

// Package link moves RTP packets between two peers over UDP: who may send to us, which port is for what, sender and
// receiver reports, requests for key frames, and figures about all that.
//
// It knows nothing of pictures or sound beyond where an H.264 picture or key frame begins. A plain link hands packets on as
// they arrive. A secure link gets lost ones again and hands them on in their order, sets the rate of the picture to what
// the path takes, and holds nothing back that could be shown. The package does not depend on GStreamer or on cgo.
package link

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrClosed is returned by WriteRTP once the link's Run has returned.
var ErrClosed = errors.New("link: closed")

// ErrNotSending is returned by WriteRTP of a link that was made only to receive.
var ErrNotSending = errors.New("link: made to receive only")

// Medium tells picture from sound. Each is an RTP session of its own.
type Medium uint8

// The two media of a link.
const (
	Video Medium = iota // H.264, RTP clock of 90 kHz
	Audio               // Opus, RTP clock of 48 kHz
)

func (m Medium) String() string {
	switch m {
	case Video:
		return "video"
	case Audio:
		return "audio"
	default:
		return fmt.Sprintf("medium %d", uint8(m))
	}
}

func (m Medium) clockRate() uint32 {
	if m == Audio {
		return 48000
	}
	return 90000
}

// Stream is one run of the peer's sender. A sender that starts again is a new Stream even if it kept its SSRC, and needs
// a new decoder, since nothing of the old run's state applies to it.
type Stream struct {
	ID   uint64 // counts from 1 over the link's life, separately for each Medium
	SSRC uint32
}

// Link is a connection to one peer. All methods are safe for concurrent use.
type Link interface {
	// Run moves packets until ctx ends, then says goodbye to the peer and returns nil; after that no packet leaves any
	// more and no Handler function is called. It returns an error when a socket dies before. A Link runs only once.
	Run(ctx context.Context) error

	// WriteRTP queues one marshalled RTP packet for the peer. It copies the packet and never blocks: when the network
	// takes packets too slowly the packet is dropped and counted in SendStats.Dropped, which is no error. Packets that are
	// written before Run wait for it.
	WriteRTP(m Medium, packet []byte) error

	// SetAge tells how long ago, on average, was captured what WriteRTP gets now: at first 0. Sender reports then say when
	// by this machine's clock picture and voice were captured, so that the peer can put them together again.
	SetAge(m Medium, age time.Duration)

	// RequestKeyFrame asks the peer for a key frame as soon as the rate limit allows, and again until one arrives. The
	// link does this by itself for a new stream and after loss; it is for decoders that see damage where no packet is
	// missing. Without an incoming video stream it does nothing.
	RequestKeyFrame()

	// Stats returns the figures up to now.
	Stats() Stats

	// Close releases the ports of a link that was never run. After Run was called it does nothing.
	Close() error
}

// Handler holds what a link calls from the goroutines of its Run. The functions must not block: while one runs, packets
// pile up in the socket. A nil function is not called.
type Handler struct {
	// RTP takes one packet of the peer. The packet is valid only during the call. Calls for one Medium come one after
	// the other, calls for different media may overlap. A secure link calls it in the order in which packets were sent,
	// for whole pictures, and for none that needs a lost one.
	RTP func(m Medium, s Stream, packet []byte)

	// End tells that a stream is over: the peer said goodbye, or was silent for 2 s, or a new stream takes its place.
	// No packet of the stream follows.
	End func(m Medium, s Stream)

	// KeyFrameRequest tells that the peer cannot show pictures until it gets a key frame. It is called at most five
	// times a second however often the peer asks.
	KeyFrameRequest func()

	// Bitrate tells what the path takes of a picture, in bit/s, when a session begins and when that has changed by more
	// than a few percent. A plain link does not know.
	Bitrate func(bits int)
}
