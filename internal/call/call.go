// SPDX-License-Identifier: Apache-2.0

// Package call is a co-stream with one peer, without OBS: a link, the senders and receivers on it, and what brings voice and
// picture together. Several calls may run beside each other.
//
// It is handed a source of pictures, a screen and the names of sinks and sources at the sound server. It does not know where
// they come from, when a call should begin or end, or what is wrong with OBS: that is package companion.
package call

import (
	"context"
	"image"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/internal/supervisor"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
)

// Options say what a call sends and shows. Functions that may be nil say so.
type Options struct {
	// Link makes the link; it is called again after each failure.
	Link func(link.Handler) (link.Link, error)
	// PeerAsks says that the peer asks for the key frames that it needs, and that the link recovers lost packets and orders
	// them.
	PeerAsks bool

	// Picture is what we send. Without it, neither picture nor voice is sent.
	Picture media.VideoSource
	// Feed pushes pictures into a Picture that needs that, until ctx ends; may be nil.
	Feed func(ctx context.Context, push func([]byte)) error
	// FrameTime is the time between two pictures of Picture.
	FrameTime   time.Duration
	BitrateKbps int
	// DrawnLate is how many pictures of the programme its program failed to draw in time since the call began, and whether
	// that is known; may be nil.
	DrawnLate func() (count int, known bool)
	// Encoders choose the encoder of our picture; nil means one in software.
	Encoders Encoders
	// Card is what the peer gets in the place of pictures while they are covered; without one the peer gets none then. Covered
	// is how our picture begins.
	Card    media.Frame
	Covered bool
	// Microphone is the source at the sound server that we send; empty means the default one.
	Microphone string
	// Music says that SetMusic may be called.
	Music bool
	// Muted says whether our voice is muted at the start.
	Muted bool
	// VoiceLevel gets the loudest recorded sample, 1 for full scale, ten times a second; may be nil.
	VoiceLevel func(peak float64)
	// VoiceOpens is called before each start of the recording of our voice; may be nil.
	VoiceOpens func()

	// Screen shows the peer's picture. ScreenReady reports whether it can; nil means always.
	Screen      Screen
	ScreenReady func() bool
	Format      media.VideoFormat // of the screen

	// AVOffset is an extra delay of the peer's voice, on top of automatic A/V sync.
	AVOffset time.Duration
	// Apart switches A/V sync off.
	Apart    bool
	External ExternalLatency

	// Recorder gets what comes from the peer; may be nil. Its methods must not block.
	Recorder Recorder

	// PeerSeen gets whether pictures of the peer are shown, with each change; calls do not overlap. It must not call the
	// Call.
	PeerSeen func(seen bool)
	// PeerTells gets what the peer tells of itself, with each change; known is false when nothing is known any more. Calls do
	// not overlap. It must not call the Call; may be nil.
	PeerTells func(peer link.Tally, known bool)
	// Shaped gets the part of the screen that the peer's picture covers; may be nil.
	Shaped func(image.Rectangle)
	// Changed is called when Failing has changed; may be nil.
	Changed func()
	Log     *slog.Logger // nil discards
}

// Screen shows the peer's picture, as a media.Screen does. Its maker runs it.
type Screen interface {
	Show(media.Frame)
	Placeholder(on bool)
}

// Recorder takes the peer's packets as they come, as a *record.Recorder does, and the sender reports of their streams.
type Recorder interface {
	Picture(stream uint64, packet []byte, at time.Time)
	Voice(stream uint64, packet []byte, at time.Time)
	PictureReport(stream, ntp uint64, rtp uint32, at time.Time)
	VoiceReport(stream, ntp uint64, rtp uint32, at time.Time)
}

// ExternalLatency is latency outside the call's pipelines, such as that of OBS. What changes is a function; nil means 0.
type ExternalLatency struct {
	// Picture and Voice are from the programme to our pipelines.
	Picture, Voice func() time.Duration
	// Screen is from our screen to the programme.
	Screen func() time.Duration
	// Speaker is how much earlier than it is heard the programme has the peer's voice.
	Speaker time.Duration
}

