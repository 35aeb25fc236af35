// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/costream-obs/costream-obs/internal/companion"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// sampleRate is obs.rate.
func (m *Machine) sampleRate(ctx context.Context) doctor.Result {
	obs, err := m.OBS(ctx)
	if err != nil {
		return unknownOBS(err)
	}
	if obs.SampleRate == "48000" {
		return doctor.Fine("")
	}
	return doctor.Result{
		Status: doctor.Fail,
		Detail: fmt.Sprintf("OBS's profile %q has a sample rate of %s Hz.", obs.Profile, obs.SampleRate),
		Why:    "The peer's sound and most sound cards use 48000 Hz; OBS converts everything, which costs quality and adds a little delay.",
		Next:   "In OBS open Settings → Audio, choose Sample Rate: 48 kHz, and restart OBS when it asks.",
	}
}

// monitoringDevice is audio.monitor.device.
func (m *Machine) monitoringDevice(ctx context.Context) doctor.Result {
	obs, sound, gone := m.ask(ctx)
	if gone != nil {
		return *gone
	}
	device := obs.Monitoring
	sink := device.Sink(obs.Version)
	if sink == "" {
		return doctor.Fine("the default output")
	}
	// The profile's value applies from the next start. To apply it now would need a switch of profiles, which can crash an
	// OBS that is just starting to stream.
	reset := &doctor.Fix{
		What: fmt.Sprintf("Set the monitoring device of OBS's profile %q to \"Default\", from OBS's next start.", obs.Profile),
		Do: func(ctx context.Context) error {
			return m.Change(ctx, func(ctx context.Context, c *obsctl.Client) error {
				return c.ResetMonitoringDevice(ctx)
			})
		},
	}
	const next = "In OBS open Settings → Audio → Advanced and choose your headphones, or \"Default\", as Monitoring Device."
	if sink == companion.ToPeerSink {
		return doctor.Result{
			Status: doctor.Fail,
			Detail: fmt.Sprintf("OBS's monitoring device is %s, costream-obs's own sink.", sink),
			Why:    "Everything that you monitor goes to the peer, and you do not hear it. The sink is there only while costream-obs runs; OBS can crash when its monitoring device is missing. costream-obs needs no such setting.",
			Next:   next, Fix: reset,
		}
	}
	if _, found := sound.sinkNamed(sink); found {
		return doctor.Fine("%s", device.Name)
	}
	return doctor.Result{
		Status: doctor.Fail,
		Detail: fmt.Sprintf("OBS's monitoring device %q is not there.", device.ID),
		Why:    "OBS plays nothing that it monitors, so the peer may hear nothing, and OBS can crash when the monitoring of an input is changed. Names from OBS 29.0 and older (\"….monitor\") are not understood by newer ones.",
		Next:   next, Fix: reset,
	}
}

// echo is audio.monitor.peer.
func (m *Machine) echo(ctx context.Context) doctor.Result {
	obs, err := m.OBS(ctx)
	if err != nil {
		return unknownOBS(err)
	}
	toPeer, sound := m.toPeer(ctx, obs), Sound{}
	if len(toPeer) > len(m.mics(obs)) {
		if sound, err = m.Sound(ctx); err != nil {
			return unknownSound(err)
		}
	}
	for _, in := range obs.Inputs {
		carriesPeer := in.Name == obs.Peer.Input || in.Settings[scenes.MarkKey] != nil
		captures := in.Kind == kindOutputCapture
		if slices.Contains(toPeer, in.Name) {
			captures = captures && !slices.Contains(m.mics(obs), in.Name) &&
				companion.CarriesPeer(in.Kind, in.Settings, sound.Info, sound.SinkInputs, sound.Sinks)
			if !captures && !carriesPeer {
				continue
			}
		}
		if in.Monitor == obsctl.MonitorOff {
			continue
		}
		why := ""
		switch {
		case captures:
			why = "It captures what this machine plays, the peer's voice too: the peer hears an echo of themselves, and you hear everything twice."
		case carriesPeer:
			why = "It carries the peer: the peer hears an echo of themselves."
		case m.onAir(ctx):
			why = "You are on air, and the peer must hear only your microphone and what you share."
		default:
			continue
		}
		return doctor.Result{
			Status: doctor.Fail,
			Detail: fmt.Sprintf("%s is monitored in OBS (%s).", in.Name, in.Monitor),
			Why:    why,
			Next:   fmt.Sprintf("In OBS open Edit → Advanced Audio Properties and choose \"Monitor Off\" for %s.", in.Name),
			Fix:    &doctor.Fix{What: fmt.Sprintf("Set %s to \"Monitor Off\" in OBS.", in.Name), Do: m.setMonitor(in.Name, obsctl.MonitorOff)},
		}
	}
	return doctor.Fine("")
}

