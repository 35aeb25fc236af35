// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/companion"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/placement"
	"github.com/costream-obs/costream-obs/internal/pulse"
)

// Sound is what the sound server reported at one time.
type Sound struct {
	Info          pulse.Info           `json:"info"`
	Sinks         []pulse.Sink         `json:"sinks"`
	Sources       []pulse.Source       `json:"sources"`
	SinkInputs    []pulse.SinkInput    `json:"sinkInputs"`
	SourceOutputs []pulse.SourceOutput `json:"sourceOutputs"`
}

// lookAtSound asks for everything at once.
func lookAtSound(ctx context.Context, pulse pulse.Client) (Sound, error) {
	var s Sound
	var err error
	if s.Info, err = pulse.Info(ctx); err != nil {
		return s, err
	}
	errs := make([]error, 4)
	var asked sync.WaitGroup
	for i, ask := range []func() error{
		func() (err error) { s.Sinks, err = pulse.Sinks(ctx); return err },
		func() (err error) { s.Sources, err = pulse.Sources(ctx); return err },
		func() (err error) { s.SinkInputs, err = pulse.SinkInputs(ctx); return err },
		func() (err error) { s.SourceOutputs, err = pulse.SourceOutputs(ctx); return err },
	} {
		asked.Add(1)
		go func() {
			defer asked.Done()
			errs[i] = ask()
		}()
	}
	asked.Wait()
	return s, errors.Join(errs...)
}

// sinkNamed returns the sink of that name.
func (s Sound) sinkNamed(name string) (pulse.Sink, bool) {
	i := slices.IndexFunc(s.Sinks, func(k pulse.Sink) bool { return k.Name == name })
	if i < 0 {
		return pulse.Sink{}, false
	}
	return s.Sinks[i], true
}

// sinkOf returns the name of the sink that a stream plays into.
func (s Sound) sinkOf(in pulse.SinkInput) string {
	for _, k := range s.Sinks {
		if k.Index == in.Sink {
			return k.Name
		}
	}
	return "an unknown sink"
}

// monitors are the streams with which OBS plays what it monitors, by input.
func (s Sound) monitors(pid int) map[string]pulse.SinkInput {
	return placement.MonitorsOf(s.SinkInputs, pid)
}

// captures are the streams with which OBS records, by input.
func (s Sound) captures(pid int) map[string]pulse.SourceOutput {
	return placement.CapturesOf(s.SourceOutputs, pid)
}

// soundServer is audio.server.
func (m *Machine) soundServer(ctx context.Context) doctor.Result {
	sound, err := m.Sound(ctx)
	const why = "The sound server carries the microphone from OBS to costream-obs, and the peer's voice to you."
	bad := func(detail, next string) doctor.Result {
		return doctor.Result{Status: doctor.Fail, Detail: detail, Why: why, Next: next}
	}
	switch {
	case err == nil:
		return doctor.Fine("%s %s", sound.Info.Name, sound.Info.Version)
	case errors.Is(err, pulse.ErrNoPactl):
		return bad("The program pactl is not installed.", "Install it: `sudo apt install pulseaudio-utils`")
	case errors.Is(err, pulse.ErrOldPactl):
		return bad("The program pactl is older than version 16.", "Update it with your system: Debian 12, Ubuntu 22.10 and Fedora 36 have one that is new enough.")
	case errors.Is(err, pulse.ErrHangs):
		return bad("A sound server is there, but does not answer in time.", "Does this machine have too little CPU time (see `top`)? If not, restart the server: `systemctl --user restart pipewire-pulse.service` where PipeWire is installed, else `pulseaudio --kill`, then `pulseaudio --start`.")
	case errors.Is(err, pulse.ErrNoServer):
		return bad("No sound server answers.", "Start it: `systemctl --user start pipewire-pulse.service` where PipeWire is installed, else `pulseaudio --start`. It has to run as you, not as root.")
	}
	return bad(fmt.Sprintf("The sound server cannot be queried: %v.", err), "See what it says itself: `pactl info`")
}

// sink is audio.sink.
func (m *Machine) sink(ctx context.Context) doctor.Result {
	sound, err := m.Sound(ctx)
	if err != nil {
		return unknownSound(err)
	}
	for _, name := range []string{companion.ToPeerSink, companion.FromPeerSink} {
		if sound.Info.DefaultSink != name {
			continue
		}
		var others []string
		for _, k := range sound.Sinks {
			if k.Name != companion.ToPeerSink && k.Name != companion.FromPeerSink {
				others = append(others, k.Name)
			}
		}
		next := "Plug in or switch on your headphones, then choose them in the sound settings of your desktop."
		if len(others) > 0 {
			next = fmt.Sprintf("Make your headphones the default: `pactl set-default-sink %s`", others[0])
			if len(others) > 1 {
				next += fmt.Sprintf(" (or one of: %s)", strings.Join(others[1:], ", "))
			}
		}
		return doctor.Result{
			Status: doctor.Fail,
			Detail: fmt.Sprintf("The default output of your sound is %s, which is costream-obs's own.", name),
			Why:    "You hear nothing, and everything that this machine plays goes to the peer, the peer's own voice too.",
			Next:   next,
		}
	}
	sink, found := sound.sinkNamed(companion.ToPeerSink)
	d, _ := m.Daemon(ctx)
	switch {
	case !found && d.Running:
		return doctor.Result{
			Status: doctor.Fail,
			Detail: fmt.Sprintf("costream-obs runs, but its sink %s is not there.", companion.ToPeerSink),
			Why:    "The microphone gets to the peer through this sink.",
			Next:   "If the sound server was just restarted, wait a second and run doctor again; else restart `costream-obs run`.",
		}
	case !found:
		return doctor.Fine("costream-obs makes its sink when it starts")
	case sink.Mute:
		return doctor.Result{
			Status: doctor.Fail,
			Detail: fmt.Sprintf("The sink %s is muted.", companion.ToPeerSink),
			Why:    "The peer hears nothing of you, whatever OBS shows.",
			Next:   fmt.Sprintf("Unmute it: `pactl set-sink-mute %s 0`", companion.ToPeerSink),
			Fix: &doctor.Fix{What: fmt.Sprintf("Unmute the sink %s.", companion.ToPeerSink), Do: func(ctx context.Context) error {
				_, err := m.Exec(ctx, "pactl", "set-sink-mute", companion.ToPeerSink, "0")
				return err
			}},
		}
	}
	return doctor.Fine("%s", companion.ToPeerSink)
}

// unknownSound is the result if the sound server has gone since.
func unknownSound(err error) doctor.Result {
	return doctor.Skipped("the sound server does not say (%v)", err)
}

// listenFor is how long we listen to a source.
const listenFor = 500 * time.Millisecond

// recordPeak listens to a source or to one stream. It must be a source that somebody records already, because opening another
// could switch a headset to another mode.
func recordPeak(ctx context.Context, what pulse.Sounding) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, listenFor)
	defer cancel()
	return pulse.Client{}.Peak(ctx, what)
}
