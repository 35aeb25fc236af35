// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"image"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
	"github.com/costream-obs/costream-obs/setup"
)

const (
	// stallAfter is how long the peer's last picture stands before the placeholder comes back.
	stallAfter = 2 * time.Second
	stallCheck = 100 * time.Millisecond
	// askAfter is how long a picture is awaited before a key frame is asked for (again): the first
	// may have come while the decoder was being made.
	askAfter = 300 * time.Millisecond
	// keySeconds is the distance of key frames for a peer that cannot ask for one, as those of 2020 cannot, and
	// askedKeySeconds for any other, which gets one whenever it asks.
	keySeconds      = 2
	askedKeySeconds = 100
)

// airOptions say what one time on air sends and receives.
type airOptions struct {
	link       func(link.Handler) (link.Link, error)
	picture    media.VideoSource // nil sends neither picture nor voice
	bitrate    int
	resends    bool                                               // the link asks for lost packets again, and keeps their order
	keyInt     int                                                // distance of key frames, in pictures
	shoot      func(ctx context.Context, push func([]byte)) error // portable: feeds pictures until ctx ends
	guard      func(ctx context.Context, note func(error)) error  // watches over the streams at the sound server; may be nil
	waits      func(ctx context.Context, note func(error)) error  // finds out why the peer is not seen; may be nil
	shows      func() bool                                        // the screen can show pictures; may be nil
	opens      func()                                             // called before our voice is recorded; may be nil
	feed       func(ctx context.Context, started func()) error    // keeps what is sent clean of the peer; may be nil
	microphone string
	muted      bool
	meters     func(ctx context.Context, started func()) error // decides whether our voice is muted; may be nil
	screen     media.Screen
	format     media.VideoFormat // of the screen
	avOffset   time.Duration     // by which the peer's voice comes later than it would
	apart      bool              // voice and picture do not wait for each other
	legs       *legs
	beat       func(context.Context) // keeps legs.beat; may be nil
	peerSeen   func(bool)
	shaped     func(image.Rectangle) // gets the part of the screen that the peer's picture covers; may be nil
	changed    func()
	log        *slog.Logger
}

// air is one time on air: a link and the senders and receivers on it. It is made anew each time.
type air struct {
	o      airOptions
	cancel context.CancelFunc
	parts  *keeper

	wg    sync.WaitGroup
	video *inbox
	audio *inbox

	link        atomic.Pointer[link.Link]
	videoSender atomic.Pointer[media.VideoSender]
	audioSender atomic.Pointer[media.AudioSender]
	muted       setting[bool]
	halted      atomic.Bool              // nothing is sent any more
	silenced    atomic.Bool              // the user muted the peer
	speakers    atomic.Pointer[[]string] // nil while they are not known
	videoOut    *outgoing
	audioOut    *outgoing
	kbps        setting[int] // that the link allows our picture; 0 where it does not say
	kbpsLogged  atomic.Int64
	voiceBuffer atomic.Int64 // of the peer's voice at the sound server, in nanoseconds
	voiceSpare  atomic.Int64 // of the peer's voice before that, since some comes late, in nanoseconds

	together *together

	presence presence // of the peer's picture
}

// newAir makes one that does nothing yet. noPicture and noVoice are told why there is no receiver, or nil when there is
// one again.
func newAir(o airOptions, noPicture, noVoice func(error)) *air {
	if o.legs == nil {
		o.legs = new(legs)
	}
	a := &air{o: o, videoOut: newOutgoing(90000), audioOut: newOutgoing(48000)}
	a.presence.tell = func(seen bool) {
		a.o.screen.Placeholder(!seen)
		a.o.peerSeen(seen)
	}
	a.muted.set(o.muted)
	a.video = newInbox(link.Video, a.newVideoReceiver, noPicture, o.log)
	// No picture that needs the lost packet is right, and only a key frame needs none. It happens where packets have
	// waited for us, as while the machine slept.
	a.video.lost = a.requestKeyFrame
	a.audio = newInbox(link.Audio, a.newAudioReceiver, noVoice, o.log)
	a.together = newTogether(a)
	return a
}

