// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"log/slog"
	"maps"
	"time"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/internal/supervisor"
	"github.com/costream-obs/costream-obs/media"
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

// silenceInput has the peer's voice not play, or play, to the input of ours in OBS.
func (a *air) silenceInput(silent bool) {
	var sinks []string
	if silent {
		sinks = []string{FromPeerSink}
	}
	a.SilenceSpeakers(sinks)
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
		VoiceOpens:  func() { s.gate.place(false) },
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
		s.unheard.reset()
		opts.VoiceLevel = func(peak float64) {
			if s.unheard.record(peak, time.Now()) {
				s.c.wakeUp()
			}
		}
	}
	s.legs.begin(s.route, format)
	if s.route == control.RouteDevices {
		s.legs.picture.Add(frame.FrameTime()+cameraLeg, legLooks)
		opts.Picture = media.DeviceSource{Path: o.VideoOut, VideoFormat: frame}
	} else {
		opts.Picture = media.ImageSource{VideoFormat: frame}
		opts.Feed = s.shooter(frame)
	}
	s.c.standby.stop()
	s.gate.reset()
	s.air = goOnAir(s.c.life, opts, s.log)
	s.air.keep(problem.Meters, s.followMeters)
	s.air.keep(problem.Beat, s.followBeat)
	s.air.watch(problem.Placement, s.guardStreams)
	s.air.watch(problem.Friend, waits.run)
	if s.wantsFeed() {
		s.air.keep(problem.CleanFeed, s.followFeed)
	}
	s.gate.attach(s.air.SetMuted)
	if o.PeerAudio != PeerAudioDesktop {
		s.air.keep(problem.PeerVoice, s.followDesktop)
		s.desktop.attach(s.air.silenceInput)
	}
	s.muteAsked = ""
	s.c.air.Store(s.air)
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
	s.resync = make(map[string]time.Time) // The delay of OBS's monitoring has grown.
	if s.air == nil || !s.wantAir() {
		return
	}
	s.stopAir()
	s.startAir()
	s.tellGate()
	if s.speakers != nil {
		s.air.SetSpeakers(s.speakers)
	}
}

func (s *session) stopAir() {
	if s.air == nil {
		return
	}
	s.gate.detach()
	s.desktop.detach()
	s.air.stop()
	s.air = nil
	s.c.air.Store(nil)
	s.c.peer.Store(false)
	s.c.standby.start(s.c.life)
}
