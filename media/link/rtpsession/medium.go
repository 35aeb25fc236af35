// SPDX-License-Identifier: Apache-2.0

package rtpsession

import "fmt"

// Medium tells picture from sound. Each is an RTP session of its own.
type Medium uint8

// The two media.
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
