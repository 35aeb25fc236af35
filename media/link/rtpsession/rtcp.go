// SPDX-License-Identifier: Apache-2.0

package rtpsession

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/pion/rtcp"
)

// reportInterval is the time between two reports. RFC 3550's 5 s is for conferences; between two peers more is allowed
// and makes the round-trip time fresher.
const reportInterval = time.Second

// NewCNAME returns a name that ties the SSRCs of one link together, so that a 2020 receiver (rtpbin) plays picture and
// sound in time with each other. It is random as RFC 7022 wants it: it tells nothing about the machine.
func NewCNAME() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.StdEncoding.EncodeToString(b[:])
}

// RandomSSRC returns an SSRC (RFC 3550, 8.1).
func RandomSSRC() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return binary.BigEndian.Uint32(b[:])
}

// compound marshals RTCP packets from ssrc as RFC 3550 6.1 wants a datagram: a report first, then the CNAME.
func compound(ssrc uint32, cname string, packets ...rtcp.Packet) ([]byte, error) {
	all := make([]rtcp.Packet, 0, len(packets)+2)
	rest := packets
	if len(packets) > 0 && isReport(packets[0]) {
		all = append(all, packets[0])
		rest = packets[1:]
	} else {
		all = append(all, &rtcp.ReceiverReport{SSRC: ssrc})
	}
	all = append(all, rtcp.NewCNAMESourceDescription(ssrc, cname))
	return rtcp.Marshal(append(all, rest...))
}

func isReport(p rtcp.Packet) bool {
	switch p.(type) {
	case *rtcp.SenderReport, *rtcp.ReceiverReport:
		return true
	default:
		return false
	}
}

// isVersion2 tells whether a datagram can be RTP or RTCP at all; pion does not check this.
func isVersion2(datagram []byte) bool { return len(datagram) > 0 && datagram[0]>>6 == 2 }

// SteadyClock returns a clock that starts with the system's and goes on evenly when that is set. A link has one for all that
// its reports say as NTP time: what the two sides work out of that are differences.
func SteadyClock() func() time.Time {
	began := time.Now()
	return func() time.Time { return began.Add(time.Since(began)) }
}

// ntpMiddle returns the middle 32 bits of the NTP time, in units of 1/65536 s, as reports carry it.
func ntpMiddle(t time.Time) uint32 {
	seconds := uint64(t.Unix()) << 16
	fraction := uint64(t.Nanosecond()) << 16 / uint64(time.Second)
	const toNTP = 2208988800 << 16 // NTP counts from 1900
	return uint32(seconds + fraction + toNTP)
}

// roundTrip works out the round-trip time from one reception report; 0 when it cannot be known.
func roundTrip(now time.Time, r rtcp.ReceptionReport) time.Duration {
	if r.LastSenderReport == 0 {
		return 0
	}
	units := ntpMiddle(now) - r.LastSenderReport - r.Delay
	// A clock that was set meanwhile, or a made-up report.
	if units > 60<<16 {
		return 0
	}
	return time.Duration(units) * time.Second / (1 << 16)
}
