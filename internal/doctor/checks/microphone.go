// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/costream-obs/costream-obs/internal/companion"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/obsctl"
)

// mics are the inputs that go to the peer: those of the settings, else OBS's own.
func (m *Machine) mics(obs OBS) []string {
	if len(m.Mics) > 0 {
		return m.Mics
	}
	return obs.Special.Mics
}

// toPeer are all inputs that go to the peer: the microphones, and what a running costream-obs shares.
func (m *Machine) toPeer(ctx context.Context, obs OBS) []string {
	d, err := m.Daemon(ctx)
	if err != nil {
		return m.mics(obs)
	}
	return slices.Concat(m.mics(obs), d.Report.Shared)
}

// pastOBS is why OBS's microphones are not checked.
const pastOBS = "the microphone goes to the peer without OBS (--mic-source)"

// ask returns the state of OBS and of the sound server, or a result if one of them does not answer.
func (m *Machine) ask(ctx context.Context) (OBS, Sound, *doctor.Result) {
	obs, err := m.OBS(ctx)
	if err != nil {
		r := unknownOBS(err)
		return obs, Sound{}, &r
	}
	sound, err := m.Sound(ctx)
	if err != nil {
		r := unknownSound(err)
		return obs, sound, &r
	}
	return obs, sound, nil
}

// microphone is audio.mic.
func (m *Machine) microphone(ctx context.Context) doctor.Result {
	obs, sound, gone := m.ask(ctx)
	if gone != nil {
		return *gone
	}
	const why = "The peer would not hear you."
	if m.MicSource != "" {
		if slices.ContainsFunc(sound.Sources, func(s pulse.Source) bool { return s.Name == m.MicSource }) {
			return doctor.Fine("%s, without OBS", m.MicSource)
		}
		return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("The sound server has no source %q, which --mic-source names.", m.MicSource), Why: why,
			Next: "Plug the microphone in, or choose one of `pactl list short sources`"}
	}
	var unknown []string
	for _, name := range m.Mics {
		if _, found := obs.input(name); !found {
			unknown = append(unknown, fmt.Sprintf("%q", name))
		}
	}
	mics := m.mics(obs)
	switch {
	case len(unknown) > 0:
		return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("OBS has no input %s, which --mic names.", strings.Join(unknown, " nor ")), Why: why,
			Next: "Give the name that OBS's Audio Mixer shows; names in other scene collections do not count."}
	case len(mics) == 0:
		return doctor.Result{Status: doctor.Fail, Detail: "OBS has no microphone.", Why: why,
			Next: "In OBS open Settings → Audio and choose your microphone as Mic/Auxiliary Audio. If it is a source in your scenes, name it with `costream-obs run --mic NAME`."}
	}
	return doctor.Fine("%s", strings.Join(mics, ", "))
}

// muted is audio.mute.
func (m *Machine) muted(ctx context.Context) doctor.Result {
	obs, err := m.OBS(ctx)
	if err != nil {
		return unknownOBS(err)
	}
	if m.MicSource != "" {
		return doctor.Fine("%s", pastOBS)
	}
	mics := m.mics(obs)
	for _, name := range mics {
		if in, found := obs.input(name); found && !in.Muted {
			return doctor.Fine("%s", name)
		}
	}
	detail := fmt.Sprintf("%s is muted in OBS.", strings.Join(mics, ", "))
	if len(mics) > 1 {
		detail = fmt.Sprintf("%s are all muted in OBS.", strings.Join(mics, ", "))
	}
	return doctor.Result{Status: doctor.Fail, Detail: detail,
		Why:  "Neither your viewers nor the peer hear you. That may be what you want just now.",
		Next: fmt.Sprintf("Click the loudspeaker beside %s in OBS's Audio Mixer.", mics[0])}
}

// silence is the loudest sample that counts as no sound: -80 dB of full scale. The quietest microphone in the quietest room
// is louder.
const silence = 0.0001

