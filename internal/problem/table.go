// SPDX-License-Identifier: Apache-2.0

package problem

// The codes.
const (
	Settings   Code = "svc.config"
	Run        Code = "svc.run"
	Unit       Code = "svc.unit"
	Control    Code = "svc.socket"
	Panel      Code = "svc.panel"
	Standstill Code = "svc.standstill"

	GStreamer Code = "host.gst"
	Access    Code = "host.user"

	ModuleFile    Code = "v4l2.module.file"
	ModuleSigned  Code = "v4l2.module.sign"
	ModuleLoaded  Code = "v4l2.module.loaded"
	ModuleVersion Code = "v4l2.module.version"
	ModuleAtStart Code = "v4l2.conf"

	DevicePair       Code = "v4l2.dev.pair"
	DeviceOrder      Code = "v4l2.dev.order"
	DeviceDirections Code = "v4l2.dev.excl"
	DeviceControls   Code = "v4l2.dev.keepformat"
	DeviceHolders    Code = "v4l2.dev.holders"
	DeviceState      Code = "v4l2.dev.state"

	ServerConfig   Code = "obs.ws.config"
	Sandbox        Code = "obs.flatpak"
	Connection     Code = "obs.ws.connect"
	Authentication Code = "obs.ws.auth"
	Version        Code = "obs.version"
	CameraThere    Code = "obs.vcam.avail"
	CameraType     Code = "obs.vcam.type"
	CameraDevice   Code = "obs.vcam.device"
	VideoFormat    Code = "obs.video"
	SampleRate     Code = "obs.rate"
	OnAir          Code = "obs.air"
	Output         Code = "obs.output"
	Collection     Code = "obs.collection"
	OurPicture     Code = "obs.picture"
	Screenshots    Code = "obs.screenshots"
	FrameClock     Code = "obs.clock"
	Programme      Code = "obs.programme"
	CleanFeed      Code = "obs.cleanfeed"
	Screen         Code = "obs.screen"
	PeerSource     Code = "obs.source"
	PeerPicture    Code = "obs.source.picture"
	PeerMute       Code = "obs.source.mute"
	PeerShown      Code = "obs.source.shown"
	Scenes         Code = "obs.scenes"
	Changes        Code = "obs.changes"
	Transition     Code = "obs.transition"
	Loop           Code = "obs.loop"
	Hotkeys        Code = "obs.hotkeys"
	Dock           Code = "obs.dock"

	SoundServer      Code = "audio.server"
	Priority         Code = "audio.priority"
	OwnPriority      Code = "audio.urgent"
	Sink             Code = "audio.sink"
	Microphone       Code = "audio.mic"
	Shared           Code = "audio.share"
	Muted            Code = "audio.mute"
	Level            Code = "audio.level"
	Unheard          Code = "audio.unheard"
	Captures         Code = "audio.capture"
	MonitoringDevice Code = "audio.monitor.device"
	MonitoredInputs  Code = "audio.monitor.inputs"
	MonitoredPeer    Code = "audio.monitor.peer"
	MonitoredBack    Code = "audio.monitor.back"
	Captured         Code = "audio.monitor.dup"
	Placement        Code = "audio.place"
	Meters           Code = "audio.meters"
	Viewers          Code = "audio.viewers"
	PeerVoice        Code = "audio.peer"
	MuteHazard       Code = "audio.mute.hazard"
	Latency          Code = "audio.latency"

	Ports       Code = "net.ports"
	PeerAddress Code = "net.addr"
	NAT         Code = "net.nat"
	Router      Code = "net.router"
	Meeting     Code = "net.meet"
	Relay       Code = "net.relay"
	PeerKey     Code = "net.key"
	PeerAnswers Code = "net.probe"
	PeerClock   Code = "net.clock"
	Buffer      Code = "net.rmem"
	Link        Code = "net.link"
	Friend      Code = "net.peer"

	Encoder    Code = "media.encoder"
	PictureOut Code = "media.picture.out"
	VoiceOut   Code = "media.voice.out"
	PictureIn  Code = "media.picture.in"
	VoiceIn    Code = "media.voice.in"
	Recording  Code = "media.recording"
)

