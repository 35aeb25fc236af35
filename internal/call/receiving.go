// SPDX-License-Identifier: Apache-2.0

package call

import (
	"context"
	"time"

	"github.com/costream-obs/costream-obs/media"
)

const (
	// stallAfter is how long the peer's last picture stays before the placeholder comes back.
	stallAfter = 2 * time.Second
	stallCheck = 100 * time.Millisecond
	// askAfter is how long we wait for a picture before we ask for a key frame (again). The first one may have come while
	// the decoder was being made.
	askAfter = 300 * time.Millisecond
)

func (c *Call) newVideoReceiver() (receiver, error) {
	r, err := media.NewVideoReceiver(media.VideoReceiverOptions{Format: c.o.Format, Ordered: c.o.PeerAsks, Out: c.show, Log: c.o.Log})
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (c *Call) newAudioReceiver() (receiver, error) {
	r, err := media.NewAudioReceiver(media.AudioReceiverOptions{
		Sinks: *c.speakers.Load(), Delay: c.avSync.voiceWait(),
		Buffer: time.Duration(c.voiceBuffer.Load()), Spare: time.Duration(c.voiceSpare.Load()), Log: c.o.Log,
	})
	if err != nil {
		return nil, err
	}
	c.silent.attach(r.Silence)
	return r, nil
}

// show puts a picture of the peer on the screen. Without a screen the peer does not count as seen.
func (c *Call) show(f media.Frame) {
	if c.o.ScreenReady != nil && !c.o.ScreenReady() {
		return
	}
	c.o.Screen.Show(f)
	if c.o.Shaped != nil {
		c.o.Shaped(f.Area)
	}
	c.presence.came(time.Now())
}

// watchPeer shows the placeholder again when the peer's picture has stopped.
func (c *Call) watchPeer(ctx context.Context) {
	tick := time.NewTicker(stallCheck)
	defer tick.Stop()
	var asked time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		last := c.presence.look(time.Now())
		if time.Since(last) > askAfter && time.Since(asked) > askAfter {
			asked = time.Now()
			c.requestKeyFrame()
		}
	}
}

// requestKeyFrame asks the peer for a key frame.
func (c *Call) requestKeyFrame() {
	if l := c.Link(); l != nil {
		l.RequestKeyFrame()
	}
}
