// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"log/slog"
	"maps"
	"os"
	"time"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/placement"
	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/internal/supervisor"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/obsctl"
)

// onAirCall is one time on air: a call, and the parts that work on OBS while it lasts.
type onAirCall struct {
	*call.Call
	silence peerSilence
	shut    func() []string        // inputs that are not monitored on purpose
	parts   *supervisor.Supervisor // beside the call
	ctx     context.Context
	cancel  context.CancelFunc
}

// newOnAirCall starts the call alone; stop ends it and the parts.
func newOnAirCall(life context.Context, o call.Options, log *slog.Logger) *onAirCall {
	a := &onAirCall{parts: supervisor.New(log, o.Changed)}
	a.ctx, a.cancel = context.WithCancel(life)
	a.Call = call.Start(a.ctx, o)
	return a
}

// keep runs a part until the time on air ends. The part may call started to report that it works.
func (a *onAirCall) keep(code problem.Code, part func(ctx context.Context, started func()) error) {
	a.parts.Keep(a.ctx, code, part)
}

// watch runs a part that reports problems itself.
func (a *onAirCall) watch(code problem.Code, part func(ctx context.Context, note func(error)) error) {
	a.keep(code, func(ctx context.Context, _ func()) error {
		return part(ctx, func(err error) { a.parts.Note(code, err) })
	})
}

// stop returns when no packet leaves any more.
func (a *onAirCall) stop() {
	a.cancel()
	a.parts.Wait()
	a.Stop()
}

// failing returns what is wrong with the call and the parts.
func (a *onAirCall) failing() map[problem.Code]error {
	all := a.Failing()
	maps.Copy(all, a.parts.Failing())
	return all
}

// startCall begins a call, unless the user has stopped by hand since the round began.
func (s *session) startCall() {
	if !s.wantOnAir() {
		return
	}
	o := &s.c.o
	format, frame := s.seen.canvasFormat(), s.seen.outputFormat()
	waits := s.c.newWaiting()
	opts := call.Options{
		Link:        s.c.newLink,
		PeerAsks:    o.PeerAsks,
		FrameTime:   frame.FrameTime(),
		DrawnLate:   s.c.lagged.since,
		BitrateKbps: o.BitrateKbps,
		Encoders:    o.Encoders,
		Microphone:  s.c.sound.microphone(o.MicSource),
		Music:       len(o.Share) > 0,
		Muted:       true, // until the gate opens
		VoiceOpens:  func() { s.mic.gate.place(false) },
		Screen:      watched{s.c.display, &s.c.glance},
		ScreenReady: func() bool { return s.c.display.current() != nil },
		Format:      format,
		AVOffset:    o.AVOffset,
		External:    s.external.forCall(),
		PeerSeen: func(seen bool) {
			waits.peerSeen(seen)
			s.c.peer.Store(seen)
			s.c.wakeUp()
		},
		PeerTells: s.c.tally.told,
		Shaped:    s.c.setArea,
		Changed:   s.c.wakeUp,
		Log:       s.log,
	}
	if o.MicSource == "" {
		opts.VoiceLevel = func(peak float64) {
			if s.mic.unheard.record(peak, time.Now()) {
				s.c.wakeUp()
			}
		}
	}
	route := s.picture.route
	s.external.begin(route.screenLatency(format), format)
	ours := route.picture(frame, s.newShooter(frame).shoot)
	opts.Picture, opts.Feed = ours.source, ours.feed
	card, err := media.NewBreakCard(frame, o.Name)
	if err != nil {
		s.log.Warn("your friend gets nothing while you are on a break", "error", err)
	}
	opts.Card, opts.Covered = card, s.c.breaks.why() != ""
	if ours.latency > 0 {
		s.external.picture.Add(ours.latency, latencySamples)
	}
	opts.Recorder = s.c.records.begin()
	s.c.standby.stop()
	s.c.lagged.begin()
	s.mic.begin()
	s.call = newOnAirCall(s.c.life, opts, s.log)
	s.controllers.begin(s.call)
	s.call.keep(problem.Meters, s.followMeters)
	s.call.keep(problem.FrameClock, s.followFrameClock)
	if o.MicSource == "" {
		s.call.keep(problem.Unheard, s.listenDrowned)
	}
	s.call.watch(problem.Placement, s.guardStreams)
	s.call.watch(problem.Friend, waits.run)
	if s.feed.wants() {
		s.call.keep(problem.CleanFeed, s.followFeed)
	}
	if o.PeerAudio != PeerAudioDesktop {
		s.call.keep(problem.PeerVoice, s.followDesktop)
	}
	s.c.breaks.attach(func(on bool) {
		s.mic.gate.pause(on)
		s.call.SetCovered(on)
	})
	a := s.call
	if opts.Music {
		s.mic.gate.follow(a.SetMusic)
	}
	s.mic.gate.attach(func(muted bool) {
		a.SetMuted(muted)
		s.c.tally.setMuted(muted)
	})
	s.c.orders.attach(a.silencePeerByOrder, s.mic.gate.order)
	s.c.tally.begin(a.SetTally)
	s.c.call.Store(a)
	s.c.haltStopped(a)
}