// level is audio.level. It listens only to a source that OBS is recording.
func (m *Machine) level(ctx context.Context) doctor.Result {
	obs, sound, gone := m.ask(ctx)
	if gone != nil {
		return *gone
	}
	captures := sound.captures(obs.PID)
	open := slices.DeleteFunc(slices.Clone(m.mics(obs)), func(name string) bool {
		in, found := obs.input(name)
		return !found || in.Muted
	})
	// One microphone with sound does not excuse another without.
	for _, name := range open {
		in, _ := obs.input(name)
		if _, recorded := captures[name]; !recorded && in.Kind == kindInputCapture {
			return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("OBS records nothing from %s.", name),
				Why:  "A microphone that was unplugged stays dead in OBS when it is plugged in again: neither your viewers nor the peer hear you.",
				Next: "In OBS open its properties (the gear beside it in the Audio Mixer), choose another device and then yours again. Or restart OBS."}
		}
	}
	var silent []string
	for _, name := range open {
		capture, recorded := captures[name]
		i := slices.IndexFunc(sound.Sources, func(s pulse.Source) bool { return recorded && s.Index == capture.Source })
		if i < 0 {
			continue
		}
		source := sound.Sources[i]
		peak, err := m.Peak(ctx, source.Name)
		if err != nil {
			return doctor.Skipped("%v", err)
		}
		if peak > silence {
			return doctor.Fine("%s", source.Description)
		}
		silent = append(silent, fmt.Sprintf("%s (%s)", name, source.Description))
		if source.Mute {
			return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("%s is muted in the sound settings of your desktop.", silent[len(silent)-1]),
				Why: "OBS gets silence from it, so neither your viewers nor the peer hear you.", Next: fmt.Sprintf("Unmute it: `pactl set-source-mute %s 0`", source.Name)}
		}
	}
	if len(silent) == 0 {
		return doctor.Skipped("OBS records none of the microphones through the sound server")
	}
	return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("%s gave no sound at all for half a second.", strings.Join(silent, ", ")),
		Why:  "Even a silent room makes some noise, so the microphone is off, unplugged, or not the one that you speak into; or a noise filter before OBS makes pauses silent.",
		Next: "Speak, and run `costream-obs doctor --only audio.level` meanwhile. If it says the same, look for a switch on the microphone or its cable, or choose another one in OBS under Settings → Audio → Mic/Auxiliary Audio."}
}

// monitored is audio.monitor.inputs.
func (m *Machine) monitored(ctx context.Context) doctor.Result {
	obs, sound, gone := m.ask(ctx)
	switch {
	case gone != nil:
		return *gone
	case m.MicSource != "":
		return doctor.Fine("%s", pastOBS)
	case !m.onAir(ctx):
		return doctor.Fine("not on air now; OBS's own monitoring is not changed")
	}
	daemon, _ := m.Daemon(ctx) // onAir has asked it.
	streams, heard := sound.monitors(obs.PID), make(map[string]pulse.SinkInput)
	for _, name := range m.toPeer(ctx, obs) {
		in, found := obs.input(name)
		if !found || in.Muted || in.Monitor == obsctl.MonitorOff && slices.Contains(daemon.Closed, name) {
			continue
		}
		why := whyUnheard
		if !slices.Contains(m.mics(obs), name) {
			why = "You are on air, and the peer does not hear what you share."
		}
		if in.Monitor == obsctl.MonitorOff {
			return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("%s is not monitored in OBS.", name), Why: why,
				Next: fmt.Sprintf("In OBS open Edit → Advanced Audio Properties and choose \"Monitor and Output\" for %s.", name),
				Fix: &doctor.Fix{What: fmt.Sprintf("Set %s to \"Monitor and Output\" in OBS.", name),
					Do: m.setMonitor(name, obsctl.MonitorAndOutput)}}
		}
		stream, playing := streams[name]
		switch {
		case !playing:
			return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("OBS monitors %s, but plays nothing of it.", name), Why: why,
				Next: fmt.Sprintf("In OBS open Edit → Advanced Audio Properties and set %s to \"Monitor Off\", then back. If that does not help, see audio.monitor.device.", name),
				Fix:  &doctor.Fix{What: fmt.Sprintf("Switch OBS's monitoring of %s off and on again.", name), Do: m.toggleMonitor(name, in.Monitor)}}
		case sound.sinkOf(stream) != companion.ToPeerSink:
			return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("OBS plays %s to %s, not to %s.", name, sound.sinkOf(stream), companion.ToPeerSink), Why: why,
				Next: fmt.Sprintf("Move it: `pactl move-sink-input %d %s`", stream.Index, companion.ToPeerSink),
				Fix: &doctor.Fix{What: fmt.Sprintf("Move what OBS plays of %s to %s.", name, companion.ToPeerSink), Do: func(ctx context.Context) error {
					return pulse.Client{}.MoveSinkInput(ctx, stream.Index, companion.ToPeerSink)
				}}}
		case stream.Mute:
			return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("What OBS plays of %s is muted in the sound settings of your desktop.", name), Why: why,
				Next: fmt.Sprintf("Unmute it: `pactl set-sink-input-mute %d 0`", stream.Index),
				Fix: &doctor.Fix{What: fmt.Sprintf("Unmute what OBS plays of %s.", name), Do: func(ctx context.Context) error {
					return pulse.Client{}.SetSinkInputMute(ctx, stream.Index, false)
				}}}
		case stream.Silent:
			return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("What OBS plays of %s has a volume of 0 in the sound settings of your desktop.", name), Why: why,
				Next: fmt.Sprintf("Turn it up: `pactl set-sink-input-volume %d 100%%`", stream.Index),
				Fix: &doctor.Fix{What: fmt.Sprintf("Turn up what OBS plays of %s.", name), Do: func(ctx context.Context) error {
					_, err := m.Exec(ctx, "pactl", "set-sink-input-volume", strconv.Itoa(stream.Index), "100%")
					return err
				}}}
		}
		heard[name] = stream
	}
	if r := m.unheard(ctx, heard); r != nil {
		return *r
	}
	return doctor.Fine("it plays to %s", companion.ToPeerSink)
}

