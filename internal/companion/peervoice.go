// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"fmt"
	"slices"
	"time"

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

// preparePeerVoice decides how the peer's voice is heard and reaches the stream, and keeps the input for
// it in all scenes. Without a sound server we go on air with pictures alone, and it is decided when there
// is one. On air it is looked at again where something has changed.
func (s *session) preparePeerVoice(ctx context.Context) error {
	if s.air == nil || s.speakers == nil || s.c.sound.defaultsMoved() {
		s.voiceStale = true
	}
	if s.voiceStale {
		desktop, err := s.lookAtDesktop(ctx)
		if err != nil {
			return err
		}
		if err := s.choosePeerVoice(ctx, desktop); err != nil {
			return err
		}
		s.voiceStale = false
	}
	if len(s.speakers) < 2 {
		return nil
	}
	return s.addPeerAudio(ctx)
}

// choosePeerVoice decides between Desktop Audio and an input of our own.
func (s *session) choosePeerVoice(ctx context.Context, desktop desktopAudio) error {
	onAir := s.air != nil && s.speakers != nil
	switch {
	case onAir && len(s.speakers) == 2:
		// The input stays, so that there is no gap when it is needed again.
		mute, err := s.desktopTakesOver(ctx, desktop)
		if err != nil {
			return err
		}
		return s.mutePeerAudio(ctx, mute)
	case onAir && (s.c.o.PeerAudio == PeerAudioDesktop || desktop != desktopElsewhere):
		// Who mutes Desktop Audio while the peer is in it mutes the peer.
		return nil
	case !onAir && (s.c.o.PeerAudio == PeerAudioDesktop || s.c.o.PeerAudio == PeerAudioAuto && desktop == desktopHeard):
		s.speakers = []string{""}
		return nil
	case !onAir && desktop == desktopHeard:
		s.log.Warn("Desktop Audio captures the default sink already; an input of its own would put the peer into the stream twice, so --peer-audio=source has no effect")
		s.speakers = []string{""}
		return nil
	}
	if err := s.c.sound.needFromPeer(ctx); err != nil {
		return err
	}
	s.speakers = []string{"", FromPeerSink}
	if onAir {
		s.air.SetSpeakers(s.speakers)
		s.air.RenewVoice()
	}
	return nil
}

// recordedFor is how long OBS must have recorded Desktop Audio before what it records counts: the sound of a stream that
// OBS has just opened comes 0.1 to 0.2 s later. For so long the viewers hear the peer twice, which they mind less than a
// gap.
const recordedFor = 300 * time.Millisecond

// desktopTakesOver reports whether Desktop Audio brings the peer's voice into the stream by now.
func (s *session) desktopTakesOver(ctx context.Context, desktop desktopAudio) (bool, error) {
	if desktop == desktopElsewhere {
		s.desktopFrom = time.Time{}
		return false, nil
	}
	if s.peerAudioMuted {
		return desktop == desktopHeard, nil
	}
	recording, err := s.c.sound.capturesOf(ctx, s.seen.pid)
	if err != nil {
		return false, err
	}
	// Where OBS's streams cannot be told at all its settings must do.
	if len(recording) > 0 && !slices.ContainsFunc(s.seen.special.Desktop, func(input string) bool { return recording[input] }) {
		s.desktopFrom = time.Time{}
		return false, nil
	}
	if s.desktopFrom.IsZero() {
		s.desktopFrom = time.Now()
	}
	wait := recordedFor - time.Since(s.desktopFrom)
	if wait > 0 && desktop == desktopHeard {
		s.c.sound.lookAgain(wait)
	}
	return wait <= 0 && desktop == desktopHeard, nil
}

// mutePeerAudio mutes the input for the peer's voice while Desktop Audio carries the peer. What the user
// muted stays muted.
func (s *session) mutePeerAudio(ctx context.Context, mute bool) error {
	input := s.ledger.ourVoice(s.seen.collection, s.seen.voices)
	if mute == s.peerAudioMuted || input == "" {
		return nil
	}
	if mute {
		users, err := s.obs.InputMuted(ctx, input)
		if err != nil || users {
			return err
		}
	}
	if err := s.obs.SetInputMuted(ctx, input, mute); err != nil {
		return fmt.Errorf("mute of %q: %w", input, err)
	}
	s.peerAudioMuted = mute
	s.log.Info("the input for the peer's voice", "muted", mute)
	return nil
}

// desktopAudio says what OBS's Desktop Audio does with the default sink.
type desktopAudio int

const (
	desktopElsewhere desktopAudio = iota // it captures another sink, or there is none
	desktopMuted                         // it captures the default sink and is muted
	desktopHeard                         // it captures the default sink, and the viewers hear it
)

// lookAtDesktop tells what the Desktop Audio inputs do; one that is heard counts most.
func (s *session) lookAtDesktop(ctx context.Context) (desktopAudio, error) {
	sink, err := s.c.sound.defaultSink(ctx)
	if err != nil {
		return desktopElsewhere, err
	}
	found := desktopElsewhere
	if len(s.seen.special.Desktop) == 0 {
		return found, nil
	}
	records, err := s.c.sound.sourcesOf(ctx, s.seen.pid)
	if err != nil {
		return desktopElsewhere, err
	}
	for _, input := range s.seen.special.Desktop {
		if source, known := records[input]; known && source != sink+".monitor" {
			// OBS does not follow when another sink becomes the default, and the sound server does not always.
			continue
		}
		settings, err := s.obs.InputSettings(ctx, input)
		if err != nil {
			return desktopElsewhere, err
		}
		device, chosen := settings["device_id"].(string)
		if chosen && device != defaultDevice && device != sink+".monitor" && device != sink {
			continue
		}
		muted, err := s.obs.InputMuted(ctx, input)
		if err != nil {
			return desktopElsewhere, err
		}
		if !muted {
			return desktopHeard, nil
		}
		found = desktopMuted
	}
	return found, nil
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
	input := s.ledger.ourVoice(s.seen.collection, s.seen.voices)
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
		s.ledger.noteVoice(s.seen.collection, name)
		if err := s.ledger.save(ctx); err != nil {
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
	s.speakers, s.peerAudioMuted = nil, false
	if s.ledger.Voice[s.seen.collection] == "" {
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
	input := s.ledger.ourVoice(s.seen.collection, voices)
	if ours := s.ledger.Voice[s.seen.collection]; input == "" && s.capturesNothing(ctx, ours) {
		input = ours // Its removal was begun.
	}
	if input != "" {
		if err := s.removeVoice(ctx, input); err != nil {
			return err
		}
	}
	delete(s.ledger.Voice, s.seen.collection)
	s.seen.askInputs = true
	return s.ledger.save(ctx)
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
		if err := s.removeItems(ctx, input); err != nil {
			return err
		}
		err = s.obs.RemoveInput(ctx, input)
	}
	if err != nil && !obsctl.IsCode(err, obsctl.CodeNotFound) {
		return fmt.Errorf("input %q: %w", input, err)
	}
	return nil
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
