// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/obsctl"
)

// stopLimit is how long an output may take to stop before its events are mistrusted.
const stopLimit = 10 * time.Second

// observed is what is known of OBS. Events and the slow tick mark what is to be asked again.
type observed struct {
	streaming, recording, virtualCam bool
	streamEnds, recordEnds           time.Time // when OBS said last that it stops or has stopped; zero once it says anything else

	streamBegins, recordBegins time.Time // when OBS said last that it starts; zero once it says anything else

	program    string
	collection string
	video      obsctl.Video
	inputs     []obsctl.Input
	special    obsctl.SpecialInputs
	voices     []string // inputs that capture the peer's voice
	muted      map[string]bool
	monitored  map[string]obsctl.MonitorType

	changing     bool // a collection or profile is being loaded
	changingFrom time.Time
	askOutputs   bool
	askScene     bool
	askInputs    bool
	scenesLooked bool     // the scenes are as we left them
	listed       []string // the user's scenes, as OBS told them last
}

func (o *observed) all() {
	o.askOutputs, o.askScene, o.askInputs, o.scenesLooked = true, true, true, false
	o.changing = o.changing && time.Since(o.changingFrom) < obsctl.LoadLimit
}

// note takes in an event of OBS.
func (s *session) note(ev obsctl.Event) {
	o := &s.seen
	if s.ofFeed(ev) {
		return
	}
	switch e := ev.(type) {
	case obsctl.StreamState:
		o.streaming = phaseActive(e.Phase, o.streaming)
		o.streamEnds, o.streamBegins = endOf(e.Phase), beginOf(e.Phase)
		o.askOutputs = true
	case obsctl.RecordState:
		o.recording = phaseActive(e.Phase, o.recording)
		o.recordEnds, o.recordBegins = endOf(e.Phase), beginOf(e.Phase)
		o.askOutputs = true
	case obsctl.VirtualCamState:
		o.virtualCam = e.Active
		if !e.Active {
			s.camera = s.camera && s.route != control.RouteDevices
		}
	case obsctl.MuteChanged:
		if o.muted != nil {
			o.muted[e.Input] = e.Muted
		}
		s.tellGate()
		if s.air != nil && e.Input == s.input {
			s.air.SilencePeer(e.Muted)
		}
	case obsctl.MonitorTypeChanged:
		o.setMonitored(e.Input, e.Type)
		s.tellGate()
		o.askInputs = true
	case obsctl.ProgramScene:
		o.program = e.Name
		s.c.program.Store(&e.Name)
		// What is done in scenes does not depend on it, but a transition ends the wait for one.
		o.scenesLooked = o.scenesLooked && s.hint == ""
	case obsctl.InputRenamed:
		if s.changes.renameInput(o.collection, e.Old, e.New) {
			s.steps.clear(problem.MonitoredInputs)
		}
		o.askInputs, o.scenesLooked = true, false
	case obsctl.CollectionChanging, obsctl.ProfileChanging:
		o.changing, o.changingFrom = true, time.Now()
	case obsctl.CollectionChanged:
		s.voiceKept = false
		o.collection, o.changing = e.Name, false
		o.all()
		s.steps.hurry()
	case obsctl.ProfileChanged:
		o.changing = false
		o.all()
		s.steps.hurry()
	case obsctl.Exiting:
		s.log.Info("OBS is about to end")
		s.exiting = true
	case obsctl.InputAdded:
		s.voiceKept = false
		o.askScene, o.askInputs, o.scenesLooked = true, true, false
	case obsctl.InputRemoved, obsctl.SceneItemRemoved, obsctl.ScenesChanged:
		// An OBS that quits removes everything before it says so; it is not to be disturbed then.
		s.quietUntil = time.Now().Add(obsctl.QuietAfterRemoval)
		o.askScene, o.askInputs, o.scenesLooked = true, true, false
	default:
		o.askScene, o.askInputs, o.scenesLooked = true, true, false
	}
}

// setMonitored takes in how an input is monitored now.
func (o *observed) setMonitored(input string, t obsctl.MonitorType) {
	switch {
	case t == obsctl.MonitorOff:
		delete(o.monitored, input)
	case o.monitored != nil: // OBS was asked for the others.
		o.monitored[input] = t
	}
}

func phaseActive(p obsctl.OutputPhase, now bool) bool {
	switch p {
	case obsctl.Started, obsctl.Reconnecting, obsctl.Reconnected, obsctl.Paused, obsctl.Resumed:
		return true
	case obsctl.Stopping, obsctl.Stopped:
		return false
	default:
		return now
	}
}

