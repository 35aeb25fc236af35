// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/costream-obs/costream-obs/obsctl"
)

const (
	// peerAudioInput is the name, if it is free, of the OBS input that brings the peer's voice into the stream, with its own
	// fader and mute.
	peerAudioInput  = "Peer audio"
	captureKind     = "pulse_output_capture"
	defaultDevice   = "default"
	fromPeerMonitor = FromPeerSink + ".monitor"
)

// peerVoice plays the peer's voice to the user and brings it into the stream, exactly once.
type peerVoice struct {
	obs    peerVoiceOBS
	sound  peerVoiceSound
	seen   *observed
	ledger *ledger
	ofFeed func(collection, scene string) bool // whether a scene is one of the clean feed
	way    PeerAudio
	log    *slog.Logger

	call     voiceCall // nil off air
	speakers []string
	added    bool // the input is in all scenes that were known at the last check
	desktop  desktopAudio
}

// peerVoiceOBS is what peerVoice needs of OBS.
type peerVoiceOBS interface {
	Inputs(ctx context.Context) ([]obsctl.Input, error)
	InputSettings(ctx context.Context, name string) (map[string]any, error)
	InputMuted(ctx context.Context, input string) (bool, error)
	CreateInput(ctx context.Context, scene, name, kind string, settings map[string]any, enabled bool) (int, error)
	EndCapture(ctx context.Context, input string) error
	RemoveInput(ctx context.Context, name string) error
	Scenes(ctx context.Context) ([]string, error)
	ScenesWithout(ctx context.Context, scenes []string, source string) ([]string, error)
	AddToScenes(ctx context.Context, scenes []string, source string) error
	RemoveFromScenes(ctx context.Context, source string) error
}

// peerVoiceSound is what peerVoice needs of the sound server.
type peerVoiceSound interface {
	defaultSink
	recordsOf(ctx context.Context, pid int) (map[string]recording, error)
	needFromPeer(ctx context.Context) error
}

// voiceCall is what peerVoice needs of a call.
type voiceCall interface {
	SetSpeakers(sinks []string)
	SilenceSpeakers(sinks []string)
}

// begin lets a call that begins play the voice.
func (v *peerVoice) begin(call voiceCall) {
	v.call = call
	v.desktop.attach(call.SilenceSpeakers)
}

// end ends that.
func (v *peerVoice) end() {
	v.desktop.detach()
	v.call = nil
}

// play makes the call play the voice, once we know where.
func (v *peerVoice) play() {
	if v.call != nil && v.speakers != nil {
		v.call.SetSpeakers(v.speakers)
	}
}

// prepare decides where the peer's voice plays, and keeps our input for it in all scenes. The input is there also while
// Desktop Audio captures the peer, and takes over when that ends. Without a sound server we go on air with pictures alone;
// this step succeeds once there is one.
func (v *peerVoice) prepare(ctx context.Context) error {
	if v.speakers == nil {
		if err := v.choose(ctx); err != nil {
			return err
		}
	}
	if len(v.speakers) < 2 || v.seen.scenesLooked && v.added {
		return nil
	}
	if err := v.addInput(ctx); err != nil {
		return err
	}
	v.added = true
	return nil
}

// choose decides where the peer's voice plays.
func (v *peerVoice) choose(ctx context.Context) error {
	if v.way == PeerAudioDesktop {
		v.speakers = []string{""}
		return nil
	}
	if err := v.sound.needFromPeer(ctx); err != nil {
		return err
	}
	// Asked before the voice plays, or the viewers would hear it twice for a moment.
	if err := v.look(ctx); err != nil {
		return err
	}
	if v.way == PeerAudioSource && v.desktop.carried() {
		v.log.Warn("Desktop Audio captures the default sink and so the peer; an input of its own would put the peer into the stream twice, so --peer-audio=source has no effect meanwhile")
	}
	v.speakers = []string{"", FromPeerSink}
	return nil
}

