// SPDX-License-Identifier: Apache-2.0

// Package checks is the table of what `costream-obs doctor` looks at: the
// machine, its kernel module and video devices, OBS, the sound and the network.
//
// A check is a plain function of what a Machine says, so that each can be
// tried against recorded machines. Nothing here changes anything; what can be
// mended is returned as a fix for somebody else to carry out. How findings are
// run and shown is package doctor's matter.
package checks

import (
	"context"
	"time"

	"github.com/costream-obs/costream-obs/internal/doctor"
)

// The headings of the table.
const (
	groupOwn     = "costream-obs"
	groupHost    = "This machine"
	groupModule  = "Kernel module v4l2loopback"
	groupDevices = "Video devices"
	groupOBS     = "OBS"
	groupSound   = "Sound"
	groupNetwork = "Network and peer"
)

// All returns the checks of a machine in the order in which they are shown.
// Each stands below those that it needs. docs/doctor.md explains them.
func All(m *Machine) []doctor.Check {
	// Without the devices the portable route does, unless it was ruled out.
	devices := doctor.Warning
	if m.Route == "devices" {
		devices = doctor.Error
	}
	type run = func(context.Context) doctor.Result
	row := func(severity doctor.Severity, id, group, title string, run run, needs ...string) doctor.Check {
		return doctor.Check{ID: id, Group: group, Title: title, Severity: severity, Needs: needs, Run: run}
	}
	asked := func(severity doctor.Severity, id, title string, run run, needs ...string) doctor.Check {
		c := row(severity, id, groupNetwork, title, run, needs...)
		c.OnRequest, c.Timeout = true, probeLimit+time.Second
		return c
	}
	onAir := func(id, title string, run func(*Machine, context.Context) doctor.Result, needs ...string) doctor.Check {
		c := row(doctor.Error, id, groupSound, title, m.settled(run), needs...)
		c.Timeout = doctor.DefaultTimeout + settling
		return c
	}
	// GStreamer looks at all its plugins when it runs for the first time: 6 to
	// 10 s on a slow machine (measured), once.
	gst := row(doctor.Error, "host.gst", groupHost, "GStreamer has all that is needed", m.gstreamer)
	gst.Timeout = 30 * time.Second
	return []doctor.Check{
		row(doctor.Error, "svc.config", groupOwn, "the settings", m.config),
		row(doctor.Error, "svc.run", groupOwn, "costream-obs itself", m.running),
		row(doctor.Warning, "svc.unit", groupOwn, "its service", m.unit),

		gst,
		row(devices, "host.user", groupHost, "you may use the video devices", m.access, "svc.config"),

		row(devices, "v4l2.module.file", groupModule, "installed for the running kernel", m.moduleFile, "svc.config"),
		row(devices, "v4l2.module.sign", groupModule, "accepted by Secure Boot", m.moduleSigned, "v4l2.module.file"),
		row(devices, "v4l2.module.loaded", groupModule, "loaded", m.moduleLoaded, "v4l2.module.sign"),
		row(devices, "v4l2.module.version", groupModule, "fits this OBS and this kernel", m.versions, "v4l2.module.loaded"),
		row(doctor.Warning, "v4l2.conf", groupModule, "loaded the same way after a restart", m.bootFiles, "v4l2.module.loaded"),

		row(devices, "v4l2.dev.pair", groupDevices, "both loopback devices are there", m.pair, "v4l2.module.loaded"),
		row(devices, "v4l2.dev.order", groupDevices, "OBS's virtual camera takes ours", m.order, "host.user", "v4l2.dev.pair"),
		row(doctor.Warning, "v4l2.dev.excl", groupDevices, "each has one direction at a time", m.exclusive, "host.user", "v4l2.dev.pair"),
		row(doctor.Warning, "v4l2.dev.keepformat", groupDevices, "their controls are as they should be", m.controls, "host.user", "v4l2.dev.pair"),
		row(devices, "v4l2.dev.holders", groupDevices, "no other program writes to them", m.holders, "host.user", "v4l2.dev.pair"),
		row(devices, "v4l2.dev.state", groupDevices, "OBS's picture arrives while on air", m.deviceState, "v4l2.dev.pair"),

		row(doctor.Error, "obs.ws.config", groupOBS, "its WebSocket server is switched on", m.serverConfig, "svc.config"),
		row(doctor.Warning, "obs.flatpak", groupOBS, "its sandbox lets it work with us", m.flatpak, "svc.config"),
		row(doctor.Error, "obs.ws.connect", groupOBS, "it answers", m.connect, "obs.ws.config"),
		row(doctor.Warning, "obs.ws.auth", groupOBS, "it asks for a password", m.authentication, "obs.ws.connect"),
		row(doctor.Error, "obs.version", groupOBS, "its version is known to work", m.version, "obs.ws.connect"),
		row(devices, "obs.vcam.avail", groupOBS, "it has a virtual camera", m.cameraAvailable, "v4l2.module.loaded", "obs.ws.connect"),
		row(doctor.Warning, "obs.vcam.type", groupOBS, "the virtual camera shows the programme", m.cameraType, "obs.vcam.avail"),
		row(devices, "obs.vcam.device", groupOBS, "the virtual camera writes to our device", m.cameraDevice, "obs.vcam.avail", "v4l2.dev.pair"),
		row(doctor.Warning, "obs.video", groupOBS, "its picture can be sent as it is", m.video, "obs.ws.connect"),
		row(doctor.Warning, "obs.rate", groupOBS, "its sound has 48 kHz", m.sampleRate, "obs.ws.connect"),
		row(doctor.Warning, "obs.source", groupOBS, "the peer's source is in order", m.peerSource, "obs.ws.connect"),
		row(doctor.Warning, "obs.loop", groupOBS, "the peer does not get themselves back", m.loop, "obs.ws.connect"),
		row(doctor.Warning, "obs.hotkeys", groupOBS, "its hotkeys for the peer are in order", m.hotkeysSetUp, "svc.config"),

		row(doctor.Error, "audio.server", groupSound, "a sound server answers", m.soundServer),
		row(doctor.Warning, "audio.priority", groupSound, "the sound server has real-time priority", m.priority, "audio.server"),
		row(doctor.Error, "audio.sink", groupSound, "the way to the peer is free", m.sink, "audio.server"),
		row(doctor.Error, "audio.mic", groupSound, "OBS has a microphone for the peer", m.microphone, "audio.server", "obs.ws.connect"),
		row(doctor.Warning, "audio.mute", groupSound, "the microphone is not muted", m.muted, "audio.mic"),
		row(doctor.Warning, "audio.level", groupSound, "the microphone gives sound", m.level, "audio.mute"),
		row(doctor.Warning, "audio.monitor.device", groupSound, "OBS's monitoring device can be used", m.monitoringDevice, "audio.server", "obs.ws.connect"),
		onAir("audio.monitor.inputs", "the microphone goes to the peer while on air", (*Machine).monitored, "audio.sink", "audio.mic"),
		onAir("audio.place", "every sound stream is where it belongs while on air", (*Machine).placed, "audio.sink", "audio.mic"),
		onAir("audio.monitor.peer", "nothing else goes to the peer", (*Machine).echo, "obs.ws.connect"),
		row(doctor.Warning, "audio.monitor.dup", groupSound, "OBS does not capture what goes to the peer", m.captured, "obs.ws.connect"),
		onAir("audio.viewers", "your viewers hear the microphone", (*Machine).viewers, "audio.mic"),
		row(doctor.Warning, "audio.mute.hazard", groupSound, "a muted microphone is silent for the peer", m.muteHazard, "audio.server", "obs.ws.connect"),
		row(doctor.Warning, "audio.latency", groupSound, "the microphone's delay is small", m.latency, "audio.monitor.inputs"),

		row(doctor.Error, "net.ports", groupNetwork, "our UDP ports are free", m.ports, "svc.config"),
		row(doctor.Error, "net.addr", groupNetwork, "the peer's address is known and has a route", m.peerAddress, "svc.config"),
		asked(doctor.Error, "net.key", "the peer's key is that of our pair", m.sameKey, "net.ports", "net.addr"),
		asked(doctor.Error, "net.probe", "the peer's machine answers", m.answers, "net.key"),
		asked(doctor.Warning, "net.clock", "the peer's clock agrees with ours", m.sameTime, "net.probe"),
		row(doctor.Warning, "net.rmem", groupNetwork, "the kernel holds packets long enough", m.receiveBuffer, "svc.config"),
	}
}