// endOf is when an output began to end. A busy OBS says that one has stopped and calls it active for some time after
// (measured, 29.0.2: 1 s).
func endOf(p obsctl.OutputPhase) time.Time {
	if p == obsctl.Stopping || p == obsctl.Stopped {
		return time.Now()
	}
	return time.Time{}
}

// beginOf is when an output began to start.
func beginOf(p obsctl.OutputPhase) time.Time {
	if p == obsctl.Starting {
		return time.Now()
	}
	return time.Time{}
}

// observe asks OBS for what may have changed. Where OBS does not say all, or ctx ends in between, that
// part stays as it was: to undo our changes takes the collection that they were made in.
func (s *session) observe(ctx context.Context) error {
	o := &s.seen
	if o.askOutputs {
		if err := s.observeOutputs(ctx); err != nil {
			return err
		}
	}
	if o.askScene {
		if err := s.observeScene(ctx); err != nil {
			return err
		}
	}
	if o.askInputs {
		return s.observeInputs(ctx)
	}
	return nil
}

func (s *session) observeOutputs(ctx context.Context) error {
	o := &s.seen
	streaming, err := s.obs.StreamActive(ctx)
	if err != nil {
		return err
	}
	recording, err := s.obs.RecordActive(ctx)
	if err != nil {
		return err
	}
	virtualCam, err := s.obs.VirtualCamActive(ctx)
	if err != nil && !errors.Is(err, obsctl.ErrNoVirtualCam) {
		return err
	}
	// An output that is stopping is still active for a while, but off air for us.
	o.streaming = streaming && time.Since(o.streamEnds) > stopLimit
	o.recording = recording && time.Since(o.recordEnds) > stopLimit
	o.virtualCam = virtualCam
	o.askOutputs = false
	return nil
}

func (s *session) observeScene(ctx context.Context) error {
	program, err := s.obs.ProgramScene(ctx)
	if err != nil {
		return err
	}
	if program == "" {
		return obsctl.ErrNoProgram
	}
	collection, _, err := s.obs.Collections(ctx)
	if err != nil {
		return err
	}
	video, err := s.obs.VideoSettings(ctx)
	if err != nil {
		return err
	}
	s.c.program.Store(&program)
	o := &s.seen
	o.program, o.collection, o.video = program, collection, video
	o.askScene = false
	return nil
}

func (s *session) observeInputs(ctx context.Context) error {
	asked := time.Now()
	inputs, err := s.obs.Inputs(ctx)
	if err != nil {
		return err
	}
	special, err := s.obs.SpecialInputs(ctx)
	if err != nil {
		return err
	}
	voices, err := s.peerVoices(ctx, inputs)
	if err != nil {
		return err
	}
	monitored, err := s.obs.Monitored(ctx)
	if err != nil {
		return err
	}
	desktop, err := s.observeDesktop(ctx, special.Desktop)
	if err != nil {
		return err
	}
	for name, in := range desktop {
		in.only = monitored[name] == obsctl.MonitorOnly
		desktop[name] = in
	}
	s.desktop.set(desktop, inputs, asked)
	muted := make(map[string]bool)
	for _, mic := range s.micsOf(special) {
		m, err := s.obs.InputMuted(ctx, mic)
		if obsctl.IsCode(err, obsctl.CodeNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		muted[mic] = m
	}
	o := &s.seen
	o.inputs, o.special, o.voices, o.monitored, o.muted = inputs, special, voices, monitored, muted
	o.askInputs = false
	return nil
}

// has reports whether OBS has an input of that name.
func (o *observed) has(input string) bool {
	return slices.ContainsFunc(o.inputs, func(in obsctl.Input) bool { return in.Name == input })
}

// outputFormat is what the virtual camera and the viewers get.
func (o *observed) outputFormat() media.VideoFormat {
	return media.VideoFormat{W: o.video.OutputW, H: o.video.OutputH, FPSNum: o.video.FPSNum, FPSDen: o.video.FPSDen}
}

// canvasFormat is what scenes are laid out on.
func (o *observed) canvasFormat() media.VideoFormat {
	return media.VideoFormat{W: o.video.CanvasW, H: o.video.CanvasH, FPSNum: o.video.FPSNum, FPSDen: o.video.FPSDen}
}
