// SPDX-License-Identifier: Apache-2.0

// Package linktest has what the tests of several packages under media/link need. It is not for programs.
package linktest

import (
	"testing"
	"time"

	"github.com/pion/rtp"
)

// Clock is a time that passes only when a test says so.
type Clock struct{ t time.Time }

// NewClock returns a clock that shows the same time in each test.
func NewClock() *Clock { return &Clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

// Now returns the time.
func (c *Clock) Now() time.Time { return c.t }

// Pass lets time pass.
func (c *Clock) Pass(d time.Duration) { c.t = c.t.Add(d) }

// PayloadType is that of the packets that Packet makes: the one of picture and sound in the scripts of 2020.
const PayloadType = 96

// Packet returns a marshalled RTP packet.
func Packet(t testing.TB, ssrc uint32, number uint16, payload []byte) []byte {
	t.Helper()
	b, err := (&rtp.Packet{
		Header:  rtp.Header{Version: 2, PayloadType: PayloadType, SequenceNumber: number, Timestamp: 3000 * uint32(number), SSRC: ssrc},
		Payload: payload,
	}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Beginnings of H.264 payloads. In the second byte of a slice the top bit is set in a picture's first slice only.
var (
	SPSUnit    = []byte{0x67, 0x42, 0xc0, 0x1f}
	IDRUnit    = []byte{0x65, 0x88, 0x84}
	IDRSecond  = []byte{0x65, 0x04, 0x84}
	DeltaUnit  = []byte{0x41, 0x9a, 0x02}
	IDRFUStart = []byte{0x7c, 0x85, 0x88}
)
