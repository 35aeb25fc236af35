// SPDX-License-Identifier: Apache-2.0

// Package checks is the table of what `costream-obs doctor` looks at: the
// machine, its kernel module and video devices, OBS, the sound and the network.
//
// A check is a plain function of what a Machine says, so that tests can run it
// on recorded machines. Nothing here changes anything: a check returns a fix for
// its caller to carry out. Package doctor runs the checks and shows the findings.
package checks

import (
	"context"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/problem"
)

// All returns the checks of a machine in the order in which they are shown.
// Each stands below those that it needs. docs/doctor.md explains them.
func All(m *Machine) []doctor.Check {
	row := func(code problem.Code, run func(context.Context) doctor.Result) doctor.Check {
		kind := problem.Of(code)
		c := doctor.Check{ID: string(code), Group: kind.Group(), Title: kind.Title, Run: run}
		if kind.Severity.On(m.Route == control.RouteDevices) == problem.Warning {
			c.Severity = doctor.Warning
		}
		for _, need := range kind.Needs {
			c.Needs = append(c.Needs, string(need))
		}
		return c
	}
	asked := func(code problem.Code, run func(context.Context) doctor.Result) doctor.Check {
		c := row(code, run)
		c.OnRequest, c.Timeout = true, probeLimit+time.Second
		return c
	}
	onAir := func(code problem.Code, run func(*Machine, context.Context) doctor.Result) doctor.Check {
		c := row(code, m.settled(run))
		c.Timeout = doctor.DefaultTimeout + settling
		return c
	}
	// GStreamer looks at all its plugins when it runs for the first time: 6 to
	// 10 s on a slow machine (measured), once.
	gst := row(problem.GStreamer, m.gstreamer)
	gst.Timeout = 30 * time.Second
	return []doctor.Check{
		row(problem.Settings, m.config),
		row(problem.Run, m.running),
		row(problem.Unit, m.unit),

		gst,
		row(problem.Access, m.access),

		row(problem.ModuleFile, m.moduleFile),
		row(problem.ModuleSigned, m.moduleSigned),
		row(problem.ModuleLoaded, m.moduleLoaded),
		row(problem.ModuleVersion, m.versions),
		row(problem.ModuleAtStart, m.bootFiles),

		row(problem.DevicePair, m.pair),
		row(problem.DeviceOrder, m.order),
		row(problem.DeviceDirections, m.exclusive),
		row(problem.DeviceControls, m.controls),
		row(problem.DeviceHolders, m.holders),
		row(problem.DeviceState, m.deviceState),

		row(problem.ServerConfig, m.serverConfig),
		row(problem.Sandbox, m.flatpak),
		row(problem.Connection, m.connect),
		row(problem.Authentication, m.authentication),
		row(problem.Version, m.version),
		row(problem.CameraThere, m.cameraAvailable),
		row(problem.CameraType, m.cameraType),
		row(problem.CameraDevice, m.cameraDevice),
		row(problem.VideoFormat, m.video),
		row(problem.SampleRate, m.sampleRate),
		row(problem.PeerSource, m.peerSource),
		row(problem.Changes, m.changesUndone),
		row(problem.Loop, m.loop),
		row(problem.Hotkeys, m.hotkeysSetUp),

		row(problem.SoundServer, m.soundServer),
		row(problem.Priority, m.priority),
		row(problem.OwnPriority, m.ownPriority),
		row(problem.Sink, m.sink),
		row(problem.Microphone, m.microphone),
		row(problem.Muted, m.muted),
		row(problem.Level, m.level),
		row(problem.MonitoringDevice, m.monitoringDevice),
		onAir(problem.MonitoredInputs, (*Machine).monitored),
		onAir(problem.Placement, (*Machine).placed),
		onAir(problem.MonitoredPeer, (*Machine).echo),
		row(problem.Captured, m.captured),
		onAir(problem.Viewers, (*Machine).viewers),
		row(problem.MuteHazard, m.muteHazard),
		row(problem.Latency, m.latency),

		row(problem.Ports, m.ports),
		row(problem.PeerAddress, m.peerAddress),
		asked(problem.NAT, m.nat),
		asked(problem.Router, m.router),
		asked(problem.Meeting, m.meeting),
		asked(problem.Relay, m.relay),
		asked(problem.PeerKey, m.sameKey),
		asked(problem.PeerAnswers, m.answers),
		asked(problem.PeerClock, m.sameTime),
		row(problem.Buffer, m.receiveBuffer),

		row(problem.Encoder, m.encoder),
	}
}
