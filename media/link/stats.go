// SPDX-License-Identifier: Apache-2.0

package link

import (
	"net/netip"
	"time"

	"github.com/costream-obs/costream-obs/media/link/bwe"
	"github.com/costream-obs/costream-obs/media/link/rtpsession"
)

// Stats are the figures of a link since it was made, except where a comment says otherwise.
type Stats struct {
	Peer  netip.Addr    // where we send to; for a name the address that it resolved to last; zero while a secure link looks for the peer
	RTT   time.Duration // of the newest checks on a secure link's path, smoothed
	Video MediumStats
	Audio MediumStats

	// Bitrate is what the path takes of our picture, in bit/s; 0 on a plain link.
	Bitrate int
	// Out and In are what went over a secure link in each direction, both media together, before lost packets were
	// recovered. A plain link has none.
	Out, In Counts
}

// MediumStats are the two directions of one medium.
type MediumStats struct {
	Send    SendStats
	Receive ReceiveStats
}

// The figures of one direction are those of an RTP session.
type (
	SendStats    = rtpsession.SendStats    // what we sent, and what the peer says about it
	ReceiveStats = rtpsession.ReceiveStats // what came
	Counts       = bwe.Counts              // datagrams of one direction
)
