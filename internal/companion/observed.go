// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"slices"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/obsctl"
)

// stopLimit is how long an output may take to stop before we believe OBS's answer rather than its event.
const stopLimit = 10 * time.Second

// observed is what we know of OBS. Events and the slow tick mark what must be asked again.
type observed struct {
	version obsctl.Version
	pid     int      // 0 for an OBS on another machine
	chosen  []string // inputs of --mic

	streaming, recording, virtualCam bool
	streamEnds, recordEnds           time.Time // when OBS reported stopping or stopped; zero after any other report

	streamBegins, recordBegins time.Time // when OBS reported starting; zero after any other report

	program    string
	collection string
	video      obsctl.Video
	inputs     []obsctl.Input
	special    obsctl.SpecialInputs
	voices     []string // inputs that capture the peer's voice
	shared     []string // inputs of --share that the peer hears
	muted      map[string]bool
	monitored  map[string]obsctl.MonitorType

	changing     bool // a collection or profile is being loaded
	changingFrom time.Time
	askOutputs   bool
	askScene     bool
	askInputs    bool
	scenesLooked bool // the scenes are as we left them
}

func (o *observed) all() {
	o.askOutputs, o.askScene, o.askInputs, o.scenesLooked = true, true, true, false
	o.changing = o.changing && time.Since(o.changingFrom) < obsctl.LoadLimit
}

// note takes in an event of OBS.
func (o *observed) note(ev obsctl.Event) {
	switch e := ev.(type) {
	case obsctl.StreamState:
		o.streaming = phaseActive(e.Phase, o.streaming)
		o.streamEnds, o.streamBegins = endOf(e.Phase), beginOf(e.Phase)
		o.askOutputs = true
	case obsctl.RecordState:
		o.recording = phaseActive(e.Phase, o.recording)
		o.recordEnds, o.recordBegins = endOf(e.Phase), beginOf(e.Phase)
		o.askOutputs = true
	case obsctl.VirtualCamState:
		o.virtualCam = e.Active
	case obsctl.MuteChanged:
		if o.muted != nil {
			o.muted[e.Input] = e.Muted
		}
	case obsctl.MonitorTypeChanged:
		o.setMonitored(e.Input, e.Type)
		o.askInputs = true
	case obsctl.ProgramScene:
		o.program = e.Name
	case obsctl.InputRenamed:
		o.askInputs, o.scenesLooked = true, false
	case obsctl.CollectionChanging, obsctl.ProfileChanging:
		o.changing, o.changingFrom = true, time.Now()
	case obsctl.CollectionChanged:
		o.collection, o.changing = e.Name, false
		o.all()
	case obsctl.ProfileChanged:
		o.changing = false
		o.all()
	case obsctl.Exiting:
	default:
		o.askScene, o.askInputs, o.scenesLooked = true, true, false
	}
}

// setMonitored notes how an input is monitored now.
func (o *observed) setMonitored(input string, t obsctl.MonitorType) {
	switch {
	case t == obsctl.MonitorOff:
		delete(o.monitored, input)
	case o.monitored != nil: // The other inputs are known.
		o.monitored[input] = t
	}
}

func phaseActive(p obsctl.OutputPhase, now bool) bool {
	switch p {
	case obsctl.Started, obsctl.Reconnecting, obsctl.Reconnected, obsctl.Paused, obsctl.Resumed:
		return true
	case obsctl.Stopping, obsctl.Stopped:
		return false
	default:
		return now
	}
}

// endOf is when an output began to end. A busy OBS reports that one has stopped, and still calls it active for some time
// (measured, 29.0.2: 1 s).
func endOf(p obsctl.OutputPhase) time.Time {
	if p == obsctl.Stopping || p == obsctl.Stopped {
		return time.Now()
	}
	return time.Time{}
}

// beginOf is when an output began to start.
func beginOf(p obsctl.OutputPhase) time.Time {
	if p == obsctl.Starting {
		return time.Now()
	}
	return time.Time{}
}

// mics are the microphones that go to the peer.
func (o *observed) mics() []string { return o.micsOf(o.special) }

// toPeer are all inputs that the peer hears: the microphones and what is shared.
func (o *observed) toPeer() []string { return slices.Concat(o.mics(), o.shared) }

// micsOf are those of --mic, else OBS's own microphone inputs.
func (o *observed) micsOf(special obsctl.SpecialInputs) []string {
	if len(o.chosen) > 0 {
		return o.chosen
	}
	return special.Mics
}

// microphoneNames says which inputs could be a microphone: those that record sound, or all if there are none.
func (o *observed) microphoneNames() string {
	var mics, all []string
	for _, in := range o.inputs {
		all = append(all, in.Name)
		if strings.HasSuffix(in.UnversionedKind, "_input_capture") {
			mics = append(mics, in.Name)
		}
	}
	if len(mics) > 0 {
		return "its microphones are " + quoted(mics, ", ")
	}
	return "its inputs are " + quoted(all, ", ")
}

// has reports whether OBS has an input of that name.
func (o *observed) has(input string) bool {
	return slices.ContainsFunc(o.inputs, func(in obsctl.Input) bool { return in.Name == input })
}

// outputFormat is the format of OBS's output.
func (o *observed) outputFormat() media.VideoFormat {
	return media.VideoFormat{W: o.video.OutputW, H: o.video.OutputH, FPSNum: o.video.FPSNum, FPSDen: o.video.FPSDen}
}

// canvasFormat is the format of OBS's canvas.
func (o *observed) canvasFormat() media.VideoFormat {
	return media.VideoFormat{W: o.video.CanvasW, H: o.video.CanvasH, FPSNum: o.video.FPSNum, FPSDen: o.video.FPSDen}
}
