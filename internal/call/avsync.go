// SPDX-License-Identifier: Apache-2.0

package call

import (
	"context"
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/costream-obs/costream-obs/internal/lipsync"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
)

// syncEvery is how often A/V sync is checked.
const syncEvery = time.Second

// avSync keeps the peer's voice and picture together, and sends the peer what it needs to do the same with ours.
type avSync struct {
	call   *Call
	sync   *lipsync.Sync
	last   lipsync.Waits
	voice  *media.AudioReceiver // the one whose breaks are counted
	breaks int                  // of the voice, at the last check
	late   int                  // how often the sound server came late for it, at the last check
	buffer voiceBuffer
	wait   atomic.Int64              // of the voice, in nanoseconds
	seen   map[link.Medium]time.Time // when the newest sender report came
	side   map[link.Medium]lipsync.Medium
}

func newAVSync(c *Call) *avSync {
	sync := lipsync.New(c.o.AVOffset)
	return &avSync{
		call: c, sync: sync, seen: make(map[link.Medium]time.Time),
		side: map[link.Medium]lipsync.Medium{link.Video: sync.Video(), link.Audio: sync.Audio()},
	}
}

// arrived takes a packet at its arrival.
func (s *avSync) arrived(m link.Medium, stream link.Stream, packet []byte) {
	// The marker bit is set in the last packet of a picture (RFC 6184).
	if len(packet) < rtpHeader || m == link.Video && packet[1]&0x80 == 0 {
		return
	}
	s.side[m].Arrived(stream.ID, binary.BigEndian.Uint32(packet[4:]), time.Now())
}

// run checks repeatedly until ctx ends.
func (s *avSync) run(ctx context.Context) {
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if l := s.call.Link(); l != nil {
				s.look(l, now)
			}
		}
	}
}

func (s *avSync) look(l link.Link, now time.Time) {
	c := s.call
	if v := c.videoSender.Load(); v != nil {
		l.SetAge(link.Video, v.Age()+valueOf(c.o.External.Picture))
	}
	if a := c.audioSender.Load(); a != nil {
		l.SetAge(link.Audio, a.Age()+valueOf(c.o.External.Voice))
	}
	stats := l.Stats()
	s.report(link.Video, stats.Video.Receive)
	s.report(link.Audio, stats.Audio.Receive)
	if r, ok := c.video.running().(*media.VideoReceiver); ok && r.Latency() > 0 {
		s.side[link.Video].Output(r.Latency() + valueOf(c.o.External.Screen))
	}
	voice, ok := c.audio.running().(*media.AudioReceiver)
	if ok && voice.Latency() > 0 {
		s.side[link.Audio].Output(voice.Latency() - c.o.External.Speaker)
		s.noteBreaks(voice, now)
	}
	waits := s.sync.Look(now)
	s.wait.Store(int64(waits.Audio))
	c.video.hold(waits.Video)
	if ok {
		voice.SetDelay(waits.Audio)
	}
	if waits == s.last {
		return
	}
	s.last = waits
	c.o.Log.Debug("voice and picture are brought together", "voice waits", waits.Audio, "picture waits", waits.Video)
}

// noteBreaks counts how often the voice broke off, and gives it a larger buffer if that is too often.
func (s *avSync) noteBreaks(voice *media.AudioReceiver, now time.Time) {
	c := s.call
	n, late := voice.Breaks(), voice.Late()
	if voice != s.voice {
		s.voice, s.breaks, s.late = voice, 0, 0 // A new receiver counts from 0.
	}
	// The next receiver starts with this value.
	c.voiceSpare.Store(int64(voice.Spare()))
	if n != s.breaks {
		c.o.Log.Debug("the peer's voice broke off", "times", n, "latency", voice.Latency())
	}
	before := max(s.buffer.size, leastBuffer)
	if s.buffer.note(late-s.late, now) {
		c.o.Log.Info("the sound server comes late for the peer's voice and gets more of it in hand", "buffer", s.buffer.size)
		c.voiceBuffer.Store(int64(s.buffer.size))
		// PipeWire takes half of its buffer at once, so the sound must be there that much earlier (1.4.2).
		c.voiceSpare.Add(int64(s.buffer.size-before) / 2)
		c.audio.renew()
	}
	s.breaks, s.late = n, late
}

// report passes on a sender report if it is new.
func (s *avSync) report(m link.Medium, r link.ReceiveStats) {
	if r.Stream.ID != 0 && r.LastSenderReport.After(s.seen[m]) {
		s.seen[m] = r.LastSenderReport
		s.side[m].Report(r.Stream.ID, r.SenderNTP, r.SenderRTP, r.LastSenderReport)
		s.call.recordReport(m, r)
	}
}

// voiceWait is the delay that A/V sync gives the voice now.
func (s *avSync) voiceWait() time.Duration { return time.Duration(s.wait.Load()) }

// valueOf is 0 for a latency that nobody measures.
func valueOf(f func() time.Duration) time.Duration {
	if f == nil {
		return 0
	}
	return f()
}