// inputs are those that capture the sink with the peer's voice. Their names do not matter: users rename ours, and give its
// name to others.
func (v *peerVoice) inputs(ctx context.Context, inputs []obsctl.Input) ([]string, error) {
	var voices []string
	for _, in := range inputs {
		if in.UnversionedKind != captureKind {
			continue
		}
		settings, err := v.obs.InputSettings(ctx, in.Name)
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

// addInput puts the input into every scene, because only inputs of the programme scene are heard.
func (v *peerVoice) addInput(ctx context.Context) error {
	scenes, err := v.obs.Scenes(ctx)
	if err != nil {
		return err
	}
	scenes = slices.DeleteFunc(scenes, func(scene string) bool { return v.ofFeed(v.seen.collection, scene) })
	if len(v.seen.voices) == 0 {
		if err := v.createInput(ctx); err != nil {
			return err
		}
		v.seen.askInputs = true
	}
	input := v.ledger.ourVoice(v.seen.collection, v.seen.voices)
	if input == "" {
		// The user made it, and chose its scenes.
		return nil
	}
	without, err := v.obs.ScenesWithout(ctx, scenes, input)
	if err != nil {
		return err
	}
	return v.obs.AddToScenes(ctx, without, input)
}

// createInput makes the input, under the first name that is free.
func (v *peerVoice) createInput(ctx context.Context) error {
	settings := map[string]any{"device_id": fromPeerMonitor}
	name := peerAudioInput
	for n := 2; ; n++ {
		v.ledger.noteVoice(v.seen.collection, name)
		if err := v.ledger.save(ctx); err != nil {
			return err
		}
		_, err := v.obs.CreateInput(ctx, v.seen.program, name, captureKind, settings, true)
		if err == nil {
			v.seen.voices = []string{name}
			return nil
		}
		if !obsctl.IsCode(err, obsctl.CodeAlreadyExists) {
			return fmt.Errorf("input %q: %w", name, err)
		}
		name = fmt.Sprintf("%s %d", peerAudioInput, n)
	}
}

// remove removes the input if it is ours.
func (v *peerVoice) remove(ctx context.Context) error {
	v.speakers, v.added = nil, false
	v.desktop.forget()
	if v.ledger.Voice[v.seen.collection] == "" {
		return nil
	}
	inputs, err := v.obs.Inputs(ctx)
	if err != nil {
		return err
	}
	voices, err := v.inputs(ctx, inputs)
	if err != nil {
		return err
	}
	input := v.ledger.ourVoice(v.seen.collection, voices)
	if ours := v.ledger.Voice[v.seen.collection]; input == "" && v.capturesNothing(ctx, ours) {
		input = ours // An earlier removal was interrupted.
	}
	if input != "" {
		if err := v.removeInput(ctx, input); err != nil {
			return err
		}
	}
	delete(v.ledger.Voice, v.seen.collection)
	v.seen.askInputs = true
	return v.ledger.save(ctx)
}

// capturesNothing reports whether the input still exists and its capture was ended.
func (v *peerVoice) capturesNothing(ctx context.Context, input string) bool {
	settings, err := v.obs.InputSettings(ctx, input)
	return err == nil && settings["device_id"] == obsctl.NoDevice
}

// removeInput removes an input that captures the peer's voice.
func (v *peerVoice) removeInput(ctx context.Context, input string) error {
	err := v.obs.EndCapture(ctx, input)
	if err == nil {
		// RemoveInput alone leaves an item in scenes that are not shown (measured, 29.0.2).
		if err := v.obs.RemoveFromScenes(ctx, input); err != nil {
			return err
		}
		err = v.obs.RemoveInput(ctx, input)
	}
	if err != nil && !obsctl.IsCode(err, obsctl.CodeNotFound) {
		return fmt.Errorf("input %q: %w", input, err)
	}
	return nil
}