// Call is a running call.
type Call struct {
	o      Options
	cancel context.CancelFunc
	parts  *supervisor.Supervisor
	wg     sync.WaitGroup

	link        atomic.Pointer[link.Link]
	videoSender atomic.Pointer[media.VideoSender]
	audioSender atomic.Pointer[media.AudioSender]
	videoOut    *outgoing
	audioOut    *outgoing
	muted       setting[bool]
	music       setting[bool]
	covered     setting[bool]
	tally       setting[*link.Tally] // nil: nothing is told
	halted      atomic.Bool          // nothing more is sent
	kbps        setting[int]         // what the link allows for our picture; 0 if it does not say
	kbpsLogged  atomic.Int64
	encoderWhy  atomic.Pointer[string]
	noEncoder   func(error) // gets that an encoder failed and was replaced

	video       *inbox
	audio       *inbox
	silenced    atomic.Bool              // the peer's voice is not played
	speakers    atomic.Pointer[[]string] // nil while they are not known
	silent      setting[[]string]        // which of the speakers play silence
	voiceBuffer atomic.Int64             // nanoseconds of the peer's voice that the sound server holds
	voiceSpare  atomic.Int64             // nanoseconds of the peer's voice before that, because packets can be late
	presence    presence                 // of the peer's picture
	avSync      *avSync
	figures     atomic.Pointer[Figures]
}

// newCall makes a call that is not started. noPicture and noVoice get why there is no receiver, or nil when there is one
// again.
func newCall(o Options, noPicture, noVoice func(error)) *Call {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Call{o: o, videoOut: newOutgoing(90000), audioOut: newOutgoing(48000), noEncoder: func(error) {}}
	c.presence.tell = func(seen bool) {
		c.o.Screen.Placeholder(!seen)
		c.o.PeerSeen(seen)
	}
	c.muted.set(o.Muted)
	c.covered.set(o.Covered)
	c.video = newInbox(link.Video, c.newVideoReceiver, noPicture, o.Log)
	// Pictures that need the lost packet are broken; the next key frame needs none. Packets are lost here when many waited
	// for us, for example while the machine slept.
	c.video.lost = c.requestKeyFrame
	c.audio = newInbox(link.Audio, c.newAudioReceiver, noVoice, o.Log)
	c.avSync = newAVSync(c)
	return c
}

// Start begins a call; Stop ends it. The peer's voice is not played before SetSpeakers.
func Start(parent context.Context, o Options) *Call {
	ctx, cancel := context.WithCancel(parent)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	parts := supervisor.New(o.Log, o.Changed)
	c := newCall(o,
		func(err error) { parts.Note(problem.PictureIn, err) },
		func(err error) { parts.Note(problem.VoiceIn, err) })
	c.noEncoder = func(err error) { parts.Note(problem.Encoder, err) }
	c.cancel, c.parts = cancel, parts
	c.receive(ctx, o.Apart)
	c.parts.Keep(ctx, problem.Link, c.runLink)
	if o.Picture != nil {
		c.parts.Keep(ctx, problem.PictureOut, c.runVideo)
		c.parts.Keep(ctx, problem.VoiceOut, c.runAudio)
	}
	if o.Feed != nil {
		c.parts.Keep(ctx, problem.Screenshots, func(ctx context.Context, started func()) error {
			return o.Feed(ctx, func(picture []byte) {
				started()
				if s := c.videoSender.Load(); s != nil {
					s.PushImage(picture)
				}
			})
		})
	}
	return c
}

// receive starts the parts that show and play the peer.
func (c *Call) receive(ctx context.Context, apart bool) {
	parts := []func(context.Context){c.video.run, c.audio.run, c.watchPeer, c.watchFigures}
	if !apart {
		parts = append(parts, c.avSync.run)
	}
	for _, part := range parts {
		c.wg.Add(1)
		go func() {
			defer c.wg.Done()
			part(ctx)
		}()
	}
}

