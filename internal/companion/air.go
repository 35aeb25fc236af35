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

// air is one time on air: a call, and beside it what is done with OBS for as long. It is made anew each time.
type air struct {
	*call.Call
	beside *supervisor.Supervisor
	ctx    context.Context
	cancel context.CancelFunc
}

// goOnAir starts the call, and nothing beside it; stop ends all.
func goOnAir(life context.Context, o call.Options, log *slog.Logger) *air {
	a := &air{beside: supervisor.New(log, o.Changed)}
	a.ctx, a.cancel = context.WithCancel(life)
	a.Call = call.Start(a.ctx, o)
	return a
}

// keep runs a part until the time on air ends. started, if it is called, tells that it works.
func (a *air) keep(code problem.Code, part func(ctx context.Context, started func()) error) {
	a.beside.Keep(a.ctx, code, part)
}

// watch runs a part that notes what is wrong.
func (a *air) watch(code problem.Code, part func(ctx context.Context, note func(error)) error) {
	a.keep(code, func(ctx context.Context, _ func()) error {
		return part(ctx, func(err error) { a.beside.Note(code, err) })
	})
}

// stop returns when no packet leaves any more.
func (a *air) stop() {
	a.cancel()
	a.beside.Wait()
	a.Stop()
}

// failing tells why parts do not work, by the codes of the problems.
func (a *air) failing() map[problem.Code]error {
	all := a.Failing()
	maps.Copy(all, a.beside.Failing())
	return all
}

func (s *session) startAir() {
	o := &s.c.o
	format, frame := s.seen.canvasFormat(), s.seen.outputFormat()
	waits := s.c.newWaiting()
	opts := call.Options{
		Link:        s.c.newLink,
		PeerAsks:    o.PeerAsks,
		FrameTime:   frame.FrameTime(),
		BitrateKbps: o.BitrateKbps,
		Microphone:  s.c.sound.microphone(o.MicSource),
		Muted:       true, // until the gate has it otherwise
		VoiceOpens:  func() { s.mic.gate.place(false) },
		Screen:      s.c.display,
		ScreenReady: func() bool { return s.c.display.current() != nil },
		Format:      format,
		AVOffset:    o.AVOffset,
		Legs:        s.legs.forCall(),
		PeerSeen: func(seen bool) {
			waits.peerSeen(seen)
			s.c.peer.Store(seen)
			s.c.wakeUp()
		},
		Shaped:  s.c.setArea,
		Changed: s.c.wakeUp,
		Log:     s.log,
	}
	if o.MicSource == "" {
		opts.VoiceLevel = func(peak float64) {
			if s.mic.unheard.record(peak, time.Now()) {
				s.c.wakeUp()
			}
		}
	}
	route := s.picture.route
	s.legs.begin(route.screenLeg(format), format)
	ours := route.picture(frame, s.newShooter(frame).shoot)
	opts.Picture, opts.Feed = ours.source, ours.feed
	if ours.leg > 0 {
		s.legs.picture.Add(ours.leg, legLooks)
	}
	s.c.standby.stop()
	s.mic.begin()
	s.air = goOnAir(s.c.life, opts, s.log)
	s.controllers.begin(s.air)
	s.air.keep(problem.Meters, s.followMeters)
	s.air.keep(problem.Beat, s.followBeat)
	if o.MicSource == "" {
		s.air.keep(problem.Unheard, s.listenDrowned)
	}
	s.air.watch(problem.Placement, s.guardStreams)
	s.air.watch(problem.Friend, waits.run)
	if s.feed.wants() {
		s.air.keep(problem.CleanFeed, s.followFeed)
	}
	if o.PeerAudio != PeerAudioDesktop {
		s.air.keep(problem.PeerVoice, s.followDesktop)
	}
	s.mic.gate.attach(s.air.SetMuted)
	s.c.air.Store(s.air)
}

// newShooter takes pictures of the scene that the peer is sent.
func (s *session) newShooter(format media.VideoFormat) *shooter {
	scene := func() obsctl.SourceID { return obsctl.SourceID{Name: *s.c.program.Load()} }
	if s.feed.wants() {
		scene = s.feed.source
	}
	return &shooter{obs: s.obs, scene: scene, format: format, frame: format.FrameTime(), legs: &s.legs, log: s.log}
}

// followBeat asks OBS how many pictures it has drawn, so that the beat is known.
func (s *session) followBeat(ctx context.Context, _ func()) error {
	s.legs.beat.follow(ctx, func(ctx context.Context) (int, error) {
		stats, err := s.obs.Stats(ctx)
		return stats.RenderTotal, err
	})
	return nil
}

// beginAnew makes the time on air anew after a standstill, and has OBS be asked for everything.
func (s *session) beginAnew() {
	s.seen.all()
	s.mic.beginAnew()
	if s.air == nil || !s.wantAir() {
		return
	}
	s.stopAir()
	s.startAir()
	s.mic.tell()
	s.voice.play()
}

func (s *session) stopAir() {
	if s.air == nil {
		return
	}
	s.mic.gate.detach()
	s.air.stop()
	s.air = nil
	s.controllers.end()
	s.c.air.Store(nil)
	s.c.peer.Store(false)
	s.c.standby.start(s.c.life)
}

// followFeed keeps the scene for the peer in step with the programme. It has a connection of its own: it must not wait
// for other requests, and listens to events that nobody else wants.
func (s *session) followFeed(ctx context.Context, started func()) error {
	obs, err := obsctl.Dial(ctx, s.obs.Endpoint(), obsctl.Options{Transforms: true, Log: s.log})
	if err != nil {
		return err
	}
	defer func() { _ = obs.Close() }()
	started()
	return s.c.feed.Follow(ctx, s.feed.private.On(obs), obs.Events())
}

// followMeters has OBS's meters seen, on a connection of their own: they come twenty times a second.
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

// followDesktop keeps it known whether Desktop Audio carries the peer's voice.
func (s *session) followDesktop(ctx context.Context, _ func()) error {
	s.voice.follow(ctx, s.c.sound.pulse.Subscribe(ctx))
	return nil
}

// guardStreams guards the streams of this time on air. note is told what is wrong.
func (s *session) guardStreams(ctx context.Context, note func(error)) error {
	voice := s.c.sound.microphone(s.c.o.MicSource)
	g := guard{
		pulse: s.c.sound.pulse, changes: s.c.sound.streams, log: s.log,
		want: func() placement.Want {
			return placement.Want{PID: os.Getpid(), Mics: s.mic.gate.microphones(), Voice: voice}
		},
		placed: s.mic.gate.place, note: note,
	}
	return g.run(ctx)
}
