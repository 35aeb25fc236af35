// SPDX-License-Identifier: Apache-2.0

// Package link moves RTP packets between two peers over UDP. It ties together what the packages below it do: udp the ports,
// ice where the peer is, dtlssrtp the encryption, rtpsession the reports and requests, jitter the order of packets, repair
// lost ones, and bwe the bit rate. Plain is the link of 2020, Secure the one of two peers who are paired.
//
// It knows nothing of pictures or sound beyond where an H.264 picture or key frame begins. A plain link passes packets on as
// they arrive. A secure link gets lost ones again and passes them on in their order, sets the rate of the picture to
// what the path takes, and delays nothing that could be shown. The package does not depend on GStreamer or on cgo.
package link

import (
	"context"
	"errors"
	"time"

	"github.com/costream-obs/costream-obs/media/link/ice"
	"github.com/costream-obs/costream-obs/media/link/rtpsession"
	"github.com/costream-obs/costream-obs/media/link/tally"
	"github.com/costream-obs/costream-obs/media/link/udp"
)

// ErrClosed is returned by WriteRTP once the link's Run has returned.
var ErrClosed = errors.New("link: closed")

// ErrNotSending is returned by WriteRTP of a link that was made only to receive.
var ErrNotSending = errors.New("link: made to receive only")

// What the packages below define and users of a link meet, who need to import this package alone.
type (
	Medium      = rtpsession.Medium // picture or sound
	Stream      = rtpsession.Stream // one run of the peer's sender
	ProbeReport = ice.ProbeReport   // how well datagrams get to the peer and back
	PortError   = udp.PortError     // a port could not be bound
	NameError   = udp.NameError     // an address or name could not be used
	Tally       = tally.State       // what one side tells the other of itself
)

// The two media of a link.
const (
	Video = rtpsession.Video // H.264, RTP clock of 90 kHz
	Audio = rtpsession.Audio // Opus, RTP clock of 48 kHz
)

// ProbeVersion is that of what peers say to each other on a secure link.
const ProbeVersion = ice.ProbeVersion

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

	// Tally tells what the peer says of itself, with each change; known is false when nothing is known any more, or yet. A
	// peer of an older version says nothing. Calls do not overlap, and must not wait for one of SetTally.
	Tally func(peer Tally, known bool)
}
