// SPDX-License-Identifier: Apache-2.0

package call

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
)

// Encoders choose the encoder of our picture, as an *encoders.Chooser does.
type Encoders interface {
	// Choose returns the encoder for pictures of a format, at once.
	Choose(media.VideoFormat) media.EncoderChoice
	// Failed notes that an encoder does not work, and reports whether Choose has another one.
	Failed(name, why string, f media.VideoFormat) bool
	// News is closed when Choose may have another answer.
	News() <-chan struct{}
}

// anyEncoder is a software encoder, without a choice.
type anyEncoder struct{}

func (anyEncoder) Choose(media.VideoFormat) media.EncoderChoice  { return media.EncoderChoice{} }
func (anyEncoder) Failed(string, string, media.VideoFormat) bool { return false }
func (anyEncoder) News() <-chan struct{}                         { return nil }

// errBetterEncoder ends a sender that begins again with a better encoder.
var errBetterEncoder = errors.New("a better encoder is known")

// Sent is one of the pictures that the peer gets, as media.VideoSender.Peek returns it.
func (c *Call) Sent() (f media.Frame, ok bool) {
	if s := c.videoSender.Load(); s != nil {
		return s.Peek()
	}
	return media.Frame{}, false
}

// runVideo sends our picture. An encoder that fails is replaced at once: the peer sees the next key frame in the same stream.
func (c *Call) runVideo(ctx context.Context, started func()) error {
	encoders := c.o.Encoders
	if encoders == nil {
		encoders = anyEncoder{}
	}
	format, err := media.SourceFormat(c.o.Picture)
	if err != nil {
		return err
	}
	for {
		choice := encoders.Choose(format)
		c.encoderWhy.Store(&choice.Why)
		c.o.Log.Info("encoder of our picture", "encoder", choice.Name, "format", format, "why", choice.Why)
		err := c.runEncoder(ctx, choice, format, encoders, started)
		var failed *media.EncoderError
		switch {
		case ctx.Err() != nil:
			return err
		case errors.Is(err, errBetterEncoder):
			c.noEncoder(nil)
		case errors.As(err, &failed) && encoders.Failed(failed.Name, failed.Err.Error(), format):
			next := encoders.Choose(format).Name
			c.o.Log.Error("the encoder of our picture failed", "encoder", failed.Name, "error", failed.Err, "next", next)
			c.noEncoder(fmt.Errorf("%s failed (%w), and %s replaces it; see what is wrong with: costream-obs doctor", failed.Name, failed.Err, next))
		default:
			return err
		}
	}
}

// runEncoder sends our picture with one encoder.
func (c *Call) runEncoder(ctx context.Context, choice media.EncoderChoice, f media.VideoFormat, encoders Encoders, started func()) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var once sync.Once
	s, err := media.NewVideoSender(media.VideoSenderOptions{
		Source:  c.o.Picture,
		Encoder: media.EncoderOptions{BitrateKbps: c.o.BitrateKbps, KeyInt: c.o.keyInterval(), Choice: choice},
		Card:    c.o.Card,
		Out: func(packet []byte) {
			once.Do(started)
			c.send(link.Video, c.videoOut, packet)
		},
		Log: c.o.Log,
	})
	if err != nil {
		return err
	}
	if choice.Provisional {
		var watching sync.WaitGroup
		defer watching.Wait()
		defer cancel(nil)
		watching.Add(1)
		go func() {
			defer watching.Done()
			for {
				news := encoders.News()
				now := encoders.Choose(f)
				if now.Name != choice.Name {
					cancel(errBetterEncoder)
					return
				}
				c.encoderWhy.Store(&now.Why)
				select {
				case <-ctx.Done():
					return
				case <-news:
				}
			}
		}()
	}
	c.covered.attach(s.Cover)
	defer c.covered.detach()
	c.videoSender.Store(s)
	defer c.videoSender.Store(nil)
	c.kbps.attach(func(kbps int) {
		if kbps > 0 {
			s.SetBitrate(kbps)
		}
	})
	defer c.kbps.detach()
	if err := s.Run(ctx); err != nil {
		return err
	}
	if errors.Is(context.Cause(ctx), errBetterEncoder) {
		return errBetterEncoder
	}
	return nil
}
