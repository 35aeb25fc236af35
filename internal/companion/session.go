// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync/atomic"
	"time"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/obsctl"
)

const (
	// slowTick is how often OBS is asked for everything: its events can be lost. It is no multiple of
	// recordPiece, so that what waits in OBS's streams is looked at at all times within a piece.
	slowTick = 2*time.Second + 15*time.Millisecond
	// settle collects bursts of events into one look at OBS.
	settle = 20 * time.Millisecond
	// leaveWithin bounds what is undone when the companion stops.
	leaveWithin = 8 * time.Second
)

// session is the time of one connection to OBS. Its goroutine owns all that the companion knows of
// this OBS and is the only one that changes anything in it, but for the scenes of the clean feed,
// which are that part's own.
type session struct {
	c   *Companion
	obs *obsctl.Client
	id  string // of the OBS process

	files *collection.Dir // OBS's, nil where they are on another machine
	told  bool            // OBS remembers what was done to them while it was closed

	log *slog.Logger

	seen    observed
	changes changes
	unsaved bool // OBS keeps older changes than these for us
	steps   steps

	route         control.Route
	routeWhy      string
	air           *air
	legs          legs
	speakers      []string
	feedCamera    bool                  // OBS's virtual camera shows the clean feed
	cameraScene   string                // what that is called then
	feedReady     bool                  // it is there to be sent
	private       *obsctl.PrivateScenes // of the clean feed
	feedOf        string                // the scene collection for which that was looked up last off air
	camera        bool                  // the output for pictures runs and was verified
	held          atomic.Bool           // the peer source is hidden somewhere until the clean feed is in step
	hint          string                // what the user has to do for the peer to be seen
	stopping      bool
	exiting       bool // OBS said that it ends
	keptOff       keptOff
	quietUntil    time.Time
	slow          map[string]int // how often in a row a microphone's monitoring was late
	resync        map[string]time.Time
	missing       map[string]time.Time // since when a monitored microphone has had no stream
	unknown       error                // scenes of --scenes that OBS does not have
	scenesChecked bool
	arranged      string    // what the scenes were last arranged for
	arrangedAt    time.Time // when
	arrangedIn    time.Duration
	input         string    // the peer source's name, while it is in OBS
	muteAsked     string    // the peer source whose mute OBS was asked for; after that its events tell
	inputDead     time.Time // since when the peer source has shown no picture
	gate          gate      // of our voice
	unheard       unheard   // microphones that do not reach us
	truce         truce     // over OBS's streams
	news          news
	voiceSafe     bool // a monitored microphone stays in the stream
	voiceKept     bool // that was made so, and nothing has happened since
	probeGone     bool // what that needs in OBS was looked for and removed since we were on air
	dedupLog      obsctl.DeduplicationLog

	desktop        desktopAudio
	voiceAdded     bool      // the input for the peer's voice is in all scenes, as they were looked at last
	capturesLooked time.Time // when it was looked at what OBS records
	unrecorded     map[string]time.Time
}

func (c *Companion) useOBS(ctx context.Context, obs *obsctl.Client) error {
	c.connected = true
	s := &session{
		c: c, obs: obs, id: c.processID(obs.Endpoint().PID), log: c.log,
		steps:    newSteps(func() bool { return obs.Err() != nil }, c.log),
		gate:     gate{always: c.o.MicSource != "", hazard: obs.Version().MutedIsMonitored()},
		news:     news{some: make(chan struct{}, 1)},
		desktop:  desktopAudio{log: c.log},
		private:  obsctl.NewPrivateScenes(cleanfeed.PrivateScenes()),
		dedupLog: obsctl.DeduplicationLog{PID: obs.Endpoint().PID},
		slow:     make(map[string]int), resync: make(map[string]time.Time), missing: make(map[string]time.Time),
	}
	c.feed.Begin(s.peerInputs, s.feedInStep)
	// Once OBS has ended nothing tells where its files are.
	if dir, err := collection.Of(obs.Endpoint().PID, obsctl.FindOptions{}); err == nil {
		s.files = &dir
	}
	listenCtx, deaf := context.WithCancel(context.WithoutCancel(ctx))
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		s.listen(listenCtx)
	}()
	err := s.run(ctx)
	s.leave(ctx)
	deaf()
	<-listening
	s.noteLeftovers()
	return err
}