// captured is audio.monitor.dup.
func (m *Machine) captured(ctx context.Context) doctor.Result {
	obs, err := m.OBS(ctx)
	if err != nil {
		return unknownOBS(err)
	}
	for _, in := range obs.Inputs {
		if in.Settings["device_id"] != companion.ToPeerSink+".monitor" {
			continue
		}
		return doctor.Result{
			Status: doctor.Fail,
			Detail: fmt.Sprintf("The OBS input %q captures %s, which carries your own microphone to the peer.", in.Name, companion.ToPeerSink),
			Why:    "Your viewers hear your microphone twice.",
			Next:   fmt.Sprintf("Remove %q in OBS, or choose another device in its properties. The peer's voice needs no input of yours: costream-obs brings it into your stream.", in.Name),
		}
	}
	return doctor.Fine("")
}

// viewers is audio.viewers.
func (m *Machine) viewers(ctx context.Context) doctor.Result {
	obs, sound, gone := m.ask(ctx)
	stops, _ := obs.Version.DeduplicationStops()
	switch {
	case gone != nil:
		return *gone
	case m.MicSource != "":
		return doctor.Fine("%s", pastOBS)
	case !obs.Version.Deduplicates():
		return doctor.Fine("OBS %s streams what it monitors", obs.Version.OBS)
	case !m.onAir(ctx):
		return doctor.Fine("not on air now; OBS's own monitoring is not changed")
	case obs.LogError != "":
		return doctor.Skipped("only OBS's log shows it, and that cannot be read (%s)", obs.LogError)
	}
	captures := obs.removing(sound.Info.DefaultSink)
	if len(captures) == 0 {
		return doctor.Fine("OBS streams what it monitors")
	}
	for _, name := range m.toPeer(ctx, obs) {
		if in, _ := obs.input(name); in.Monitor != obsctl.MonitorAndOutput {
			continue
		}
		r := doctor.Result{
			Status: doctor.Fail,
			Detail: fmt.Sprintf("OBS %s leaves %s out of your stream.", obs.Version.OBS, name),
			Why: fmt.Sprintf("Your viewers do not hear you. OBS 32.0 and later assumes that what it monitors gets into the stream through %s, but the microphone goes only to the peer.",
				strings.Join(captures, ", ")),
			Next: "Update OBS to 32.0.4 or newer. Until then choose another Monitoring Device in OBS under Settings → Audio → Advanced, or send the microphone without OBS: " + runPastOBS,
		}
		if stops {
			r.Next = "Restart `costream-obs run`, which keeps OBS from that. If OBS does it again, send the microphone without OBS: " + runPastOBS
			r.Fix = &doctor.Fix{What: "Make OBS mix what it monitors into your stream. That needs a hidden input \"costream-obs probe\" in OBS, which `costream-obs run` removes after your stream.", Do: func(ctx context.Context) error {
				return m.Change(ctx, func(ctx context.Context, c *obsctl.Client) error {
					return c.StopDeduplication(ctx, obs.Program)
				})
			}}
		}
		return r
	}
	return doctor.Fine("OBS monitors no microphone that is in your stream")
}

const runPastOBS = "`costream-obs run --mic-source SOURCE` (`pactl list short sources` names them)."

// removing are the captures because of which OBS, in versions that do so, removes what it monitors from the stream. A muted
// capture does not count.
func (o OBS) removing(defaultSink string) []string {
	stops, _ := o.Version.DeduplicationStops()
	if stops && o.Deduplication != obsctl.DeduplicationOn {
		return nil
	}
	monitored := cmp.Or(o.Monitoring.Sink(o.Version), defaultSink) + ".monitor"
	var names []string
	for _, in := range o.Inputs {
		device, _ := in.Settings["device_id"].(string)
		if device == "" || device == "default" {
			device = defaultSink + ".monitor"
		}
		// OBS 32.0.3 and older always compares the devices. Later ones compared them once, and wrote the result into the
		// log.
		if in.Kind == kindOutputCapture && !in.Muted && (stops || device == monitored) {
			names = append(names, in.Name)
		}
	}
	return names
}
