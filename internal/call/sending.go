// SPDX-License-Identifier: Apache-2.0

package call

import (
	"context"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
)

const (
	// keyDistance is the time between two key frames for a peer that cannot ask for one, as those of 2020. askedKeyDistance
	// is for a peer that can, and gets one whenever it asks.
	keyDistance      = 2 * time.Second
	askedKeyDistance = 100 * time.Second
)

// keyInterval is the number of pictures between two regular key frames.
func (o *Options) keyInterval() int {
	distance := keyDistance
	if o.PeerAsks {
		distance = askedKeyDistance
	}
	return int(distance / max(o.FrameTime, time.Millisecond))
}

// setBitrate sets our picture's bitrate to what the path to the peer allows, in kbit/s.
func (c *Call) setBitrate(kbps int) {
	c.kbps.set(kbps)
	if last := c.kbpsLogged.Load(); !Alike(int(last), kbps) && c.kbpsLogged.CompareAndSwap(last, int64(kbps)) {
		c.o.Log.Info("bit rate of our picture", "kbit/s", kbps)
	}
}

// Alike reports whether two bitrates differ by less than a quarter, which is not worth a report.
func Alike(a, b int) bool { return 4*min(a, b) >= 3*max(a, b) }

// send passes a packet to the current link.
func (c *Call) send(m link.Medium, o *outgoing, packet []byte) {
	if c.halted.Load() {
		return
	}
	packet = o.next(packet, time.Now())
	if l := c.Link(); l != nil {
		// The link counts what it drops, and an error of a closing link does not matter.
		_ = l.WriteRTP(m, packet)
	}
}

func (c *Call) runAudio(ctx context.Context, started func()) error {
	// While there is no sound server, each try of GStreamer's pulsesrc leaks a thread and a pipe (1.22.0, measured). So ask
	// before.
	if err := (pulse.Client{}).CheckSource(ctx, c.o.Microphone); err != nil {
		return err
	}
	if c.o.VoiceOpens != nil {
		c.o.VoiceOpens()
	}
	var once sync.Once
	s, err := media.NewAudioSender(media.AudioSenderOptions{
		Device: c.o.Microphone,
		Level:  c.o.VoiceLevel,
		Music:  c.o.Music,
		Out: func(packet []byte) {
			once.Do(started)
			c.send(link.Audio, c.audioOut, packet)
		},
		Log: c.o.Log,
	})
	if err != nil {
		return err
	}
	c.audioSender.Store(s)
	defer c.audioSender.Store(nil)
	c.muted.attach(s.SetMuted)
	defer c.muted.detach()
	if c.o.Music {
		c.music.attach(s.SetMusic)
		defer c.music.detach()
	}
	return s.Run(ctx)
}