func (s *session) run(ctx context.Context) error {
	v := s.obs.Version()
	s.log.Info("connected to OBS", "at", s.obs.Endpoint().Addr(), "obs", v.OBS, "websocket", v.WebSocket)
	if err := s.loadChanges(ctx); err != nil {
		return err
	}
	if err := s.tellCleaned(ctx); err != nil {
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

// awaitNews returns when something may have changed, and false at the end of the connection or of ctx.
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

// drain takes in the events that come close together.
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

// noteNews takes in the events so far, and reports whether one of them matters and whether more may come.
func (s *session) noteNews() (matters, more bool) {
	events, more := s.news.take()
	for _, ev := range events {
		if active, is := ev.(obsctl.InputActive); is {
			matters = s.noteActive(active) || matters
			continue
		}
		s.note(ev)
		matters = true
	}
	return matters, more
}

// tellGate tells the gate what is known of the microphones.
func (s *session) tellGate() { s.gate.set(s.mics(), s.mutedMics(), s.seen.monitored) }

// round looks at OBS where something may have changed and applies the difference to what should be.
func (s *session) round(ctx context.Context) error {
	if s.exiting {
		s.stopAir()
		return nil
	}
	if s.c.stood.Swap(false) {
		s.beginAnew()
	}
	if s.air != nil && !s.wantAir() {
		s.stopping = true
		s.report()
		s.stopAir()
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
		// OBS refuses questions for a moment while it loads something.
		s.log.Debug("OBS did not say all", "error", err)
		s.seen.all()
		s.reportKeptOff(fmt.Errorf("OBS does not answer: %w", err))
		return nil
	}
	if s.wantAir() {
		s.goOn(ctx)
	} else {
		s.stopAir() // as observe found it
		s.goOff(ctx)
	}
	s.steps.forgetUntried()
	s.noteKeptOff(nil)
	s.report()
	return nil
}

// wantAir is the desired state.
func (s *session) wantAir() bool {
	switch s.c.o.When {
	case WhenRecording:
		return s.seen.recording
	case WhenVirtualCam:
		return s.seen.virtualCam
	case WhenAlways:
		return true
	default:
		return s.seen.streaming
	}
}

// goOn takes the steps that lead on air, each as far as it is still to be done. Our picture does not wait for the voices.
func (s *session) goOn(ctx context.Context) {
	s.steps.try(ctx, problem.Collection, s.leaveTempCollection)
	s.steps.try(ctx, problem.Captures, s.reviveCapture)
	s.steps.try(ctx, problem.CleanFeed, s.prepareFeed)
	s.steps.try(ctx, problem.OurPicture, s.openPicture)
	if s.air == nil && s.camera {
		s.startAir()
		s.tellGate()
	}
	s.steps.try(ctx, problem.Viewers, s.keepVoiceInStream)
	s.steps.try(ctx, problem.MonitoredInputs, s.monitorMics)
	s.steps.try(ctx, problem.Level, s.checkRecording)
	s.steps.try(ctx, problem.Unheard, s.checkHeard)
	s.steps.try(ctx, problem.PeerVoice, s.preparePeerVoice)
	s.tellGate()
	if s.air != nil && s.speakers != nil {
		s.air.SetSpeakers(s.speakers)
	}
	s.steps.try(ctx, problem.Programme, s.checkProgramme)
	s.steps.try(ctx, problem.PeerSource, s.showPeer)
	s.steps.try(ctx, problem.PeerPicture, s.revivePeerInput)
	s.steps.try(ctx, problem.PeerMute, s.followPeerMute)
}

// goOff undoes them. We are silent towards the peer by then.
func (s *session) goOff(ctx context.Context) {
	s.steps.try(ctx, problem.PeerSource, s.hidePeer)
	s.steps.try(ctx, problem.PeerVoice, s.removePeerVoice)
	s.steps.try(ctx, problem.OurPicture, s.closePicture)
	s.steps.try(ctx, problem.CleanFeed, s.removeFeed)
	s.steps.try(ctx, problem.MonitoredInputs, s.unmonitor)
	s.steps.try(ctx, problem.Viewers, s.resumeDeduplication)
	s.steps.try(ctx, problem.Changes, s.saveUnsaved)
	s.stopping, s.hint = false, ""
	s.steps.try(ctx, problem.Collection, s.leaveTempCollection)
	s.steps.try(ctx, problem.MonitoredBack, s.returnStreams)
	s.steps.try(ctx, problem.Screen, s.prepareScreen)
	s.steps.try(ctx, problem.Scenes, s.checkScenes)
	s.steps.try(ctx, problem.Output, s.checkOutput)
}

// leave ends the session: what was changed is undone as far as OBS still listens.
func (s *session) leave(ctx context.Context) {
	s.stopAir()
	if s.obs.Err() != nil || s.exiting {
		s.c.reports.report(control.Report{State: control.Waiting, Detail: "the connection to OBS ended"})
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
	defer cancel()
	s.c.reports.report(control.Report{State: control.Stopping})
	s.steps.hurry()
	for _, step := range []struct {
		code problem.Code
		do   func(context.Context) error
	}{
		{problem.Collection, s.leaveTempCollection},
		{problem.PeerSource, s.hidePeer},
		{problem.PeerVoice, s.removePeerVoice},
		{problem.OurPicture, s.closePicture},
		{problem.CleanFeed, s.removeFeed},
		{problem.MonitoredInputs, s.unmonitor},
		{problem.Viewers, s.resumeDeduplication},
		{problem.Changes, s.saveUnsaved},
		{problem.MonitoredBack, s.returnStreams},
	} {
		if err := step.do(ctx); err != nil {
			s.log.Warn("could not undo everything in OBS; the next `costream-obs run` will", "what", problem.Of(step.code).Name, "error", err)
		}
	}
}

// report tells the user where we are.
func (s *session) report() {
	r := control.Report{State: control.Ready, Detail: fmt.Sprintf("connected to OBS %s at %s", s.obs.Version().OBS, s.obs.Endpoint().Addr())}
	failing := s.c.parts.Failing()
	switch {
	case s.stopping:
		r = control.Report{State: control.Stopping}
	case s.wantAir():
		r = control.Report{State: control.OnAir, Route: s.route, Detail: s.routeWhy}
		if s.c.peer.Load() {
			r.State = control.OnAirWithPeer
		}
		if s.hint != "" {
			failing[problem.Transition] = errors.New(s.hint)
		}
		if s.air != nil {
			r.Bitrate = s.air.BitrateKbps()
			maps.Copy(failing, s.air.failing())
		}
	}
	maps.Copy(failing, s.steps.problems)
	r.SetProblems(failing)
	s.c.reports.report(r)
}

// mics are the inputs that go to the peer.
func (s *session) mics() []string { return s.micsOf(s.seen.special) }

// micsOf are those of --mic, else OBS's own microphone inputs.
func (s *session) micsOf(special obsctl.SpecialInputs) []string {
	if len(s.c.o.Mics) > 0 {
		return s.c.o.Mics
	}
	return special.Mics
}
