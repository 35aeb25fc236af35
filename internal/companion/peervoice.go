// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"fmt"
	"slices"

	"github.com/costream-obs/costream-obs/obsctl"
)

const (
	// peerAudioInput is what the OBS input is called, unless the name is taken, that brings the peer's voice into the
	// stream, with a fader and a mute of its own.
	peerAudioInput  = "Peer audio"
	captureKind     = "pulse_output_capture"
	defaultDevice   = "default"
	fromPeerMonitor = FromPeerSink + ".monitor"
)

// preparePeerVoice has the peer's voice heard, and keeps the input for it in all scenes, also while Desktop Audio carries the
// peer: when that ends it is there. Without a sound server we go on air with pictures alone, and this is done when there is
// one.
func (s *session) preparePeerVoice(ctx context.Context) error {
	if s.speakers == nil {
		if err := s.chooseSpeakers(ctx); err != nil {
			return err
		}
	}
	if len(s.speakers) < 2 || s.seen.scenesLooked && s.voiceAdded {
		return nil
	}
	if err := s.addPeerAudio(ctx); err != nil {
		return err
	}
	s.voiceAdded = true
	return nil
}

// chooseSpeakers decides where the peer's voice plays.
func (s *session) chooseSpeakers(ctx context.Context) error {
	if s.c.o.PeerAudio == PeerAudioDesktop {
		s.speakers = []string{""}
		return nil
	}
	if err := s.c.sound.needFromPeer(ctx); err != nil {
		return err
	}
	// Before it is heard, or it would be twice for a moment.
	if err := s.lookAtDesktop(ctx); err != nil {
		return err
	}
	s.speakers = []string{"", FromPeerSink}
	return nil
}

// peerVoices are those of the inputs that capture the sink with the peer's voice. Their names tell nothing: users rename
// ours, and give the name of ours to others.
func (s *session) peerVoices(ctx context.Context, inputs []obsctl.Input) ([]string, error) {
	var voices []string
	for _, in := range inputs {
		if in.UnversionedKind != captureKind {
			continue
		}
		settings, err := s.obs.InputSettings(ctx, in.Name)
		if obsctl.IsCode(err, obsctl.CodeNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if settings["device_id"] == fromPeerMonitor {
			voices = append(voices, in.Name)
		}
	}
	return voices, nil
}

// addPeerAudio puts the input into every scene: only what is in the programme scene is heard.
func (s *session) addPeerAudio(ctx context.Context) error {
	scenes, err := s.obs.Scenes(ctx)
	if err != nil {
		return err
	}
	scenes = slices.DeleteFunc(scenes, func(scene string) bool { return s.c.feed.Ours(s.seen.collection, scene) })
	if len(s.seen.voices) == 0 {
		if err := s.createPeerAudio(ctx); err != nil {
			return err
		}
		s.seen.askInputs = true
	}
	input := s.changes.ourVoice(s.seen.collection, s.seen.voices)
	if input == "" {
		// The user made it, and placed it where it is wanted.
		return nil
	}
	without, err := s.obs.ScenesWithout(ctx, scenes, input)
	if err != nil {
		return err
	}
	return s.obs.AddToScenes(ctx, without, input)
}

// createPeerAudio makes the input, under the first name that is free.
func (s *session) createPeerAudio(ctx context.Context) error {
	settings := map[string]any{"device_id": fromPeerMonitor}
	name := peerAudioInput
	for n := 2; ; n++ {
		s.changes.noteVoice(s.seen.collection, name)
		if err := s.saveChanges(ctx); err != nil {
			return err
		}
		_, err := s.obs.CreateInput(ctx, s.seen.program, name, captureKind, settings, true)
		if err == nil {
			s.seen.voices = []string{name}
			return nil
		}
		if !obsctl.IsCode(err, obsctl.CodeAlreadyExists) {
			return fmt.Errorf("input %q: %w", name, err)
		}
		name = fmt.Sprintf("%s %d", peerAudioInput, n)
	}
}

// removePeerVoice takes the input away again if it is ours.
func (s *session) removePeerVoice(ctx context.Context) error {
	s.speakers, s.voiceAdded = nil, false
	s.desktop.forget()
	if s.changes.Voice[s.seen.collection] == "" {
		return nil
	}
	inputs, err := s.obs.Inputs(ctx)
	if err != nil {
		return err
	}
	voices, err := s.peerVoices(ctx, inputs)
	if err != nil {
		return err
	}
	input := s.changes.ourVoice(s.seen.collection, voices)
	if ours := s.changes.Voice[s.seen.collection]; input == "" && s.capturesNothing(ctx, ours) {
		input = ours // Its removal was begun.
	}
	if input != "" {
		if err := s.removeVoice(ctx, input); err != nil {
			return err
		}
	}
	delete(s.changes.Voice, s.seen.collection)
	s.seen.askInputs = true
	return s.saveChanges(ctx)
}

// capturesNothing reports whether the capture of an input was ended and the input is still there.
func (s *session) capturesNothing(ctx context.Context, input string) bool {
	settings, err := s.obs.InputSettings(ctx, input)
	return err == nil && settings["device_id"] == obsctl.NoDevice
}

// removeVoice removes an input that captures the peer's voice.
func (s *session) removeVoice(ctx context.Context, input string) error {
	err := s.obs.EndCapture(ctx, input)
	if err == nil {
		// Where only the input is removed, scenes that are not shown keep an item of it (measured, 29.0.2).
		if err := s.obs.RemoveFromScenes(ctx, input); err != nil {
			return err
		}
		err = s.obs.RemoveInput(ctx, input)
	}
	if err != nil && !obsctl.IsCode(err, obsctl.CodeNotFound) {
		return fmt.Errorf("input %q: %w", input, err)
	}
	return nil
}
