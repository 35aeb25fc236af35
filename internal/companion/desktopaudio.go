// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/obsctl"
)

const (
	// openWithin is how long after OBS opened a recording its sound may be missing: OBS drops the first half second
	// (STARTUP_TIMEOUT_NS in plugins/linux-pulseaudio/pulse-input.c). Until then the viewers may hear the peer twice, which
	// is better than a gap.
	openWithin = 700 * time.Millisecond
	// desktopTick is how often we check what OBS records, because events of the sound server can be lost.
	desktopTick = 2 * time.Second
)

// desktopAudio finds out whether OBS's Desktop Audio captures the peer's voice into the stream. While it does, the sink that
// our own input captures plays silence, so that the viewers hear the peer once. It acts on each event of OBS or of the sound
// server at once, and does not wait for the next round of the session.
//
// The user may mute our input: then the viewers must not hear the peer. Desktop Audio would still capture what the user
// hears, so the user does not hear the peer either then.
//
// Its methods may be called from any goroutine.
type desktopAudio struct {
	silencer[[]string] // gets the sinks that must be silent
	log                *slog.Logger

	inputs  map[string]desktopInput // the Desktop Audio inputs, by name
	voices  map[string]bool         // the inputs for the peer's voice, and whether they are muted
	names   map[string]bool         // of all inputs
	heardOf map[string]time.Time    // when the last event about an input's mute came
	sink    string                  // the default sink, where the peer's voice plays; empty while unknown
	streams map[string]recording    // what OBS records, by input; nil while unknown
	told    bool                    // streams of OBS were found
	carries bool
}

// desktopInput is what OBS says of a Desktop Audio input.
type desktopInput struct {
	device string // "" for the default one
	muted  bool
	only   bool // it is monitored only, and not in the stream
}

// recording is a stream by which OBS records.
type recording struct {
	index  int
	source string
	since  time.Time // when it was opened; zero for one that was there before we looked
}

// attach makes it silence sinks of a call.
func (d *desktopAudio) attach(silence func(sinks []string)) { d.silencer.attach(silence, d.apply) }

// forget forgets what the sound server reported.
func (d *desktopAudio) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sink, d.streams, d.told, d.carries = "", nil, false, false
}

// set takes what OBS answered to questions that began at a time: the Desktop Audio inputs, those for the peer's voice with
// their mutes, and all inputs. Events that came since are newer.
func (d *desktopAudio) set(inputs map[string]desktopInput, voices map[string]bool, all []obsctl.Input, asked time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, in := range inputs {
		if before, known := d.inputs[name]; known && d.heardOf[name].After(asked) {
			in.muted = before.muted
			inputs[name] = in
		}
	}
	for name := range voices {
		if before, known := d.voices[name]; known && d.heardOf[name].After(asked) {
			voices[name] = before
		}
	}
	d.inputs, d.voices, d.names = inputs, voices, make(map[string]bool)
	for _, in := range all {
		d.names[in.Name] = true
	}
	d.apply()
}

// mute takes in at once that an input was muted or unmuted.
func (d *desktopAudio) mute(input string, muted bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	in, desktop := d.inputs[input]
	_, voice := d.voices[input]
	switch {
	case desktop:
		in.muted = muted
		d.inputs[input] = in
	case voice:
		d.voices[input] = muted
	default:
		return
	}
	if d.heardOf == nil {
		d.heardOf = make(map[string]time.Time)
	}
	d.heardOf[input] = time.Now()
	d.apply()
}

// plays takes the default sink.
func (d *desktopAudio) plays(sink string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sink = sink
	d.apply()
}

// records takes what OBS records.
func (d *desktopAudio) records(streams map[string]recording) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for input, stream := range streams {
		if before, known := d.streams[input]; known && before.index == stream.index {
			stream.since = before.since
		} else if d.streams != nil {
			stream.since = time.Now()
		}
		streams[input] = stream
	}
	d.streams, d.told = maps.Clone(streams), d.told || len(streams) > 0
	if d.streams == nil {
		d.streams = make(map[string]recording)
	}
	d.apply()
}

