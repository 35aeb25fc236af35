// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/obsctl"
)

const (
	// slowTick is how often OBS is asked for everything, because events can be lost. It is no multiple of recordPiece, so
	// that the looks at what waits in OBS's streams are spread over a piece.
	slowTick = 2*time.Second + 15*time.Millisecond
	// settle is how long we wait for more events before we look at OBS.
	settle = 20 * time.Millisecond
	// leaveWithin limits the time for undoing everything when the companion stops.
	leaveWithin = 8 * time.Second
)

func (c *Companion) useOBS(ctx context.Context, obs *obsctl.Client) error {
	s := c.newSession(obs)
	if obs.Version().UndrawnScreenshotHangs() {
		c.feed.HoldPictures(c.shutter.hold)
	} else {
		c.feed.HoldPictures(nil)
	}
	c.feed.Begin(s.source.inputs, s.source.feedInStep)
	s.traces.find()
	listenCtx, deaf := context.WithCancel(context.WithoutCancel(ctx))
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		s.listen(listenCtx)
	}()
	c.obs.Store(obs)
	err := s.run(ctx)
	c.obs.Store(nil)
	s.leave(ctx)
	deaf()
	<-listening
	s.traces.note()
	return err
}

func (s *session) run(ctx context.Context) error {
	v := s.obs.Version()
	s.log.Info("connected to OBS", "at", s.obs.Endpoint().Addr(), "obs", v.OBS, "websocket", v.WebSocket)
	if err := s.ledger.load(ctx); err != nil {
		return err
	}
	if err := s.traces.tell(ctx); err != nil {
		return err
	}
	s.seen.all()
	tick := time.NewTicker(slowTick)
	defer tick.Stop()
	for {
		if err := s.round(ctx); err != nil {
			return err
		}
		if !s.awaitNews(ctx, tick.C) {
			return nil
		}
	}
}

// awaitNews returns true when something may have changed, and false when the connection or ctx ends.
func (s *session) awaitNews(ctx context.Context, tick <-chan time.Time) bool {
	retry := s.steps.nextTry()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-s.news.some:
			matters, more := s.noteNews()
			if !more {
				return false
			}
			if !matters {
				continue
			}
			return s.drain(ctx)
		case <-s.c.wake:
		case <-tick:
			s.tick()
		case <-retry:
		}
		return true
	}
}

// drain takes in events that come close together.
func (s *session) drain(ctx context.Context) bool {
	for {
		select {
		case <-s.news.some:
			if _, more := s.noteNews(); !more {
				return false
			}
		case <-time.After(settle):
			return true
		case <-ctx.Done():
			return false
		}
	}
}

// noteNews handles the events so far, and reports whether one of them matters and whether more may come.
func (s *session) noteNews() (matters, more bool) {
	events, more := s.news.take()
	for _, ev := range events {
		if active, is := ev.(obsctl.InputActive); is {
			matters = s.viewers.noteActive(active) || matters
			continue
		}
		s.note(ev)
		matters = true
	}
	return matters, more
}

// round asks OBS for what may have changed, and changes what differs from what should be.
func (s *session) round(ctx context.Context) error {
	if s.exiting {
		s.stopCall()
		return nil
	}
	if s.c.stood.Swap(false) {
		s.beginAnew()
	}
	if s.c.orders.takeStopped() {
		s.stopCall()
	}
	if s.call != nil && !s.wantOnAir() {
		s.stopping = true
		s.report()
		s.stopCall()
	}
	if s.seen.changing {
		s.reportKeptOff(errChanging)
		return nil
	}
	if wait := time.Until(s.quietUntil); wait > 0 {
		s.c.wakeLater(wait)
		s.reportKeptOff(errRemoving)
		return nil
	}
	if err := s.observe(ctx); err != nil {
		if lost := s.obs.Err(); lost != nil {
			return lost
		}
		// OBS refuses questions while it loads something.
		s.log.Debug("OBS did not answer all questions", "error", err)
		s.seen.all()
		s.reportKeptOff(fmt.Errorf("OBS does not answer: %w", err))
		return nil
	}
	s.prepareEncoder()
	if s.wantOnAir() {
		s.goOn(ctx)
	} else {
		s.stopCall() // OBS went off air without an event
		s.goOff(ctx)
	}
	s.steps.forgetUntried()
	s.noteKeptOff(nil)
	s.report()
	return nil
}

// noteKeptOff reports as a problem what keeps us off the air, and returns whether anything does. why is the reason if the
// steps to go on air were not taken, otherwise nil.
func (s *session) noteKeptOff(why error) bool {
	if why == nil {
		why = s.steps.waits(errUnknown)
	}
	wrong := s.keptOff.look(time.Now(), s.wantOnAir() && s.call == nil && !s.exiting, why)
	if wrong == nil {
		delete(s.steps.problems, problem.OnAir)
		return false
	}
	s.steps.problems[problem.OnAir] = wrong
	return true
}

// reportKeptOff is noteKeptOff for a round that ends early and reports nothing else.
func (s *session) reportKeptOff(why error) {
	if s.noteKeptOff(why) {
		s.report()
	}
}

// wantOnAir reports whether we should be on air.
func (s *session) wantOnAir() bool {
	switch s.c.o.When {
	case WhenRecording:
		return s.seen.recording
	case WhenVirtualCam:
		return s.seen.virtualCam
	case WhenAlways:
		return true
	case WhenManual:
		return s.c.orders.onAir()
	default:
		return s.seen.streaming
	}
}