var table = []Kind{
	{Settings, "", "the settings", Error, nil},
	{Run, "", "costream-obs itself", Error, nil},
	{Unit, "", "its service", Warning, nil},
	{Control, "control socket", "", Warning, nil},
	{Panel, "panel", "", Warning, nil},
	{Standstill, "standstills", "", Warning, nil},

	{GStreamer, "", "GStreamer has all needed elements", Error, nil},
	{Access, "", "you have access to the video devices", ByRoute, []Code{Settings}},

	{ModuleFile, "", "installed for the running kernel", ByRoute, []Code{Settings}},
	{ModuleSigned, "", "accepted by Secure Boot", ByRoute, []Code{ModuleFile}},
	{ModuleLoaded, "", "loaded", ByRoute, []Code{ModuleSigned}},
	{ModuleVersion, "", "works with this OBS and this kernel", ByRoute, []Code{ModuleLoaded}},
	{ModuleAtStart, "", "loaded the same way after a restart", Warning, []Code{ModuleLoaded}},

	{DevicePair, "", "both loopback devices are there", ByRoute, []Code{ModuleLoaded}},
	{DeviceOrder, "", "OBS's virtual camera opens our device", ByRoute, []Code{Access, DevicePair}},
	{DeviceDirections, "", "each works in one direction at a time", Warning, []Code{Access, DevicePair}},
	{DeviceControls, "", "their controls are right", Warning, []Code{Access, DevicePair}},
	{DeviceHolders, "", "no other program writes to them", ByRoute, []Code{Access, DevicePair}},
	{DeviceState, "", "OBS's picture arrives while on air", ByRoute, []Code{DevicePair}},

	{ServerConfig, "", "its WebSocket server is switched on", Error, []Code{Settings}},
	{Sandbox, "", "its sandbox allows what we need", Warning, []Code{Settings}},
	{Connection, "connection to OBS", "it answers", Error, []Code{ServerConfig}},
	{Authentication, "", "it asks for a password", Warning, []Code{Connection}},
	{Version, "", "its version is known to work", Error, []Code{Connection}},
	{CameraThere, "", "it has a virtual camera", ByRoute, []Code{ModuleLoaded, Connection}},
	{CameraType, "", "the virtual camera shows the programme", Warning, []Code{CameraThere}},
	{CameraDevice, "", "the virtual camera writes to our device", ByRoute, []Code{CameraThere, DevicePair}},
	{VideoFormat, "", "its picture can be sent as it is", Warning, []Code{Connection}},
	{SampleRate, "", "its sample rate is 48 kHz", Warning, []Code{Connection}},
	{OnAir, "going on air", "", Error, []Code{Connection}},
	{Output, "OBS's output", "", Warning, []Code{Connection}},
	{Collection, "scene collection", "", Error, []Code{Connection}},
	{OurPicture, "OBS's picture", "", Error, []Code{Connection}},
	{Screenshots, "screenshots", "", Error, []Code{Connection}},
	{FrameClock, "frame clock of OBS", "", Warning, []Code{Connection}},
	{Programme, "programme", "", Warning, []Code{Connection}},
	{CleanFeed, "clean feed", "", Error, []Code{Connection}},
	{Screen, "screen", "", Error, nil},
	{PeerSource, "peer source", "the peer's source is in order", Warning, []Code{Connection}},
	{PeerPicture, "peer source's picture", "", Warning, []Code{PeerSource}},
	{PeerMute, "peer source's mute", "", Warning, []Code{PeerSource}},
	{PeerShown, "peer in the programme", "", Warning, []Code{PeerSource}},
	{Scenes, "scenes", "", Warning, []Code{Connection}},
	{Changes, "changes", "what costream-obs changed in it is undone", Warning, []Code{Connection}},
	{Transition, "", "", Warning, []Code{Connection}},
	{Loop, "", "the peer does not get their own picture back", Warning, []Code{Connection}},
	{Hotkeys, "", "its hotkeys for the peer are in order", Warning, []Code{Settings}},
	{Dock, "", "its dock with the panel is in order", Warning, []Code{Settings}},

	{SoundServer, "sound server", "a sound server answers", Error, nil},
	{Priority, "", "the sound server has real-time priority", Warning, []Code{SoundServer}},
	{OwnPriority, "", "costream-obs may have real-time priority", Warning, nil},
	{Sink, "sound", "the sink for the peer is in order", Error, []Code{SoundServer}},
	{Microphone, "microphone", "OBS has a microphone for the peer", Error, []Code{SoundServer, Connection}},
	{Shared, "shared sound", "", Warning, []Code{SoundServer, Connection}},
	{Muted, "", "the microphone is not muted", Warning, []Code{Microphone}},
	{Level, "microphone's sound", "the microphone gives sound", Warning, []Code{Muted}},
	{Unheard, "microphone's path to us", "", Warning, []Code{SoundServer, Connection}},
	{Captures, "OBS's sound capture", "", Error, []Code{SoundServer, Connection}},
	{MonitoringDevice, "", "OBS's monitoring device can be used", Warning, []Code{SoundServer, Connection}},
	{MonitoredInputs, "microphone's monitoring", "the microphone goes to the peer while on air", Error, []Code{Sink, Microphone}},
	{Placement, "sound streams", "every sound stream has its right sink or source while on air", Error, []Code{Sink, Microphone}},
	{MonitoredPeer, "", "nothing else goes to the peer", Error, []Code{Connection}},
	{MonitoredBack, "monitoring", "", Warning, []Code{SoundServer, Connection}},
	{Captured, "", "OBS does not capture what goes to the peer", Warning, []Code{Connection}},
	{Meters, "meters of OBS", "", Error, []Code{Connection}},
	{Viewers, "your voice in the stream", "your viewers hear the microphone", Error, []Code{Microphone}},
	{PeerVoice, "peer's voice in OBS", "", Error, []Code{SoundServer, Connection}},
	{MuteHazard, "", "a muted microphone is silent for the peer", Warning, []Code{SoundServer, Connection}},
	{Latency, "", "the microphone's delay is small", Warning, []Code{MonitoredInputs}},

	{Ports, "", "our UDP ports are free", Error, []Code{Settings}},
	{PeerAddress, "", "the peer's address is known and has a route", Error, []Code{Settings}},
	{NAT, "", "your network lets the peer's machine find yours", Warning, []Code{Ports}},
	{Router, "", "your router opens a port, or need not", Warning, []Code{Ports}},
	{Meeting, "", "the meeting place answers", Warning, []Code{Ports}},
	{Relay, "relay", "the relay can be used", Warning, []Code{Ports}},
	{PeerKey, "", "the peer's key is that of our pair", Error, []Code{Ports, PeerAddress}},
	{PeerAnswers, "", "the peer's machine answers", Error, []Code{PeerKey}},
	{PeerClock, "", "the peer's clock agrees with ours", Warning, []Code{PeerAnswers}},
	{Buffer, "", "the kernel's receive buffer is large enough", Warning, []Code{Settings}},
	{Link, "link", "", Error, []Code{Ports, PeerAddress}},
	{Friend, "your friend", "", Warning, []Code{Link}},

	{Encoder, "encoder", "the encoder of our picture works", Warning, []Code{GStreamer}},
	{PictureOut, "our picture", "", Error, []Code{GStreamer}},
	{VoiceOut, "our voice", "", Error, []Code{GStreamer, SoundServer, Microphone}},
	{PictureIn, "peer's picture", "", Error, []Code{GStreamer}},
	{VoiceIn, "peer's voice", "", Error, []Code{GStreamer, SoundServer}},
	{Recording, "recording", "", Warning, nil},
}
