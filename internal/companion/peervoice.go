// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"fmt"
	"log/slog"
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

// peerVoice brings the peer's voice to the user's ears and into the stream, exactly once.
type peerVoice struct {
	obs    peerVoiceOBS
	sound  peerVoiceSound
	seen   *observed
	ledger *ledger
	ofFeed func(collection, scene string) bool // a scene is of the clean feed
	way    PeerAudio
	log    *slog.Logger

	call        voiceCall // nil off air
	speakers    []string
	stale       bool      // how the voice comes into the stream is to be looked at again
	muted       bool      // the input is, by us, since Desktop Audio carries the peer
	desktopFrom time.Time // since when OBS has been seen to record what Desktop Audio captures, on air
}

// peerVoiceOBS is what peerVoice needs of OBS.
type peerVoiceOBS interface {
	Inputs(ctx context.Context) ([]obsctl.Input, error)
	InputSettings(ctx context.Context, name string) (map[string]any, error)
	InputMuted(ctx context.Context, input string) (bool, error)
	SetInputMuted(ctx context.Context, input string, muted bool) error
	CreateInput(ctx context.Context, scene, name, kind string, settings map[string]any, enabled bool) (int, error)
	EndCapture(ctx context.Context, input string) error
	RemoveInput(ctx context.Context, name string) error
	Scenes(ctx context.Context) ([]string, error)
	SceneItems(ctx context.Context, scene string) ([]obsctl.SceneItem, error)
	CreateSceneItem(ctx context.Context, scene, source string, enabled bool) (int, error)
	RemoveSceneItem(ctx context.Context, scene string, id int) error
}

// peerVoiceSound is what peerVoice needs of the sound server.
type peerVoiceSound interface {
	defaultSink
	recordings
	sourcesOf(ctx context.Context, pid int) (map[string]string, error)
	defaultsMoved() bool
	lookAgain(after time.Duration)
	needFromPeer(ctx context.Context) error
}

// recordings are the inputs that OBS records.
type recordings interface {
	capturesOf(ctx context.Context, pid int) (map[string]bool, error)
}

// voiceCall is what peerVoice needs of a call.
type voiceCall interface {
	SetSpeakers(sinks []string)
	RenewVoice()
}

// note takes in what has the way of the voice be looked at again.
func (v *peerVoice) note(ev obsctl.Event) {
	if e, is := ev.(obsctl.MuteChanged); is {
		v.stale = v.stale || slices.Contains(v.seen.special.Desktop, e.Input)
	}
}

// play has the call play the voice, once it is known where.
func (v *peerVoice) play() {
	if v.call != nil && v.speakers != nil {
		v.call.SetSpeakers(v.speakers)
	}
}

// prepare decides how the peer's voice is heard and reaches the stream, and keeps the input for
// it in all scenes. Without a sound server we go on air with pictures alone, and it is decided when there
// is one. On air it is looked at again where something has changed.
func (v *peerVoice) prepare(ctx context.Context) error {
	if v.call == nil || v.speakers == nil || v.sound.defaultsMoved() {
		v.stale = true
	}
	if v.stale {
		desktop, err := v.lookAtDesktop(ctx)
		if err != nil {
			return err
		}
		if err := v.choose(ctx, desktop); err != nil {
			return err
		}
		v.stale = false
	}
	if len(v.speakers) < 2 {
		return nil
	}
	return v.addInput(ctx)
}

// choose decides between Desktop Audio and an input of our own.
func (v *peerVoice) choose(ctx context.Context, desktop desktopAudio) error {
	onAir := v.call != nil && v.speakers != nil
	switch {
	case onAir && len(v.speakers) == 2:
		// The input stays, so that there is no gap when it is needed again.
		mute, err := v.desktopTakesOver(ctx, desktop)
		if err != nil {
			return err
		}
		return v.muteInput(ctx, mute)
	case onAir && (v.way == PeerAudioDesktop || desktop != desktopElsewhere):
		// Who mutes Desktop Audio while the peer is in it mutes the peer.
		return nil
	case !onAir && (v.way == PeerAudioDesktop || v.way == PeerAudioAuto && desktop == desktopHeard):
		v.speakers = []string{""}
		return nil
	case !onAir && desktop == desktopHeard:
		v.log.Warn("Desktop Audio captures the default sink already; an input of its own would put the peer into the stream twice, so --peer-audio=source has no effect")
		v.speakers = []string{""}
		return nil
	}
	if err := v.sound.needFromPeer(ctx); err != nil {
		return err
	}
	v.speakers = []string{"", FromPeerSink}
	if onAir {
		v.call.SetSpeakers(v.speakers)
		v.call.RenewVoice()
	}
	return nil
}

// recordedFor is how long OBS must have recorded Desktop Audio before what it records counts: the sound of a stream that
// OBS has just opened comes 0.1 to 0.2 s later. For so long the viewers hear the peer twice, which they mind less than a
// gap.
const recordedFor = 300 * time.Millisecond