// goOnAir starts everything; stop ends it.
func goOnAir(parent context.Context, o airOptions) *air {
	ctx, cancel := context.WithCancel(parent)
	keeper := newKeeper(o.log, o.changed)
	a := newAir(o,
		func(err error) { keeper.note("peer's picture", err) },
		func(err error) { keeper.note("peer's voice", err) })
	a.cancel, a.parts = cancel, keeper
	parts := []func(context.Context){a.video.run, a.audio.run, a.watchPeer}
	if !o.apart {
		parts = append(parts, a.together.run)
	}
	if o.beat != nil {
		parts = append(parts, o.beat)
	}
	for _, part := range parts {
		a.wg.Add(1)
		go func() {
			defer a.wg.Done()
			part(ctx)
		}()
	}
	a.parts.keep(ctx, "link", a.runLink)
	if o.picture != nil {
		a.parts.keep(ctx, "our picture", a.runVideo)
		a.parts.keep(ctx, "our voice", a.runAudio)
	}
	if o.meters != nil {
		a.parts.keep(ctx, "meters of OBS", o.meters)
	}
	if o.guard != nil {
		const name = "sound streams"
		a.parts.keep(ctx, name, func(ctx context.Context, _ func()) error {
			return o.guard(ctx, func(err error) { a.parts.note(name, err) })
		})
	}
	if o.waits != nil {
		a.parts.keep(ctx, waitingName, func(ctx context.Context, _ func()) error {
			return o.waits(ctx, func(err error) { a.parts.note(waitingName, err) })
		})
	}
	if o.feed != nil {
		a.parts.keep(ctx, "clean feed", o.feed)
	}
	if o.shoot != nil {
		a.parts.keep(ctx, "screenshots", func(ctx context.Context, started func()) error {
			return o.shoot(ctx, func(jpeg []byte) {
				started()
				if s := a.videoSender.Load(); s != nil {
					s.PushImage(jpeg)
				}
			})
		})
	}
	return a
}

// stop ends everything and returns when no packet leaves any more.
func (a *air) stop() {
	a.cancel()
	a.parts.wait()
	a.wg.Wait()
	a.o.screen.Placeholder(true)
}

// halt keeps anything more from being sent, until stop. It may be called at any time.
func (a *air) halt() { a.halted.Store(true) }

// setMuted silences what we send.
func (a *air) setMuted(muted bool) { a.muted.set(muted) }

// setSpeakers has the peer's voice played on these sinks, as it is not before; none means the default one.
func (a *air) setSpeakers(sinks []string) { a.speakers.Store(&sinks) }

// renewVoice has the peer's voice played on the sinks of setSpeakers where it plays already.
func (a *air) renewVoice() { a.audio.renew() }

// silencePeer keeps the peer's voice from being played.
func (a *air) silencePeer(silenced bool) { a.silenced.Store(silenced) }

func (a *air) runLink(ctx context.Context, started func()) error {
	l, err := a.o.link(link.Handler{
		RTP: func(m link.Medium, s link.Stream, packet []byte) {
			a.together.arrived(m, s, packet)
			switch {
			case m == link.Video:
				a.video.put(s, packet)
			case !a.silenced.Load() && a.speakers.Load() != nil:
				a.audio.put(s, packet)
			}
		},
		KeyFrameRequest: func() {
			if s := a.videoSender.Load(); s != nil {
				s.ForceKeyFrame()
			}
		},
		Bitrate: func(bits int) { a.setBitrate(bits / 1000) },
	})
	if err != nil {
		return err
	}
	started()
	a.link.Store(&l)
	defer a.link.Store(nil)
	return l.Run(ctx)
}

// setBitrate lets our picture take what the way to the peer allows, in kbit/s.
func (a *air) setBitrate(kbps int) {
	a.kbps.set(kbps)
	if last := a.kbpsLogged.Load(); !alike(int(last), kbps) && a.kbpsLogged.CompareAndSwap(last, int64(kbps)) {
		a.o.log.Info("bit rate of our picture", "kbit/s", kbps)
	}
}