// goOn takes the steps that lead on air, as far as they are not done yet. Our picture does not wait for the voices.
func (s *session) goOn(ctx context.Context) {
	s.steps.try(ctx, problem.Collection, s.capture.leaveTempCollection)
	s.steps.try(ctx, problem.Captures, s.capture.revive)
	s.steps.try(ctx, problem.CleanFeed, s.feed.prepare)
	s.steps.try(ctx, problem.OurPicture, s.picture.open)
	if s.call == nil && s.picture.arrives {
		s.startCall()
		s.mic.tell()
	}
	s.steps.try(ctx, problem.Microphone, s.mic.check)
	s.steps.try(ctx, problem.Shared, s.share.check)
	s.steps.try(ctx, problem.Viewers, s.viewers.keep)
	s.steps.try(ctx, problem.MonitoredInputs, s.mic.monitor)
	s.steps.try(ctx, problem.Level, s.capture.checkRecording)
	s.steps.try(ctx, problem.Unheard, s.mic.checkHeard)
	s.steps.try(ctx, problem.PeerVoice, s.voice.prepare)
	s.mic.tell()
	s.voice.play()
	s.steps.try(ctx, problem.Programme, s.feed.checkProgramme)
	s.steps.try(ctx, problem.PeerSource, s.source.show)
	s.steps.try(ctx, problem.PeerPicture, s.source.revive)
	s.steps.try(ctx, problem.PeerMute, s.source.followMute)
	s.steps.try(ctx, problem.PeerShown, func(ctx context.Context) error { return s.shown.look(ctx, s.source.input, s.seen.inputs) })
}

// goOff undoes them. Nothing is sent to the peer any more at that point.
func (s *session) goOff(ctx context.Context) {
	for _, step := range s.undo() {
		s.steps.try(ctx, step.code, step.do)
	}
	s.stopping, s.source.hint = false, ""
	s.c.breaks.forget()
	s.steps.try(ctx, problem.Collection, s.capture.leaveTempCollection)
	s.steps.try(ctx, problem.MonitoredBack, s.ears.returnStreams)
	s.steps.try(ctx, problem.Screen, s.picture.prepareScreen)
	s.steps.try(ctx, problem.Microphone, s.mic.check)
	s.steps.try(ctx, problem.Shared, s.share.check)
	s.steps.try(ctx, problem.Scenes, s.source.checkScenes)
	s.steps.try(ctx, problem.Output, s.keptOff.checkOutput)
}

// undoStep is a step that undoes what we did to OBS while on air.
type undoStep struct {
	code problem.Code
	do   func(context.Context) error
}

// undo are these steps, in their order.
func (s *session) undo() []undoStep {
	return []undoStep{
		{problem.PeerSource, s.source.hide},
		{problem.PeerVoice, s.voice.remove},
		{problem.OurPicture, s.picture.close},
		{problem.CleanFeed, s.feed.remove},
		{problem.MonitoredInputs, s.mic.unmonitor},
		{problem.Viewers, s.viewers.resume},
		{problem.Changes, s.ledger.saveUnsaved},
	}
}

// leave ends the session and undoes what was changed, if OBS still answers.
func (s *session) leave(ctx context.Context) {
	s.stopCall()
	if s.obs.Err() != nil || s.exiting {
		s.c.reports.report(control.Report{State: control.Waiting, Detail: "the connection to OBS ended"})
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
	defer cancel()
	s.c.reports.report(control.Report{State: control.Stopping})
	s.steps.hurry()
	for _, step := range slices.Concat(
		[]undoStep{{problem.Collection, s.capture.leaveTempCollection}}, s.undo(), []undoStep{{problem.MonitoredBack, s.ears.returnStreams}},
	) {
		if err := step.do(ctx); err != nil {
			s.log.Warn("could not undo everything in OBS; the next `costream-obs run` will", "what", problem.Of(step.code).Name, "error", err)
		}
	}
}

// tick marks everything to be asked again.
func (s *session) tick() {
	looked := s.source.fresh()
	s.seen.all()
	s.seen.scenesLooked = looked
}

// report reports the state and the problems.
func (s *session) report() {
	r := control.Report{State: control.Ready, Detail: fmt.Sprintf("connected to OBS %s at %s", s.obs.Version().OBS, s.obs.Endpoint().Addr())}
	failing := s.c.parts.Failing()
	switch {
	case s.stopping:
		r = control.Report{State: control.Stopping}
	case s.wantOnAir():
		r = control.Report{State: control.OnAir}
		r.Route, r.Detail = s.picture.used()
		if s.c.peer.Load() {
			r.State = control.OnAirWithPeer
		}
		if s.source.hint != "" {
			failing[problem.Transition] = errors.New(s.source.hint)
		}
		if s.call != nil {
			r.Shared = s.seen.shared
			way := s.c.way()
			r.Bitrate, r.Way = s.call.BitrateKbps(), way.WayText()
			maps.Copy(failing, s.call.failing())
			path, err := s.c.records.state()
			if r.Recording = path; err != nil {
				failing[problem.Recording] = err
			}
			if err := way.RelayProblem(); err != nil {
				failing[problem.Relay] = err
			}
		}
	}
	r.Break = s.c.breaks.why()
	maps.Copy(failing, s.steps.problems)
	addCause(failing)
	r.SetProblems(failing)
	s.c.reports.report(r)
}

// addCause adds the sound server to the problems if something failed because it does not answer. It hides the others then.
func addCause(wrong map[problem.Code]error) {
	for _, err := range wrong {
		for _, cause := range []error{pulse.ErrHangs, pulse.ErrNoServer} {
			if errors.Is(err, cause) {
				wrong[problem.SoundServer] = cause
				return
			}
		}
	}
}