// desktopTakesOver reports whether Desktop Audio brings the peer's voice into the stream by now.
func (v *peerVoice) desktopTakesOver(ctx context.Context, desktop desktopAudio) (bool, error) {
	if desktop == desktopElsewhere {
		v.desktopFrom = time.Time{}
		return false, nil
	}
	if v.muted {
		return desktop == desktopHeard, nil
	}
	recording, err := v.sound.capturesOf(ctx, v.seen.pid)
	if err != nil {
		return false, err
	}
	// Where OBS's streams cannot be told at all its settings must do.
	if len(recording) > 0 && !slices.ContainsFunc(v.seen.special.Desktop, func(input string) bool { return recording[input] }) {
		v.desktopFrom = time.Time{}
		return false, nil
	}
	if v.desktopFrom.IsZero() {
		v.desktopFrom = time.Now()
	}
	wait := recordedFor - time.Since(v.desktopFrom)
	if wait > 0 && desktop == desktopHeard {
		v.sound.lookAgain(wait)
	}
	return wait <= 0 && desktop == desktopHeard, nil
}

// muteInput mutes the input for the peer's voice while Desktop Audio carries the peer. What the user
// muted stays muted.
func (v *peerVoice) muteInput(ctx context.Context, mute bool) error {
	input := v.ledger.ourVoice(v.seen.collection, v.seen.voices)
	if mute == v.muted || input == "" {
		return nil
	}
	if mute {
		users, err := v.obs.InputMuted(ctx, input)
		if err != nil || users {
			return err
		}
	}
	if err := v.obs.SetInputMuted(ctx, input, mute); err != nil {
		return fmt.Errorf("mute of %q: %w", input, err)
	}
	v.muted = mute
	v.log.Info("the input for the peer's voice", "muted", mute)
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
func (v *peerVoice) lookAtDesktop(ctx context.Context) (desktopAudio, error) {
	sink, err := v.sound.defaultSink(ctx)
	if err != nil {
		return desktopElsewhere, err
	}
	found := desktopElsewhere
	if len(v.seen.special.Desktop) == 0 {
		return found, nil
	}
	records, err := v.sound.sourcesOf(ctx, v.seen.pid)
	if err != nil {
		return desktopElsewhere, err
	}
	for _, input := range v.seen.special.Desktop {
		if source, known := records[input]; known && source != sink+".monitor" {
			// OBS does not follow when another sink becomes the default, and the sound server does not always.
			continue
		}
		settings, err := v.obs.InputSettings(ctx, input)
		if err != nil {
			return desktopElsewhere, err
		}
		device, chosen := settings["device_id"].(string)
		if chosen && device != defaultDevice && device != sink+".monitor" && device != sink {
			continue
		}
		muted, err := v.obs.InputMuted(ctx, input)
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

// inputs are those of the inputs that capture the sink with the peer's voice. Their names tell nothing: users rename
// ours, and give the name of ours to others.
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

// addInput puts the input into every scene: only what is in the programme scene is heard.
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
		// The user made it, and placed it where it is wanted.
		return nil
	}
	for _, scene := range scenes {
		items, err := v.obs.SceneItems(ctx, scene)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(items, func(it obsctl.SceneItem) bool { return it.Source == input }) {
			continue
		}
		if _, err := v.obs.CreateSceneItem(ctx, scene, input, true); err != nil {
			return fmt.Errorf("input %q in scene %q: %w", input, scene, err)
		}
	}
	return nil
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

// remove takes the input away again if it is ours.
func (v *peerVoice) remove(ctx context.Context) error {
	v.speakers, v.muted = nil, false
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
		input = ours // Its removal was begun.
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

// capturesNothing reports whether the capture of an input was ended and the input is still there.
func (v *peerVoice) capturesNothing(ctx context.Context, input string) bool {
	settings, err := v.obs.InputSettings(ctx, input)
	return err == nil && settings["device_id"] == obsctl.NoDevice
}

// removeInput removes an input that captures the peer's voice.
func (v *peerVoice) removeInput(ctx context.Context, input string) error {
	err := v.obs.EndCapture(ctx, input)
	if err == nil {
		if err := v.removeItems(ctx, input); err != nil {
			return err
		}
		err = v.obs.RemoveInput(ctx, input)
	}
	if err != nil && !obsctl.IsCode(err, obsctl.CodeNotFound) {
		return fmt.Errorf("input %q: %w", input, err)
	}
	return nil
}

// removeItems takes an input out of all scenes. Where only the input is removed, scenes that are not shown keep an item
// of it (measured, 29.0.2).
func (v *peerVoice) removeItems(ctx context.Context, input string) error {
	scenes, err := v.obs.Scenes(ctx)
	if err != nil {
		return err
	}
	for _, scene := range scenes {
		items, err := v.obs.SceneItems(ctx, scene)
		if err != nil {
			return err
		}
		for _, it := range items {
			if it.Source != input {
				continue
			}
			if err := v.obs.RemoveSceneItem(ctx, scene, it.ID); err != nil && !obsctl.IsCode(err, obsctl.CodeNotFound) {
				return fmt.Errorf("input %q in scene %q: %w", input, scene, err)
			}
		}
	}
	return nil
}