// Stop ends everything. No packet leaves after it returns.
func (c *Call) Stop() {
	c.cancel()
	c.parts.Wait()
	c.wg.Wait()
	c.o.Screen.Placeholder(true)
}

// Halt stops sending for good. It may be called at any time.
func (c *Call) Halt() { c.halted.Store(true) }

// SetMuted mutes what we send.
func (c *Call) SetMuted(muted bool) { c.muted.set(muted) }

// SetMusic sends what Microphone has in stereo at the quality of music, or in mono as a voice. It needs the option Music.
func (c *Call) SetMusic(music bool) { c.music.set(music) }

// SetCovered has the card sent in the place of our picture, or the picture again.
func (c *Call) SetCovered(covered bool) { c.covered.set(covered) }

// SetTally has the peer told what we do, on a link that tells such things. Before the first call nothing is told.
func (c *Call) SetTally(own link.Tally) { c.tally.set(&own) }

// SetSpeakers plays the peer's voice on these sinks of the sound server; an empty name is the default sink.
func (c *Call) SetSpeakers(sinks []string) { c.speakers.Store(&sinks) }

// SilenceSpeakers makes these of the sinks play silence, and all others the peer's voice. It acts at once and leaves no gap
// at the others.
func (c *Call) SilenceSpeakers(sinks []string) { c.silent.set(sinks) }

// SilencePeer stops and resumes playing the peer's voice.
func (c *Call) SilencePeer(silenced bool) { c.silenced.Store(silenced) }

// Link is the current link, or nil.
func (c *Call) Link() link.Link {
	if l := c.link.Load(); l != nil {
		return *l
	}
	return nil
}

// BitrateKbps is the video bitrate that the path to the peer allows, in kbit/s, or 0 if the link does not say.
func (c *Call) BitrateKbps() int { return c.kbps.get() }

// Failing returns why parts do not work, by problem code.
func (c *Call) Failing() map[problem.Code]error { return c.parts.Failing() }

// Pipeline is a part that can be drawn and printed.
type Pipeline interface {
	// Dot is the running pipeline in GraphViz's language, and Text as a launch line.
	Dot() string
	Text() string
}

// Pipelines are the running ones, by name.
func (c *Call) Pipelines() map[string]Pipeline {
	out := make(map[string]Pipeline)
	if s := c.videoSender.Load(); s != nil {
		out["our picture"] = s
	}
	if s := c.audioSender.Load(); s != nil {
		out["our voice"] = s
	}
	if r := c.video.running(); r != nil {
		out["the peer's picture"] = r
	}
	if r := c.audio.running(); r != nil {
		out["the peer's voice"] = r
	}
	return out
}

func (c *Call) runLink(ctx context.Context, started func()) error {
	l, err := c.o.Link(link.Handler{
		RTP: func(m link.Medium, s link.Stream, packet []byte) {
			c.avSync.arrived(m, s, packet)
			c.record(m, s, packet)
			switch {
			case m == link.Video:
				c.video.put(s, packet)
			case !c.silenced.Load() && c.speakers.Load() != nil:
				c.audio.put(s, packet)
			}
		},
		KeyFrameRequest: func() {
			if s := c.videoSender.Load(); s != nil {
				s.ForceKeyFrame()
			}
		},
		Bitrate: func(bits int) { c.setBitrate(bits / 1000) },
		Tally:   c.o.PeerTells,
	})
	if err != nil {
		return err
	}
	if teller, tells := l.(link.Teller); tells {
		c.tally.attach(func(own *link.Tally) {
			if own != nil {
				teller.SetTally(*own)
			}
		})
		defer c.tally.detach()
	}
	started()
	c.link.Store(&l)
	defer c.link.Store(nil)
	return l.Run(ctx)
}