func (m *Machine) setMonitor(input string, t obsctl.MonitorType) func(context.Context) error {
	return func(ctx context.Context) error {
		return m.Change(ctx, func(ctx context.Context, c *obsctl.Client) error { return c.SetMonitorType(ctx, input, t) })
	}
}

func (m *Machine) toggleMonitor(input string, t obsctl.MonitorType) func(context.Context) error {
	return func(ctx context.Context) error {
		return m.Change(ctx, func(ctx context.Context, c *obsctl.Client) error {
			if err := c.SetMonitorType(ctx, input, obsctl.MonitorOff); err != nil {
				return err
			}
			return c.SetMonitorType(ctx, input, t)
		})
	}
}

// muteHazard is audio.mute.hazard. A running costream-obs mutes its own sender; `costream-obs send` and the scripts of 2020
// do not. Push-to-talk cannot be seen here.
func (m *Machine) muteHazard(ctx context.Context) doctor.Result {
	obs, sound, gone := m.ask(ctx)
	switch {
	case gone != nil:
		return *gone
	case !obs.Version.MutedIsMonitored() && !obs.Version.MuteButtonMonitorsOnly():
		return doctor.Fine("OBS %s does not monitor what is muted", obs.Version.OBS)
	}
	if d, err := m.Daemon(ctx); err == nil && d.Running {
		return doctor.Fine("costream-obs mutes what it sends as well")
	}
	streams := sound.monitors(obs.PID)
	for _, in := range obs.Inputs {
		muted := obs.Version.MutedIsMonitored() && in.Muted && in.Monitor != obsctl.MonitorOff ||
			obs.Version.MuteButtonMonitorsOnly() && in.Monitor == obsctl.MonitorOnly
		stream, playing := streams[in.Name]
		if muted && playing && sound.sinkOf(stream) == companion.ToPeerSink {
			return doctor.Result{Status: doctor.Fail,
				Detail: fmt.Sprintf("%s is muted in OBS's Audio Mixer, but OBS %s goes on playing it to %s.", in.Name, obs.Version.OBS, companion.ToPeerSink),
				Why:    "OBS 32.1 and later monitors inputs that its Audio Mixer shows as muted; a program that sends this sink (`costream-obs send`, a script of 2020) sends what you say while you are muted.",
				Next:   "Use `costream-obs run`, which follows mute and push-to-talk; or set the input to \"Monitor Off\" under Edit → Advanced Audio Properties."}
		}
	}
	return doctor.Fine("nothing muted is played")
}

// latency is audio.latency.
func (m *Machine) latency(ctx context.Context) doctor.Result {
	obs, sound, gone := m.ask(ctx)
	if gone != nil {
		return *gone
	}
	streams := sound.monitors(obs.PID)
	found := ""
	for _, name := range m.toPeer(ctx, obs) {
		stream, playing := streams[name]
		if !playing || sound.sinkOf(stream) != companion.ToPeerSink {
			continue
		}
		if stream.Latency > obsctl.MonitoringLate {
			in, _ := obs.input(name)
			return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("OBS plays %s %d ms late.", name, stream.Latency.Milliseconds()),
				Why:  "The peer hears you later than they see you. The delay grows when the machine has too little CPU time, and OBS never reduces it.",
				Next: fmt.Sprintf("In OBS open Edit → Advanced Audio Properties, set %s to \"Monitor Off\" and back. `costream-obs run` does so by itself within a minute.", name),
				Fix:  &doctor.Fix{What: fmt.Sprintf("Switch OBS's monitoring of %s off and on again (a short gap in the sound).", name), Do: m.toggleMonitor(name, in.Monitor)}}
		}
		found = fmt.Sprintf("%d ms", stream.Latency.Milliseconds())
	}
	return doctor.Fine("%s", found)
}
