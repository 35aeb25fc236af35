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

// preparePeerVoice decides how the peer's voice is heard and reaches the stream, once for each time
// on air, and keeps the input for it in all scenes. Without a sound server we go on air with pictures
// alone, and it is decided when there is one.
func (s *session) preparePeerVoice(ctx context.Context) error {
	if s.air == nil || s.speakers == nil {
		captured, err := s.desktopCaptured(ctx)
		if err != nil {
			return err
		}
		switch {
		case s.c.o.PeerAudio == PeerAudioDesktop, s.c.o.PeerAudio == PeerAudioAuto && captured:
			s.speakers = []string{""}
		case captured:
			s.log.Warn("Desktop Audio captures the default sink already; an input of its own would put the peer into the stream twice, so --peer-audio=source has no effect")
			s.speakers = []string{""}
		default:
			if err := s.c.sound.needFromPeer(ctx); err != nil {
				return err
			}
			s.speakers = []string{"", FromPeerSink}
		}
	}
	if len(s.speakers) < 2 {
		return nil
	}
	return s.addPeerAudio(ctx)
}

// desktopCaptured reports whether an audible Desktop Audio input captures the default sink.
func (s *session) desktopCaptured(ctx context.Context) (bool, error) {
	sink, err := s.c.sound.defaultSink(ctx)
	if err != nil {
		return false, err
	}
	for _, input := range s.seen.special.Desktop {
		settings, err := s.obs.InputSettings(ctx, input)
		if err != nil {
			return false, err
		}
		device, chosen := settings["device_id"].(string)
		if chosen && device != defaultDevice && device != sink+".monitor" && device != sink {
			continue
		}
		muted, err := s.obs.InputMuted(ctx, input)
		if err != nil {
			return false, err
		}
		if !muted {
			return true, nil
		}
	}
	return false, nil
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
	for _, scene := range scenes {
		items, err := s.obs.SceneItems(ctx, scene)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(items, func(it obsctl.SceneItem) bool { return it.Source == input }) {
			continue
		}
		if _, err := s.obs.CreateSceneItem(ctx, scene, input, true); err != nil {
			return fmt.Errorf("input %q in scene %q: %w", input, scene, err)
		}
	}
	return nil
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
	s.speakers = nil
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
	if input := s.changes.ourVoice(s.seen.collection, voices); input != "" {
		if err := s.removeItems(ctx, input); err != nil {
			return err
		}
		err := s.obs.RemoveInput(ctx, input)
		if err != nil && !obsctl.IsCode(err, obsctl.CodeNotFound) {
			return fmt.Errorf("input %q: %w", input, err)
		}
	}
	delete(s.changes.Voice, s.seen.collection)
	s.seen.askInputs = true
	return s.saveChanges(ctx)
}

// removeItems takes an input out of all scenes. Where only the input is removed, scenes that are not shown keep an item
// of it (measured, 29.0.2).
func (s *session) removeItems(ctx context.Context, input string) error {
	scenes, err := s.obs.Scenes(ctx)
	if err != nil {
		return err
	}
	for _, scene := range scenes {
		items, err := s.obs.SceneItems(ctx, scene)
		if err != nil {
			return err
		}
		for _, it := range items {
			if it.Source != input {
				continue
			}
			if err := s.obs.RemoveSceneItem(ctx, scene, it.ID); err != nil && !obsctl.IsCode(err, obsctl.CodeNotFound) {
				return fmt.Errorf("input %q in scene %q: %w", input, scene, err)
			}
		}
	}
	return nil
}
