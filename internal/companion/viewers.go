// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/obsctl"
)

// OBS 32 and later removes what it monitors from the stream while Desktop Audio captures the monitoring device, which is
// OBS's default setup. We move the monitored sound elsewhere, so the viewers would not hear the streamer at all. So we make
// OBS not do that, and if we cannot, we monitor nothing.

// viewers keeps the streamer's voice in the stream although OBS monitors it.
type viewers struct {
	obs     viewersOBS
	sound   defaultSink
	seen    *observed
	ledger  *ledger
	log     *slog.Logger
	pastOBS bool // the peer gets a microphone that OBS does not monitor

	told interface { // OBS's log
		Read() (obsctl.Deduplication, error)
	}
	safe      bool // a monitored microphone stays in the stream
	kept      bool // we made sure of that, and nothing has changed since
	probeGone bool // the probe in OBS's collection was removed after the last time on air
}

// viewersOBS is what viewers needs of OBS.
type viewersOBS interface {
	StopDeduplication(ctx context.Context, scene string) error
	ResumeDeduplication(ctx context.Context, input string, settings map[string]any) error
	MonitoringCaptures(ctx context.Context, inputs []obsctl.Input, defaultSink string) (map[string]map[string]any, error)
	RemoveProbe(ctx context.Context) error
}

// defaultSink is where programs play by default.
type defaultSink interface {
	defaultSink(ctx context.Context) (string, error)
}

// errVoiceRemoved says why the peer does not hear us.
var errVoiceRemoved = errors.New("this OBS removes a monitored microphone from your stream, so your friend does not hear you")

// keep makes OBS keep monitored microphones in the stream. It runs before any is monitored and in every round on air,
// because OBS removes them again when an input captures its monitoring device anew.
func (v *viewers) keep(ctx context.Context) error {
	v.safe, v.probeGone = false, false
	version := v.seen.version
	if !version.Deduplicates() || v.pastOBS || !v.capturesOutput() {
		v.safe = true
		return nil
	}
	stops, sure := version.DeduplicationStops()
	if !stops {
		sink, err := v.sound.defaultSink(ctx)
		if err != nil {
			return err
		}
		return v.checkCaptures(ctx, sink)
	}
	logged, logErr := v.told.Read()
	if logErr == nil && logged != obsctl.DeduplicationOn && (sure || v.kept) || logErr != nil && v.kept {
		v.safe = true
		return nil
	}
	if !v.ledger.Deduplicates {
		v.ledger.Deduplicates = true
		if err := v.ledger.save(ctx); err != nil {
			return err
		}
	}
	if err := v.obs.StopDeduplication(ctx, v.seen.program); err != nil {
		return fmt.Errorf("%w: %w", errVoiceRemoved, err)
	}
	if logErr == nil {
		logged, logErr = v.told.Read()
	}
	if logged == obsctl.DeduplicationOn || !sure && (logErr != nil || logged != obsctl.DeduplicationOff) {
		return fmt.Errorf("%w: send your microphone without OBS, with --mic-source SOURCE (see: pactl list short sources)", errVoiceRemoved)
	}
	v.safe, v.kept = true, true
	v.log.Info("OBS keeps monitored microphones in the stream", "logged", logErr == nil)
	return nil
}

// capturesOutput reports whether OBS captures a sink other than the one with the peer's voice.
func (v *viewers) capturesOutput() bool {
	return slices.ContainsFunc(v.seen.inputs, func(in obsctl.Input) bool {
		return in.UnversionedKind == captureKind && !slices.Contains(v.seen.voices, in.Name)
	})
}

// checkCaptures is for OBS 32.0.0 to 32.0.3, which always compares the devices of all captures that are heard, also of
// Desktop Audio, with its monitoring device (libobs/obs-audio.c, check_audio_output_source_is_monitoring_device).
func (v *viewers) checkCaptures(ctx context.Context, defaultSink string) error {
	captures, err := v.obs.MonitoringCaptures(ctx, v.seen.inputs, defaultSink)
	if err != nil {
		return err
	}
	if len(captures) > 0 {
		return fmt.Errorf("%w: update OBS to 32.0.4 or newer, or in OBS open Settings → Audio → Advanced and choose another Monitoring Device than the one that %s captures",
			errVoiceRemoved, strings.Join(slices.Sorted(maps.Keys(captures)), ", "))
	}
	v.safe = true
	return nil
}

// note takes in events after which OBS checks again what captures its monitoring device.
func (v *viewers) note(ev obsctl.Event) {
	switch ev.(type) {
	case obsctl.InputAdded:
		v.kept = false
	case obsctl.CollectionChanged:
		v.kept, v.probeGone = false, false // the collection may have been left with a probe in it
	}
}

// noteActive takes in that an input became active. OBS then checks again whether it captures the monitoring device.
func (v *viewers) noteActive(e obsctl.InputActive) (matters bool) {
	matters = e.Active && slices.ContainsFunc(v.seen.inputs, func(in obsctl.Input) bool {
		return in.Name == e.Input && in.UnversionedKind == captureKind
	})
	v.kept = v.kept && !matters
	return matters
}

// resume restores OBS's own way once nothing is streamed or recorded, because what captures its monitoring device stops for
// a moment. It removes a probe that doctor left, too.
func (v *viewers) resume(ctx context.Context) error {
	v.safe, v.kept = false, false
	if !v.seen.version.Deduplicates() || v.seen.streaming || v.seen.recording {
		return nil
	}
	if !v.probeGone {
		if err := v.obs.RemoveProbe(ctx); err != nil {
			return err
		}
		v.probeGone = true
	}
	if !v.ledger.Deduplicates {
		return nil
	}
	if len(v.ledger.Captures[v.seen.collection]) == 0 {
		sink, err := v.sound.defaultSink(ctx)
		if errors.Is(err, pulse.ErrNoServer) {
			return nil // Nothing is captured; the next time off air does it.
		}
		if err != nil {
			return err
		}
		captures, err := v.obs.MonitoringCaptures(ctx, v.seen.inputs, sink)
		if err != nil {
			return err
		}
		v.ledger.noteCaptures(v.seen.collection, captures)
		if err := v.ledger.save(ctx); err != nil {
			return err
		}
	}
	captures := v.ledger.Captures[v.seen.collection]
	for _, input := range slices.Sorted(maps.Keys(captures)) {
		err := v.obs.ResumeDeduplication(ctx, input, captures[input])
		if err != nil && !obsctl.IsCode(err, obsctl.CodeNotFound) {
			return fmt.Errorf("input %q: %w", input, err)
		}
	}
	v.ledger.Deduplicates = false
	delete(v.ledger.Captures, v.seen.collection)
	return v.ledger.save(ctx)
}
