// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/obsctl"
)

// OBS 32 and later removes what it monitors from the stream while Desktop Audio captures the device
// that it is monitored on, which is how OBS comes out of the box. We take the monitored sound
// elsewhere, so the viewers would not hear the streamer at all. Therefore OBS is kept from that, and
// nothing is monitored where that does not work.

// errVoiceRemoved says why the peer does not hear us.
var errVoiceRemoved = errors.New("this OBS removes a monitored microphone from your stream, so your friend does not hear you")

// keepVoiceInStream has OBS mix monitored microphones into the stream. It runs before any is monitored,
// and in every round on air, since OBS goes back to removing them when an input captures its
// monitoring device anew.
func (s *session) keepVoiceInStream(ctx context.Context) error {
	s.voiceSafe, s.probeGone = false, false
	v := s.seen.version
	if !v.Deduplicates() || s.c.o.MicSource != "" || !s.capturesOutput() {
		s.voiceSafe = true
		return nil
	}
	stops, sure := v.DeduplicationStops()
	if !stops {
		sink, err := s.c.sound.defaultSink(ctx)
		if err != nil {
			return err
		}
		return s.checkCaptures(ctx, sink)
	}
	logged, logErr := s.dedupLog.Read()
	if logErr == nil && logged != obsctl.DeduplicationOn && (sure || s.voiceKept) || logErr != nil && s.voiceKept {
		s.voiceSafe = true
		return nil
	}
	if !s.ledger.Deduplicates {
		s.ledger.Deduplicates = true
		if err := s.ledger.save(ctx); err != nil {
			return err
		}
	}
	if err := s.obs.StopDeduplication(ctx, s.seen.program); err != nil {
		return fmt.Errorf("%w: %w", errVoiceRemoved, err)
	}
	if logErr == nil {
		logged, logErr = s.dedupLog.Read()
	}
	if logged == obsctl.DeduplicationOn || !sure && (logErr != nil || logged != obsctl.DeduplicationOff) {
		return fmt.Errorf("%w: send your microphone past OBS with --mic-source SOURCE (see: pactl list short sources)", errVoiceRemoved)
	}
	s.voiceSafe, s.voiceKept = true, true
	s.log.Info("OBS keeps monitored microphones in the stream", "logged", logErr == nil)
	return nil
}

// capturesOutput reports whether OBS captures what some sink plays, but for the peer's voice.
func (s *session) capturesOutput() bool {
	return slices.ContainsFunc(s.seen.inputs, func(in obsctl.Input) bool {
		return in.UnversionedKind == captureKind && !slices.Contains(s.seen.voices, in.Name)
	})
}

// checkCaptures is for OBS 32.0.0 to 32.0.3, which compares the devices of all captures that are heard, Desktop Audio's
// too, with its monitoring device all the time (libobs/obs-audio.c, check_audio_output_source_is_monitoring_device).
func (s *session) checkCaptures(ctx context.Context, defaultSink string) error {
	captures, err := s.obs.MonitoringCaptures(ctx, s.seen.inputs, defaultSink)
	if err != nil {
		return err
	}
	if len(captures) > 0 {
		return fmt.Errorf("%w: update OBS to 32.0.4 or newer, or in OBS open Settings → Audio → Advanced and choose another Monitoring Device than the one that %s captures",
			errVoiceRemoved, strings.Join(slices.Sorted(maps.Keys(captures)), ", "))
	}
	s.voiceSafe = true
	return nil
}

// noteActive takes in that an input is heard now. OBS looks at a capture of its monitoring device anew
// then.
func (s *session) noteActive(e obsctl.InputActive) (matters bool) {
	matters = e.Active && slices.ContainsFunc(s.seen.inputs, func(in obsctl.Input) bool {
		return in.Name == e.Input && in.UnversionedKind == captureKind
	})
	s.voiceKept = s.voiceKept && !matters
	return matters
}

// resumeDeduplication gives OBS its way back once nothing is streamed or recorded: what captures its
// monitoring device stops for a moment. A probe of doctor goes as well.
func (s *session) resumeDeduplication(ctx context.Context) error {
	s.voiceSafe, s.voiceKept = false, false
	if !s.seen.version.Deduplicates() || s.seen.streaming || s.seen.recording {
		return nil
	}
	if !s.probeGone {
		if err := s.obs.RemoveProbe(ctx); err != nil {
			return err
		}
		s.probeGone = true
	}
	if !s.ledger.Deduplicates {
		return nil
	}
	if len(s.ledger.Captures[s.seen.collection]) == 0 {
		sink, err := s.c.sound.defaultSink(ctx)
		if errors.Is(err, pulse.ErrNoServer) {
			return nil // Nothing is captured; the next time off air does it.
		}
		if err != nil {
			return err
		}
		captures, err := s.obs.MonitoringCaptures(ctx, s.seen.inputs, sink)
		if err != nil {
			return err
		}
		s.ledger.noteCaptures(s.seen.collection, captures)
		if err := s.ledger.save(ctx); err != nil {
			return err
		}
	}
	captures := s.ledger.Captures[s.seen.collection]
	for _, input := range slices.Sorted(maps.Keys(captures)) {
		err := s.obs.ResumeDeduplication(ctx, input, captures[input])
		if err != nil && !obsctl.IsCode(err, obsctl.CodeNotFound) {
			return fmt.Errorf("input %q: %w", input, err)
		}
	}
	s.ledger.Deduplicates = false
	delete(s.ledger.Captures, s.seen.collection)
	return s.ledger.save(ctx)
}