// send passes a packet to the link that runs now.
func (a *air) send(m link.Medium, o *outgoing, packet []byte) {
	if a.halted.Load() {
		return
	}
	packet = o.next(packet, time.Now())
	if l := a.link.Load(); l != nil {
		// The link counts what it drops; a link that is closing is no news.
		_ = (*l).WriteRTP(m, packet)
	}
}

func (a *air) runVideo(ctx context.Context, started func()) error {
	var once sync.Once
	s, err := media.NewVideoSender(media.VideoSenderOptions{
		Source:  a.o.picture,
		Encoder: media.EncoderOptions{BitrateKbps: a.o.bitrate, KeyInt: a.o.keyInt},
		Out: func(packet []byte) {
			once.Do(started)
			a.send(link.Video, a.videoOut, packet)
		},
		Log: a.o.log,
	})
	if err != nil {
		return err
	}
	a.videoSender.Store(s)
	defer a.videoSender.Store(nil)
	a.kbps.attach(func(kbps int) {
		if kbps > 0 {
			s.SetBitrate(kbps)
		}
	})
	defer a.kbps.detach()
	return s.Run(ctx)
}

func (a *air) runAudio(ctx context.Context, started func()) error {
	// Each time that GStreamer's pulsesrc finds no server it leaves a thread and a pipe behind (1.22.0, measured), and
	// this is tried for as long as there is none.
	if err := (setup.Pulse{}).CheckSource(ctx, a.o.microphone); err != nil {
		return err
	}
	if a.o.opens != nil {
		a.o.opens()
	}
	var once sync.Once
	s, err := media.NewAudioSender(media.AudioSenderOptions{
		Device: a.o.microphone,
		Out: func(packet []byte) {
			once.Do(started)
			a.send(link.Audio, a.audioOut, packet)
		},
		Log: a.o.log,
	})
	if err != nil {
		return err
	}
	a.audioSender.Store(s)
	defer a.audioSender.Store(nil)
	a.muted.attach(s.SetMuted)
	defer a.muted.detach()
	return s.Run(ctx)
}

func (a *air) newVideoReceiver() (receiver, error) {
	r, err := media.NewVideoReceiver(media.VideoReceiverOptions{Format: a.o.format, Ordered: a.o.resends, Out: a.show, Log: a.o.log})
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (a *air) newAudioReceiver() (receiver, error) {
	r, err := media.NewAudioReceiver(media.AudioReceiverOptions{
		Sinks: *a.speakers.Load(), Delay: a.together.voiceWait(),
		Buffer: time.Duration(a.voiceBuffer.Load()), Spare: time.Duration(a.voiceSpare.Load()),
		Log: a.o.log,
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// show puts a picture of the peer on the screen. While there is no screen the peer is not seen.
func (a *air) show(f media.Frame) {
	if a.o.shows != nil && !a.o.shows() {
		return
	}
	a.o.screen.Show(f)
	if a.o.shaped != nil {
		a.o.shaped(f.Area)
	}
	a.presence.came(time.Now())
}

// watchPeer brings the placeholder back when the peer's picture stands still.
func (a *air) watchPeer(ctx context.Context) {
	tick := time.NewTicker(stallCheck)
	defer tick.Stop()
	var asked time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		last := a.presence.look(time.Now())
		if time.Since(last) > askAfter && time.Since(asked) > askAfter {
			asked = time.Now()
			a.requestKeyFrame()
		}
	}
}

// requestKeyFrame asks the peer for a key frame.
func (a *air) requestKeyFrame() {
	if l := a.link.Load(); l != nil {
		(*l).RequestKeyFrame()
	}
}

// pipeline is a part that can be drawn and printed.
type pipeline interface {
	Dot() string
	Text() string
}

// pipelines are the running ones, by name.
func (a *air) pipelines() map[string]pipeline {
	out := make(map[string]pipeline)
	if s := a.videoSender.Load(); s != nil {
		out["our picture"] = s
	}
	if s := a.audioSender.Load(); s != nil {
		out["our voice"] = s
	}
	if r := a.video.running(); r != nil {
		out["the peer's picture"] = r
	}
	if r := a.audio.running(); r != nil {
		out["the peer's voice"] = r
	}
	return out
}
