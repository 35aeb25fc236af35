// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/costream-obs/costream-obs/internal/companion"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/placement"
	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/obsctl"
)

// view is what the sound server reported, in the form that placement needs.
func (s Sound) view() placement.View {
	v := placement.View{Sinks: make(map[int]string), Sources: make(map[int]string), Playing: s.SinkInputs, Recording: s.SourceOutputs}
	for _, sink := range s.Sinks {
		v.Sinks[sink.Index] = sink.Name
	}
	for _, source := range s.Sources {
		v.Sources[source.Index] = source.Name
	}
	return v
}

// placed is audio.place.
func (m *Machine) placed(ctx context.Context) doctor.Result {
	obs, sound, gone := m.ask(ctx)
	switch {
	case gone != nil:
		return *gone
	case !m.onAir(ctx):
		return doctor.Fine("not on air now")
	}
	daemon, err := m.Daemon(ctx)
	if err != nil {
		return doctor.Skipped("costream-obs does not say (%v)", err)
	}
	want := placement.Want{PID: daemon.PID, Mics: m.toPeer(ctx, obs), Voice: companion.ToPeerSink + ".monitor"}
	if m.MicSource != "" {
		want.Voice = m.MicSource
	}
	view := sound.view()
	strays, there := view.Strays(want)
	switch {
	case len(strays) > 0:
		return misplaced(strays[0])
	case !there:
		return doctor.Result{Status: doctor.Fail, Detail: "costream-obs has no recording stream at the sound server.", Why: whyUnheard,
			Next: "If the sound server was just restarted, wait some seconds and run doctor again; else restart `costream-obs run`."}
	}
	for _, stream := range sound.SourceOutputs {
		if stream.Index == view.VoiceStream(want) && stream.Silent {
			return doctor.Result{Status: doctor.Fail, Detail: "The recording stream of costream-obs is muted, or has a volume of 0, in the sound settings of your desktop.", Why: whyUnheard,
				Next: fmt.Sprintf("Turn it up: `pactl set-source-output-mute %d 0; pactl set-source-output-volume %d 100%%`", stream.Index, stream.Index),
				Fix: &doctor.Fix{What: "Turn up what costream-obs records.", Do: func(ctx context.Context) error {
					if _, err := m.Exec(ctx, "pactl", "set-source-output-mute", strconv.Itoa(stream.Index), "0"); err != nil {
						return err
					}
					_, err := m.Exec(ctx, "pactl", "set-source-output-volume", strconv.Itoa(stream.Index), "100%")
					return err
				}}}
		}
	}
	return doctor.Fine("")
}

// misplaced reports a stream in a wrong place.
func misplaced(s placement.Stray) doctor.Result {
	r := doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("At the sound server, %v.", s),
		Why: "The peer, you or your viewers would hear the wrong sound, so costream-obs sends silence meanwhile."}
	settings, command, move := "Playback", "move-sink-input", pulse.Client{}.MoveSinkInput
	if s.Recording {
		settings, command, move = "Recording", "move-source-output", pulse.Client{}.MoveSourceOutput
	}
	if s.Home == "" {
		r.Next = fmt.Sprintf("Choose another device for it in the sound settings of your desktop (pavucontrol, %s).", settings)
		return r
	}
	r.Next = fmt.Sprintf("End the program that moves streams (EasyEffects, pavucontrol), then: `pactl %s %d %s`", command, s.Index, s.Home)
	r.Fix = &doctor.Fix{What: fmt.Sprintf("Move %s to %s.", s.Name, s.Home), Do: func(ctx context.Context) error { return move(ctx, s.Index, s.Home) }}
	return r
}

const whyUnheard = "You are on air, but the peer does not hear you."

// Heard is the result for one microphone that was listened to.
type Heard struct {
	// Moved says that OBS's meter, after mute, push-to-talk, filters and fader, moved nearly all the time.
	Moved bool
	// Peak is the loudest sample that OBS played, 0 to 1.
	Peak float64
}

// unheard finds a microphone that OBS has sound of but plays only silence of. streams are those with which OBS plays.
func (m *Machine) unheard(ctx context.Context, streams map[string]pulse.SinkInput) *doctor.Result {
	heard, err := m.Follow(ctx, streams)
	if err != nil {
		r := doctor.Skipped("%v", err)
		return &r
	}
	for _, name := range slices.Sorted(maps.Keys(heard)) {
		if h := heard[name]; h.Moved && h.Peak == 0 {
			return &doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("OBS's meter of %s moves, but OBS plays silence of it to %s.", name, companion.ToPeerSink), Why: whyUnheard,
				Next: fmt.Sprintf("In OBS open Edit → Advanced Audio Properties and set %s to \"Monitor Off\", then back. If that does not help, restart OBS.", name),
				Fix:  &doctor.Fix{What: fmt.Sprintf("Switch OBS's monitoring of %s off and on again.", name), Do: m.toggleMonitor(name, obsctl.MonitorAndOutput)}}
		}
	}
	return nil
}

// follow reads OBS's meters, and listens at the same time to what OBS plays.
func (m *Machine) follow(ctx context.Context, streams map[string]pulse.SinkInput) (map[string]Heard, error) {
	if len(streams) == 0 {
		return nil, nil
	}
	obs, err := m.dial(ctx, obsctl.Options{Levels: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = obs.Close() }()
	ctx, cancel := context.WithTimeout(ctx, listenFor)
	defer cancel()
	var mu sync.Mutex
	peaks := make(map[string]float64)
	var listening sync.WaitGroup
	for name, stream := range streams {
		listening.Add(1)
		go func() {
			defer listening.Done()
			peak, err := recordPeak(ctx, pulse.OfSinkInput(stream.Index))
			if err == nil {
				mu.Lock()
				peaks[name] = peak
				mu.Unlock()
			}
		}()
	}
	moved, meters := countMoves(ctx, obs.Events())
	listening.Wait()
	heard := make(map[string]Heard)
	for name, peak := range peaks {
		heard[name] = Heard{Moved: meters > 0 && moved[name] >= meters*9/10, Peak: peak}
	}
	return heard, nil
}

// countMoves counts until ctx ends how many of OBS's meters came, and how many of each input moved.
func countMoves(ctx context.Context, events <-chan obsctl.Event) (moved map[string]int, meters int) {
	moved = make(map[string]int)
	for {
		select {
		case <-ctx.Done():
			return moved, meters
		case ev, open := <-events:
			if !open {
				return moved, 0
			}
			levels, ok := ev.(obsctl.Levels)
			if !ok {
				continue
			}
			meters++
			for _, level := range levels {
				if level.Heard > 0 {
					moved[level.Input]++
				}
			}
		}
	}
}
