// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// shared chooses the inputs of OBS that the peer hears besides the microphones: those that --share names, except those that
// carry the peer. microphone has OBS monitor them, as it does with the microphones.
type shared struct {
	obs        sharedOBS
	sound      sharedSound
	seen       *observed
	patterns   []string
	peerSource string // the input that shows the peer
	onlyHeard  func(input string) bool

	matching  []candidate
	monitored string               // the sink that OBS monitors to; empty for the default one
	where     hearing              // as the sound server said last
	records   map[string]recording // what it said together with that
	refused   error                // why patterns share nothing
}

// candidate is an input that --share names.
type candidate struct {
	obsctl.Input
	settings map[string]any
	silent   bool // it has no sound
	unheard  bool // it is on no audio track
}

// sharedOBS is what shared needs of OBS.
type sharedOBS interface {
	InputSettings(ctx context.Context, name string) (map[string]any, error)
	MonitorType(ctx context.Context, input string) (obsctl.MonitorType, error)
	Trackless(ctx context.Context, input string) (bool, error)
	MonitoringDevice(ctx context.Context) (obsctl.MonitoringDevice, error)
}

// sharedSound is what shared needs of the sound server.
type sharedSound interface {
	hearing(ctx context.Context) (hearing, error)
	recordsOf(ctx context.Context, pid int) (map[string]recording, error)
}

// hearing is where the peer's voice can be heard at the sound server.
type hearing struct {
	sinks                      map[string]bool
	defaultSink, defaultSource string
}

