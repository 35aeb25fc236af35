// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"bytes"
	"encoding/binary"
	"sync"
	"time"

	"github.com/pion/rtcp"
)

const (
	// resendInterval is the shortest time between two copies of one packet.
	resendInterval = 5 * time.Millisecond

	// historyLength is how many packets can be sent again: 1.5 s at 6 Mbit/s.
	historyLength = 1024
)

// History keeps the newest datagrams of one stream, to send the very same again: a packet that is encrypted anew with
// anything changed, be it its transport-wide number, would use a nonce of AES-GCM twice. Safe for concurrent use. The
// zero value is empty.
type History struct {
	mu        sync.Mutex
	datagrams [historyLength]sentDatagram // by sequence number
}

type sentDatagram struct {
	bytes []byte
	sent  time.Time // zero when there is none
}

// Forget empties it, because no copy is worth sending or could be decrypted.
func (h *History) Forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.datagrams {
		h.datagrams[i].sent = time.Time{}
	}
}

// Keep notes a datagram, which is an encrypted RTP packet.
func (h *History) Keep(now time.Time, datagram []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d := &h.datagrams[binary.BigEndian.Uint16(datagram[2:])%historyLength]
	d.bytes, d.sent = append(d.bytes[:0], datagram...), now
}

// Copies returns copies of the datagrams that a NACK asks for and that may be sent again now.
func (h *History) Copies(now time.Time, nack *rtcp.TransportLayerNack) (copies [][]byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, pair := range nack.Nacks {
		pair.Range(func(number uint16) bool {
			if b := h.copy(now, nack.MediaSSRC, number); b != nil {
				copies = append(copies, b)
			}
			return true
		})
	}
	return copies
}

// Before returns a copy of the datagram before the one with a number, or nil.
func (h *History) Before(now time.Time, ssrc uint32, number uint16) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.copy(now, ssrc, number-1)
}

func (h *History) copy(now time.Time, ssrc uint32, number uint16) []byte {
	d := &h.datagrams[number%historyLength]
	if d.sent.IsZero() || now.Sub(d.sent) < resendInterval ||
		binary.BigEndian.Uint16(d.bytes[2:]) != number || binary.BigEndian.Uint32(d.bytes[8:]) != ssrc {
		return nil
	}
	d.sent = now
	return bytes.Clone(d.bytes)
}
