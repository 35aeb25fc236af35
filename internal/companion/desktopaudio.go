// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/obsctl"
)

const (
	// openWithin is how long after OBS has opened a recording its sound comes at the latest: OBS drops the first half
	// second (STARTUP_TIMEOUT_NS in plugins/linux-pulseaudio/pulse-input.c). For so long the viewers hear the peer by
	// both ways, which they mind less than a gap.
	openWithin = 700 * time.Millisecond
	// desktopTick is how often it is looked at what OBS records, since events of the sound server can be lost.
	desktopTick = 2 * time.Second
)

// desktopAudio knows whether OBS's Desktop Audio carries the peer's voice into the stream, and has the speaker for the input
// of ours silent while it does, so that the viewers hear the peer once. It acts at once: on an event of OBS or of the sound
// server and not with the next round of the session.
//
// The input is the user's to mute: then the viewers are not to hear the peer. Desktop Audio would still carry what the user
// hears, so that is silent as well then.
//
// Its methods may be called from any goroutine.
type desktopAudio struct {
	log *slog.Logger

	mu      sync.Mutex
	inputs  map[string]desktopInput // the Desktop Audio inputs, by name
	voices  map[string]bool         // the inputs for the peer's voice, and whether they are muted
	names   map[string]bool         // of all inputs
	heardOf map[string]time.Time    // when an event told last of an input's mute
	sink    string                  // the default one, where the peer's voice plays; "" while that is not known
	streams map[string]recording    // what OBS records, by input; nil while that is not known
	told    bool                    // OBS's streams can be told apart
	carries bool
	silence func(sinks []string) // has these speakers silent, and no others
	recheck *time.Timer
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

// attach lets it silence the speakers of a time on air.
func (d *desktopAudio) attach(silence func(sinks []string)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.silence = silence
	d.apply()
}

// detach ends that.
func (d *desktopAudio) detach() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.silence = nil
	if d.recheck != nil {
		d.recheck.Stop()
	}
}

// forget forgets what the sound server told.
func (d *desktopAudio) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sink, d.streams, d.told, d.carries = "", nil, false, false
}

// set tells the Desktop Audio inputs, those for the peer's voice with their mutes, and the names of all, as OBS was asked
// for them from a moment on.
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

// mute takes in at once that an input is muted, or not any more.
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

// plays tells the default sink.
func (d *desktopAudio) plays(sink string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sink = sink
	d.apply()
}

// records tells what OBS records.
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

// note takes in at once that a stream of OBS has ended, and that another sink may be the default, where the peer's voice is
// by then: until it was looked the viewers may hear the peer twice. It reports whether it is to be looked.
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

// apply decides.
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
				d.later(wait)
			}
			// OBS does not follow when another sink becomes the default, and the sound server does not always.
			carries = carries || stream.source == d.sink+".monitor" && wait <= 0
			continue
		}
		// Where its stream cannot be told from others its settings must do.
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

// carried reports whether Desktop Audio carries the peer's voice.
func (d *desktopAudio) carried() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.carries
}

// unnamed reports whether the streams of inputs may have other names than they: OBS cannot be told from others, or an input
// got another name after its stream was opened.
func (d *desktopAudio) unnamed() bool {
	for name := range d.streams {
		if !d.names[name] {
			return true
		}
	}
	return !d.told
}

// later decides again after a while.
func (d *desktopAudio) later(wait time.Duration) {
	if d.recheck != nil {
		d.recheck.Stop()
	}
	d.recheck = time.AfterFunc(wait, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.silence != nil {
			d.apply()
		}
	})
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

// follow looks at each change that matters, until there are no more. It runs beside the session.
func (v *peerVoice) follow(ctx context.Context, changes <-chan pulse.Change) {
	tick := time.NewTicker(desktopTick)
	defer tick.Stop()
	for {
		matters := false
		select {
		case c, more := <-changes:
			if !more {
				return
			}
			for matters = v.desktop.note(c); len(changes) > 0; {
				matters = v.desktop.note(<-changes) || matters
			}
		case <-tick.C:
			matters = true
		}
		if !matters {
			continue
		}
		if err := v.look(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, pulse.ErrNoServer) {
			v.log.Warn("it is not known what OBS records, so the viewers may hear the peer twice or not at all", "error", err)
		}
	}
}

// observe asks OBS for the Desktop Audio inputs and those for the peer's voice. The types of monitoring are known.
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