// note takes in at once that a stream of OBS has ended, or that the default sink may be another. Until we have asked, the
// viewers may hear the peer twice. It reports whether to ask the sound server.
func (d *desktopAudio) note(c pulse.Change) (matters bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case c.Object == "server":
		d.sink = ""
	case c.Object == "source-output" && c.Event == "remove":
		for input, stream := range d.streams {
			if stream.index == c.Index {
				delete(d.streams, input)
			}
		}
	default:
		return c.Object == "source-output" || c.ServerCame()
	}
	d.apply()
	return true
}

// apply decides which sinks are silent.
func (d *desktopAudio) apply() {
	carries := false
	for name, in := range d.inputs {
		if in.muted || in.only || d.sink == "" {
			continue
		}
		stream, recorded := d.streams[name]
		if recorded {
			wait := openWithin - time.Since(stream.since)
			if stream.source == d.sink+".monitor" && wait > 0 {
				d.later(wait, d.apply)
			}
			// OBS does not follow when another sink becomes the default, and the sound server does not always.
			carries = carries || stream.source == d.sink+".monitor" && wait <= 0
			continue
		}
		// Its stream is not known by its name, so its settings decide.
		carries = carries || d.unnamed() && (in.device == "" || in.device == defaultDevice || in.device == d.sink || in.device == d.sink+".monitor")
	}
	if carries != d.carries {
		d.carries = carries
		d.log.Info("the peer's voice comes into the stream", "by Desktop Audio", carries)
	}
	if d.silence == nil {
		return
	}
	var sinks []string
	if carries {
		sinks = append(sinks, FromPeerSink)
		for _, muted := range d.voices {
			if muted {
				sinks = append(sinks, "")
				break
			}
		}
	}
	d.silence(sinks)
}

// carried reports whether Desktop Audio captures the peer's voice.
func (d *desktopAudio) carried() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.carries
}

// unnamed reports whether streams may have other names than their inputs: no stream of OBS was found, or an input was
// renamed after its stream was opened.
func (d *desktopAudio) unnamed() bool {
	for name := range d.streams {
		if !d.names[name] {
			return true
		}
	}
	return !d.told
}

// look asks the sound server where the peer's voice plays and what OBS records.
func (v *peerVoice) look(ctx context.Context) error {
	sink, err := v.sound.defaultSink(ctx)
	if err != nil {
		return err
	}
	v.desktop.plays(sink)
	streams, err := v.sound.recordsOf(ctx, v.seen.pid)
	if err != nil {
		return err
	}
	v.desktop.records(streams)
	return nil
}

// follow asks the sound server after each change that matters, until ctx ends. It runs beside the session.
func (v *peerVoice) follow(ctx context.Context, changes <-chan pulse.Change) {
	tick := time.NewTicker(desktopTick)
	defer tick.Stop()
	for matters := true; ; {
		if matters {
			if err := v.look(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, pulse.ErrNoServer) {
				v.log.Warn("it is not known what OBS records, so the viewers may hear the peer twice or not at all", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case c := <-changes:
			for matters = v.desktop.note(c); len(changes) > 0; {
				matters = v.desktop.note(<-changes) || matters
			}
		case <-tick.C:
			matters = true
		}
	}
}

// observe asks OBS for the state of the Desktop Audio inputs and of those for the peer's voice.
func (v *peerVoice) observe(ctx context.Context, desktop, voices []string, all []obsctl.Input, monitored map[string]obsctl.MonitorType) error {
	asked := time.Now()
	muted := make(map[string]bool)
	for _, name := range append(slices.Clone(desktop), voices...) {
		is, err := v.obs.InputMuted(ctx, name)
		if obsctl.IsCode(err, obsctl.CodeNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		muted[name] = is
	}
	inputs := make(map[string]desktopInput)
	for _, name := range desktop {
		settings, err := v.obs.InputSettings(ctx, name)
		if obsctl.IsCode(err, obsctl.CodeNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		device, _ := settings["device_id"].(string)
		inputs[name] = desktopInput{device: device, muted: muted[name], only: monitored[name] == obsctl.MonitorOnly}
		delete(muted, name)
	}
	v.desktop.set(inputs, muted, all, asked)
	return nil
}
