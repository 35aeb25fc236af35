// SPDX-License-Identifier: Apache-2.0

package call

import (
	"time"

	"github.com/costream-obs/costream-obs/media/link"
)

// record passes a packet of the peer on to the recorder.
func (c *Call) record(m link.Medium, s link.Stream, packet []byte) {
	switch {
	case c.o.Recorder == nil:
	case m == link.Video:
		c.o.Recorder.Picture(s.ID, packet, time.Now())
	default:
		c.o.Recorder.Voice(s.ID, packet, time.Now())
	}
}

// recordReport does the same for a sender report.
func (c *Call) recordReport(m link.Medium, r link.ReceiveStats) {
	switch {
	case c.o.Recorder == nil:
	case m == link.Video:
		c.o.Recorder.PictureReport(r.Stream.ID, r.SenderNTP, r.SenderRTP, r.LastSenderReport)
	default:
		c.o.Recorder.VoiceReport(r.Stream.ID, r.SenderNTP, r.SenderRTP, r.LastSenderReport)
	}
}