// ask asks OBS about the inputs that --share names.
func (s *shared) ask(ctx context.Context, inputs []obsctl.Input) error {
	var matching []candidate
	wanted := scenes.Matching(s.patterns, namesOf(inputs))
	for _, in := range inputs {
		if !slices.Contains(wanted, in.Name) {
			continue
		}
		settings, err := s.obs.InputSettings(ctx, in.Name)
		if obsctl.IsCode(err, obsctl.CodeNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		_, err = s.obs.MonitorType(ctx, in.Name)
		silent := obsctl.IsCode(err, obsctl.CodeInvalidState)
		if err != nil && !silent && !obsctl.IsCode(err, obsctl.CodeNotFound) {
			return err
		}
		unheard := false
		if !silent {
			if unheard, err = s.obs.Trackless(ctx, in.Name); err != nil && !obsctl.IsCode(err, obsctl.CodeNotFound) {
				return err
			}
		}
		matching = append(matching, candidate{in, settings, silent, unheard})
	}
	s.matching = matching
	if len(matching) == 0 {
		return nil
	}
	device, err := s.obs.MonitoringDevice(ctx)
	s.monitored = device.Sink(s.seen.version)
	return err
}

// withSound are the inputs that --share names and that have sound.
func (s *shared) withSound() []string {
	var names []string
	for _, c := range s.matching {
		if !c.silent {
			names = append(names, c.Name)
		}
	}
	return names
}

// decide decides which of them are shared now. The sound server may have moved the peer's voice since.
func (s *shared) decide(ctx context.Context) {
	if len(s.patterns) == 0 {
		return
	}
	if slices.ContainsFunc(s.matching, func(c candidate) bool { return strings.HasSuffix(c.UnversionedKind, "_capture") }) {
		// A server that is too busy to answer moves nothing either. Before its first answer no capture is shared.
		s.look(ctx)
	}
	reasons := make(map[string]string)
	var names []string
	for _, c := range s.matching {
		if reasons[c.Name] = s.unfit(c, s.records[c.Name].source); reasons[c.Name] == "" {
			names = append(names, c.Name)
		}
	}
	s.seen.shared = names
	s.refused = s.unmet(reasons)
}

// look asks the sound server. One answer without the other counts for nothing.
func (s *shared) look(ctx context.Context) {
	where, err := s.sound.hearing(ctx)
	if err != nil {
		return
	}
	if records, err := s.sound.recordsOf(ctx, s.seen.pid); err == nil {
		s.where, s.records = where, records
	}
}

// unmet tells of the first pattern that shares nothing.
func (s *shared) unmet(reasons map[string]string) error {
	for _, pattern := range s.patterns {
		names := scenes.Matching([]string{pattern}, namesOf(s.seen.inputs))
		if slices.ContainsFunc(names, func(name string) bool { return reasons[name] == "" }) {
			continue
		}
		if len(names) == 0 {
			return fmt.Errorf("OBS has no input %q, which --share names; its inputs are %s", pattern, quoted(namesOf(s.seen.inputs), ", "))
		}
		return fmt.Errorf("your friend does not hear %q, which --share names: %s", names[0], reasons[names[0]])
	}
	return nil
}

// check reports a pattern that shares nothing.
func (s *shared) check(context.Context) error { return s.refused }

// unfit says why an input is not shared, or nothing. records is the source at the sound server that OBS records for it.
func (s *shared) unfit(c candidate, records string) string {
	switch {
	case slices.Contains(s.seen.mics(), c.Name):
		return "it is a microphone, which your friend hears without --share"
	case c.Name == s.peerSource, c.settings[scenes.MarkKey] != nil:
		return "it is your friend's picture; leave it out of --share"
	case slices.Contains(s.seen.voices, c.Name):
		return "it is your friend's voice, and they would hear an echo of themselves; leave it out of --share"
	case c.silent:
		return "it has no sound; name an input that OBS's Audio Mixer shows"
	case s.onlyHeard(c.Name):
		return `it is set to "Monitor Only", so your viewers do not hear it either; in OBS open Edit → Advanced Audio Properties and choose "Monitor Off"`
	case c.unheard:
		return "it is on no audio track, so your viewers do not hear it either; in OBS open Edit → Advanced Audio Properties and choose a track for it"
	case carriesPeer(c, s.where, records):
		return "it captures what you hear, and so your friend's voice: they would hear an echo of themselves; " +
			"capture the game or the music alone, with an Application Audio Capture, or with an Audio Output Capture of a sink of its own"
	case capturesOBS(c):
		return "it captures what OBS plays itself, and your friend would hear everything again and again; " +
			"capture the game or the music alone, or all applications except " + media.ClientName + " and obs"
	case c.UnversionedKind == captureKind && s.monitored != "" && c.settings["device_id"] == s.monitored+".monitor":
		// OBS_SOURCE_DO_NOT_SELF_MONITOR in libobs
		return "it captures OBS's monitoring device, and OBS does not monitor that; in OBS open Settings → Audio → Advanced and choose another Monitoring Device"
	}
	return ""
}

// CarriesPeer reports whether an input that captures sound captures the peer's voice with it, by what the sound server plays.
func CarriesPeer(kind string, settings map[string]any, info pulse.Info, playing []pulse.SinkInput, sinks []pulse.Sink) bool {
	return carriesPeer(candidate{Input: obsctl.Input{UnversionedKind: kind}, settings: settings}, hearingOf(info, playing, sinks), "")
}

// carriesPeer reports whether an input captures what this machine plays, and the peer's voice with it; also if that cannot be
// known.
func carriesPeer(c candidate, where hearing, records string) bool {
	text := func(key string) string {
		value, _ := c.settings[key].(string)
		return value
	}
	heard := func(source string) bool {
		sink, monitor := strings.CutSuffix(source, ".monitor")
		return monitor && where.sinks[sink]
	}
	switch c.UnversionedKind {
	case captureKind, "pulse_input_capture":
		source := text("device_id")
		if source == "" || source == defaultDevice {
			source = where.defaultSource
			if c.UnversionedKind == captureKind {
				source = where.defaultSink + ".monitor"
			}
		}
		return where.defaultSink == "" || heard(source) || heard(records)
	// The plugin obs-pipewire-audio-capture. A TargetId of its default, which is left out or PW_ID_ANY, means the default
	// sink.
	case "pipewire_audio_output_capture":
		id, set := c.settings["TargetId"].(float64)
		sink := text("TargetName")
		return where.defaultSink == "" || !set || id < 0 || id >= 1<<32-1 || sink == "" || where.sinks[sink]
	case "pipewire_audio_application_capture":
		return capturesApplication(c.settings, media.ClientName)
	}
	// Those of other plugins do not say what they capture.
	return strings.HasSuffix(c.UnversionedKind, "_output_capture")
}

// capturesOBS reports whether an input captures what OBS plays, which is what OBS monitors: that would come back in a circle.
func capturesOBS(c candidate) bool {
	// The name of the program and of the application differ only in capital letters.
	return c.UnversionedKind == "pipewire_audio_application_capture" && capturesApplication(c.settings, "obs")
}

// capturesApplication reports whether an Application Audio Capture captures an application: one that it names, or one that
// it does not name if it captures all except those.
func capturesApplication(settings map[string]any, application string) bool {
	names := []any{settings["TargetName"]}
	if mode, _ := settings["CaptureMode"].(float64); mode == 1 { // several applications
		names = nil
		apps, _ := settings["apps"].([]any)
		for _, app := range apps {
			entry, _ := app.(map[string]any)
			names = append(names, entry["value"])
		}
	}
	named := slices.ContainsFunc(names, func(name any) bool {
		text, _ := name.(string)
		return strings.EqualFold(text, application)
	})
	except, _ := settings["ExceptApp"].(bool)
	return named != except
}

func namesOf(inputs []obsctl.Input) []string {
	var names []string
	for _, in := range inputs {
		names = append(names, in.Name)
	}
	return names
}

// hearing finds out where the peer's voice can be heard: on the sinks that it plays to, on the default sink, to which it will
// play, and on our own.
func (s *sound) hearing(ctx context.Context) (hearing, error) {
	info, err := s.pulse.Info(ctx)
	if err != nil {
		return hearing{}, err
	}
	playing, err := s.pulse.SinkInputs(ctx)
	if err != nil {
		return hearing{}, err
	}
	sinks, err := s.pulse.Sinks(ctx)
	if err != nil {
		return hearing{}, err
	}
	return hearingOf(info, playing, sinks), nil
}

func hearingOf(info pulse.Info, playing []pulse.SinkInput, sinks []pulse.Sink) hearing {
	h := hearing{
		sinks:       map[string]bool{info.DefaultSink: true, ToPeerSink: true, FromPeerSink: true},
		defaultSink: info.DefaultSink, defaultSource: info.DefaultSource,
	}
	for _, p := range playing {
		purpose := p.Properties[media.StreamProperty]
		if purpose != media.StreamSpeaker && media.SpeakerSink(purpose) == "" {
			continue
		}
		for _, sink := range sinks {
			if sink.Index == p.Sink {
				h.sinks[sink.Name] = true
			}
		}
	}
	return h
}
