// SPDX-License-Identifier: Apache-2.0

package rtpsession

import (
	"net/netip"
	"time"
)

// SendStats tell what we sent and what the peer says about it. The peer's figures are zero until its first report about
// the current SSRC; a 2020 peer takes up to 5 s for that.
type SendStats struct {
	SSRC             uint32 // of the newest packet
	Packets          uint64
	Bytes            uint64 // RTP headers included, UDP and IP headers not
	Dropped          uint64 // packets that found the queue to the socket full or no peer, or that the socket refused
	Resent           uint64 // packets that the peer asked for again
	Late             uint64 // pictures that a secure link gave up because they waited too long to be sent
	LastSent         time.Time
	KeyFrameRequests uint64 // received from the peer about the current SSRC, before rate limiting

	LastReport         time.Time // when the peer's newest receiver report came
	RemoteLost         int64     // packets of the current SSRC that the peer misses, by its newest report
	RemoteFractionLost float64   // share of packets lost between the peer's two newest reports, 0 to 1
	RemoteJitter       time.Duration
	RTT                time.Duration // from the peer's newest report that answers one of our sender reports
}

// ReceiveStats tell what came from the peer. Lost, Reordered, Duplicates and Jitter are those of the current stream.
type ReceiveStats struct {
	Stream           Stream         // zero while nothing arrives
	Source           netip.AddrPort // where the current stream comes from
	Packets          uint64
	Bytes            uint64 // RTP headers included, UDP and IP headers not
	Lost             int64  // sequence numbers that never came
	Reordered        uint64 // packets that came after a later one
	Duplicates       uint64
	Jitter           time.Duration // interarrival jitter as RFC 3550 6.4.1 defines it
	Ignored          uint64        // packets that were no RTP of ours or came from someone else than the current source
	LastArrival      time.Time     // of the newest packet that was not ignored
	LastSenderReport time.Time
	SenderNTP        uint64 // of that report: a time by the peer's clock (RFC 3550 6.4.1)
	SenderRTP        uint32 // of that report: the RTP time of what the peer captured then
	KeyFrameRequests uint64 // sent to the peer
	Requested        uint64 // packets asked for because they were missing
	Restored         uint64 // missing packets worked out from parity
	Broken           uint64 // pictures that were given up, since packets of them or of one that they need never came; on a secure link
}