// prepareEncoder has the encoders tried for the pictures that OBS makes now, before they are needed.
func (s *session) prepareEncoder() {
	f := s.seen.outputFormat()
	if s.c.o.Encoders == nil || f == s.prepared || f.W == 0 {
		return
	}
	s.prepared = f
	s.c.o.Encoders.Prepare(s.c.life, f)
}

// newShooter takes screenshots of the scene that the peer gets.
func (s *session) newShooter(format media.VideoFormat) *shooter {
	scene := func() obsctl.SourceID { return obsctl.SourceID{Name: *s.c.program.Load()} }
	if s.feed.wants() {
		scene = s.feed.source
	}
	return &shooter{
		obs: s.obs, scene: scene, format: format, frame: format.FrameTime(),
		external: &s.external, shutter: &s.c.shutter, lagged: s.c.lagged.since, log: s.log,
	}
}

// followFrameClock keeps asking OBS how many frames it has drawn.
func (s *session) followFrameClock(ctx context.Context, _ func()) error {
	s.external.clock.follow(ctx, func(ctx context.Context) (int, error) {
		stats, err := s.obs.Stats(ctx)
		if err == nil {
			s.c.lagged.told(stats.RenderSkipped)
		}
		return stats.RenderTotal, err
	})
	return nil
}

// beginAnew starts a new call after a standstill, and asks OBS for everything again.
func (s *session) beginAnew() {
	s.seen.all()
	s.mic.beginAnew()
	if s.call == nil || !s.wantOnAir() {
		return
	}
	s.stopCall()
	s.c.reports.waitsForPeer() // They may be back before the round ends.
	s.startCall()
	s.mic.tell()
	s.voice.play()
}

func (s *session) stopCall() {
	if s.call == nil {
		return
	}
	s.mic.gate.detach()
	s.c.breaks.detach()
	s.c.orders.detach()
	s.c.glance.forget()
	s.c.tally.offAir()
	s.call.stop()
	s.c.tally.end()
	s.c.records.end()
	s.call = nil
	s.controllers.end()
	s.c.call.Store(nil)
	s.c.peer.Store(false)
	s.c.standby.start(s.c.life)
}

// followFeed keeps the scene for the peer equal to the programme. It has a connection of its own, because it must not wait
// for other requests and needs events that nobody else does. While it is broken we do not know whether the programme is private.
func (s *session) followFeed(ctx context.Context, started func()) error {
	defer func() {
		if ctx.Err() == nil && len(s.c.o.PrivateScenes) > 0 {
			s.c.breaks.programme("", false)
		}
	}()
	obs, err := obsctl.Dial(ctx, s.obs.Endpoint(), obsctl.Options{Transforms: true, Log: s.log})
	if err != nil {
		return err
	}
	defer func() { _ = obs.Close() }()
	started()
	return s.c.feed.Follow(ctx, s.feed.private.On(obs), obs.Events())
}

// followMeters reads OBS's meters on a connection of their own, because they come twenty times a second.
func (s *session) followMeters(ctx context.Context, started func()) error {
	obs, err := obsctl.Dial(ctx, s.obs.Endpoint(), obsctl.Options{Levels: true, Log: s.log})
	if err != nil {
		return err
	}
	defer func() { _ = obs.Close() }()
	started()
	for {
		select {
		case <-ctx.Done():
			return nil
		case ev, open := <-obs.Events():
			if !open {
				return obs.Err()
			}
			if levels, ok := ev.(obsctl.Levels); ok && s.mic.meter(levels) {
				s.c.wakeUp()
			}
		}
	}
}

// followDesktop keeps finding out whether Desktop Audio captures the peer's voice.
func (s *session) followDesktop(ctx context.Context, _ func()) error {
	s.voice.follow(ctx, s.c.sound.follow(ctx))
	return nil
}

// guardStreams guards the sound streams while on air. note gets what is wrong.
func (s *session) guardStreams(ctx context.Context, note func(error)) error {
	voice := s.c.sound.microphone(s.c.o.MicSource)
	g := guard{
		pulse: s.c.sound.pulse, changes: s.c.sound.follow(ctx), log: s.log,
		want: func() placement.Want {
			return placement.Want{PID: os.Getpid(), Mics: s.mic.gate.all(), Voice: voice}
		},
		placed: s.mic.gate.place, note: note,
	}
	return g.run(ctx)
}
