// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/costream-obs/costream-obs/internal/lipsync"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
)

// togetherEvery is how often it is looked whether voice and picture come together.
const togetherEvery = time.Second

// together makes the peer's voice and picture arrive together, and tells the peer what it takes to
// do the same with ours.
type together struct {
	air    *air
	sync   *lipsync.Sync
	last   lipsync.Waits
	voice  *media.AudioReceiver // whose breaks were counted last
	breaks int                  // of the voice, as last told
	late   int                  // how often the sound server came late for it, as last told
	buffer voiceBuffer
	wait   atomic.Int64              // of the voice, in nanoseconds
	seen   map[link.Medium]time.Time // when the newest sender report came
	side   map[link.Medium]lipsync.Medium
}

func newTogether(a *air) *together {
	s := lipsync.New(a.o.avOffset)
	return &together{
		air: a, sync: s, seen: make(map[link.Medium]time.Time),
		side: map[link.Medium]lipsync.Medium{link.Video: s.Video(), link.Audio: s.Audio()},
	}
}

// arrived takes a packet as it comes.
func (t *together) arrived(m link.Medium, s link.Stream, packet []byte) {
	// The marker bit ends a picture (RFC 6184).
	if len(packet) < rtpHeader || m == link.Video && packet[1]&0x80 == 0 {
		return
	}
	t.side[m].Arrived(s.ID, binary.BigEndian.Uint32(packet[4:]), time.Now())
}

// run looks again and again, until ctx ends.
func (t *together) run(ctx context.Context) {
	tick := time.NewTicker(togetherEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if l := t.air.link.Load(); l != nil {
				t.look(*l, now)
			}
		}
	}
}

func (t *together) look(l link.Link, now time.Time) {
	a := t.air
	if s := a.videoSender.Load(); s != nil {
		l.SetAge(link.Video, s.Age()+a.o.legs.picture.Value())
	}
	if s := a.audioSender.Load(); s != nil {
		l.SetAge(link.Audio, s.Age()+a.o.legs.voice.Value())
	}
	stats := l.Stats()
	t.report(link.Video, stats.Video.Receive)
	t.report(link.Audio, stats.Audio.Receive)
	if r, ok := a.video.running().(*media.VideoReceiver); ok && r.Latency() > 0 {
		t.side[link.Video].Output(r.Latency() + time.Duration(a.o.legs.screen.Load()))
	}
	voice, ok := a.audio.running().(*media.AudioReceiver)
	if ok && voice.Latency() > 0 {
		t.side[link.Audio].Output(voice.Latency() - recordLeg)
		t.noteBreaks(voice, now)
	}
	waits := t.sync.Look(now)
	t.wait.Store(int64(waits.Audio))
	a.video.hold(waits.Video)
	if ok {
		voice.SetDelay(waits.Audio)
	}
	if waits == t.last {
		return
	}
	t.last = waits
	a.o.log.Debug("voice and picture are brought together", "voice waits", waits.Audio, "picture waits", waits.Video)
}

// noteBreaks looks how often the voice broke off, and gives it a larger buffer where that is too often.
func (t *together) noteBreaks(voice *media.AudioReceiver, now time.Time) {
	a := t.air
	n, late := voice.Breaks(), voice.Late()
	if voice != t.voice {
		t.voice, t.breaks, t.late = voice, 0, 0 // It counts from its own beginning.
	}
	// A receiver that takes its place does not have to find out anew.
	a.voiceSpare.Store(int64(voice.Spare()))
	if n != t.breaks {
		a.o.log.Debug("the peer's voice broke off", "times", n, "latency", voice.Latency())
	}
	before := max(t.buffer.size, leastBuffer)
	if t.buffer.note(late-t.late, now) {
		a.o.log.Info("the sound server comes late for the peer's voice and gets more of it in hand", "buffer", t.buffer.size)
		a.voiceBuffer.Store(int64(t.buffer.size))
		// PipeWire takes at once half of what it has in hand, so that the sound must be there earlier (1.4.2).
		a.voiceSpare.Add(int64(t.buffer.size-before) / 2)
		a.renewVoice()
	}
	t.breaks, t.late = n, late
}

// report passes on a sender report that is new.
func (t *together) report(m link.Medium, r link.ReceiveStats) {
	if r.Stream.ID != 0 && r.LastSenderReport.After(t.seen[m]) {
		t.seen[m] = r.LastSenderReport
		t.side[m].Report(r.Stream.ID, r.SenderNTP, r.SenderRTP)
	}
}

// voiceWait is how long the voice waits now.
func (t *together) voiceWait() time.Duration { return time.Duration(t.wait.Load()) }
