// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/obsctl"
)

// The session collects the state of OBS, from its events and by asking, and passes it to the controllers.

// note takes in an event of OBS.
func (s *session) note(ev obsctl.Event) {
	if s.feed.causes(ev) {
		return
	}
	s.seen.note(ev)
	for _, c := range []interface{ note(obsctl.Event) }{&s.viewers, &s.mic, &s.picture, &s.source} {
		c.note(ev)
	}
	switch e := ev.(type) {
	case obsctl.ProgramScene:
		s.c.program.Store(&e.Name)
	case obsctl.InputRenamed:
		if s.ledger.renameInput(s.seen.collection, e.Old, e.New) {
			s.steps.clear(problem.MonitoredInputs)
		}
	case obsctl.CollectionChanged, obsctl.ProfileChanged:
		s.steps.hurry()
	case obsctl.Exiting:
		s.log.Info("OBS is about to end")
		s.exiting = true
	case obsctl.InputRemoved, obsctl.SceneItemRemoved, obsctl.ScenesChanged:
		// An OBS that quits removes everything before it says so, and must not get requests then.
		s.quietUntil = time.Now().Add(obsctl.QuietAfterRemoval)
	}
}

// observe asks OBS for what may have changed. If OBS does not answer everything, or ctx ends, that part stays as it was: our
// changes can be undone only in the collection in which they were made.
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
		if err := s.observeInputs(ctx); err != nil {
			return err
		}
	}
	s.share.decide(ctx)
	if s.call != nil {
		s.mic.tell() // What is not shared any more is silent before OBS is asked to end its monitoring.
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
	// An output that is stopping stays active for a while, but we count it as off air.
	o.streaming = streaming && time.Since(o.streamEnds) > stopLimit
	o.recording = recording && time.Since(o.recordEnds) > stopLimit
	o.virtualCam = virtualCam
	o.askOutputs = false
	return nil
}

// collectionKnown is for how long OBS is not asked again for the name of its scene collection. An event tells of another
// collection, and up to OBS 30 the question takes 30 to 60 ms with 200 scenes.
const collectionKnown = 10 * time.Second

func (s *session) observeScene(ctx context.Context) error {
	program, err := s.obs.ProgramScene(ctx)
	if err != nil {
		return err
	}
	if program == "" {
		return obsctl.ErrNoProgram
	}
	collection, err := s.obs.Collection(ctx, collectionKnown)
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
	inputs, err := s.obs.Inputs(ctx)
	if err != nil {
		return err
	}
	special, err := s.obs.SpecialInputs(ctx)
	if err != nil {
		return err
	}
	voices, err := s.voice.inputs(ctx, inputs)
	if err != nil {
		return err
	}
	monitored, err := s.obs.Monitored(ctx)
	if err != nil {
		return err
	}
	if err := s.voice.observe(ctx, special.Desktop, voices, inputs, monitored); err != nil {
		return err
	}
	if err := s.share.ask(ctx, inputs); err != nil {
		return err
	}
	o := &s.seen
	muted := make(map[string]bool)
	for _, input := range slices.Concat(o.micsOf(special), s.share.withSound()) {
		m, err := s.obs.InputMuted(ctx, input)
		if obsctl.IsCode(err, obsctl.CodeNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		muted[input] = m
	}
	o.inputs, o.special, o.voices, o.monitored, o.muted = inputs, special, voices, monitored, muted
	o.askInputs = false
	return nil
}
