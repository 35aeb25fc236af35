// SPDX-License-Identifier: Apache-2.0

package architecture

// The packages of this module are written without its path. "x/..." is x and everything below it. Lists are separated by
// white space.

// A floor has packages that do not import each other. They import packages of lower floors only.
type floor struct {
	name string
	// packages on the floor. "x/..." counts as one package: what is inside may import each other.
	packages string
}

// floors, the highest first. Each package is on exactly one.
var floors = []floor{
	{"programs: flags, wiring, printing", "cmd/costream-obs e2e/..."},
	{"what doctor looks at", "internal/doctor/checks"},
	{"the session with OBS", "internal/companion"},
	{"what is left in closed scene collections; the page to see and steer", "internal/leftovers internal/panel"},
	{"two abilities tied together", "internal/cleanfeed/camera internal/control internal/hotkeys internal/obsscenes"},
	{"one task each", `internal/call internal/cleanfeed internal/collection internal/config internal/encoders internal/layouts internal/pairing
		internal/pathcheck internal/placement internal/reach/...`},
	{"abilities: one program or protocol each", "internal/record/... media media/link/... obsctl scenes setup"},
	{"the machine, and engines", "internal/doctor internal/pulse internal/supervisor internal/v4l2/..."},
	{"tools: they know nothing of co-streaming", `internal/atomicfile internal/lipsync internal/lockfile internal/mean
		internal/nearest internal/priority internal/problem internal/standstill internal/terminal media/internal/pipe
		internal/xdg internal/architecture internal/fakeobs internal/golden internal/relay internal/testbed
		internal/testbed/fakeencoder`},
}

// A limit lists all packages of this module that some packages may import.
type limit struct{ packages, imports, why string }

var limits = []limit{
	{"internal/atomicfile internal/problem internal/terminal internal/xdg", "",
		"it is a leaf: every package may use it, so it must depend on none"},
	{"internal/supervisor", "internal/problem",
		"it names what fails by a problem's code and must not know what its parts do"},
	{"internal/v4l2", "",
		"it knows video devices and nothing else; setup, media and doctor all use it"},
	{"internal/pulse", "internal/standstill",
		"it knows the sound server and nothing else; which sinks we need is decided by its users"},
	{"internal/reach/portmap", "",
		"it asks the router to open a port and does not know who uses the port"},
	{"obsctl", "internal/standstill internal/xdg",
		"it knows OBS and nothing else; its callers pass functions for what it must ask of the sound server or of devices"},
	{"scenes", "",
		"it states the requests that it needs as an interface, so that it works on a connected OBS, on a file and in another program"},
	{"setup", "internal/v4l2",
		"it plans what root must do on a machine, with or without OBS, sound and peer"},
	{"internal/reach/relay", "",
		"it keeps an address at a TURN server and knows neither the link nor the peer"},
	{"media", "internal/mean internal/priority internal/v4l2 media/internal/pipe",
		"pictures and sound leave it and reach it as RTP packets, so it needs neither the link nor OBS"},

	{"internal/record", "internal/record/matroska",
		"it is handed packets and writes files, so that it needs neither the link nor GStreamer"},
	{"internal/record/matroska", "",
		"it knows a file format and nothing of who writes it"},

	{"internal/reach/dht", "internal/reach/dht/bencode",
		"it asks nodes for items and knows nothing of what they contain"},
	{"internal/reach/meet", "internal/reach/dht",
		"it is handed secrets and addresses, so that it needs neither the pairing nor the link"},

	{"media/link", `media/link/bwe media/link/dtlssrtp media/link/ice media/link/internal/wait media/link/repair
		media/link/rtpsession media/link/tally media/link/udp`,
		"it ties its parts together and is plain Go, so that the race detector and a simulated network see all of it (docs/link.md)"},
	{"media/link/rtpsession", "media/link/internal/wait media/link/jitter media/link/repair",
		"an RTP session knows no sockets, encryption or bit rates (docs/link.md)"},
	{"media/link/repair", "media/link/internal/wait media/link/jitter",
		"packet loss recovery knows the order of packets and nothing above it (docs/link.md)"},
	{"media/link/bwe media/link/ice", "media/link/internal/wait",
		"the bandwidth estimate and the connectivity checks see sizes, times and addresses, and need no other part (docs/link.md)"},
	{"media/link/dtlssrtp media/link/jitter media/link/tally media/link/udp media/link/internal/wait media/link/internal/linktest", "",
		"it is one of the lowest parts of the link (docs/link.md)"},
}

// A ban lists packages that some packages must not reach, directly or through others.
type ban struct{ packages, never, why string }

const (
	needsOBS = `obsctl setup internal/cleanfeed/... internal/collection internal/companion internal/hotkeys
		internal/leftovers internal/obsscenes`
	knowsOBS = "scenes " + needsOBS
)

var bans = []ban{
	{"internal/call", knowsOBS,
		"a call knows no OBS: `send`, `receive` and the benchmarks use it without one, and several may run beside each other"},
	{"internal/control", needsOBS,
		"whoever asks a running costream-obs needs no OBS for it; what is asked about scenes is said in the words of scenes"},
	{"internal/panel", needsOBS,
		"the page passes orders on; which OBS is meant, and how pictures are taken of it, is the session's matter"},
	{"internal/doctor", knowsOBS + " media/... internal/pulse internal/v4l2/...",
		"the engine runs any checks; what they know of OBS, sound and devices belongs into internal/doctor/checks"},
	{"obsctl media/... scenes setup internal/pulse internal/v4l2/...", "internal/companion cmd/... internal/control internal/call",
		"an ability is used by what ties abilities together and never asks for it"},
	{"internal/reach/...", knowsOBS + " media media/internal/... internal/pulse",
		"finding the peer knows neither OBS nor pictures nor sound: the benchmarks and tests use it without them"},
	{"internal/reach/portmap internal/reach/relay internal/reach/dht/... internal/reach/meet", "media/link/... internal/pairing",
		"whom to ask is one package's matter each; what ties it to a link and a pair is internal/reach"},
	{"media/link/...", "media media/internal/... internal/reach/...",
		"the link moves packets and knows nothing of GStreamer"},
	{"cmd/costream-obs", "internal/fakeobs internal/golden internal/relay internal/testbed internal/testbed/fakeencoder e2e/... internal/reach/dht/dhttest internal/v4l2/v4l2test media/link/internal/linktest",
		"tools of tests do not belong into the program; some of them would add flags to it"},
}

// An owner lists the only packages that may import something directly.
type owner struct{ what, importers, why string }

var owners = []owner{
	{"github.com/go-gst/...", "media/internal/pipe",
		"go-gst leaks and blocks unless each call is made with care, so one package makes them all"},
	{"github.com/andreykaipov/goobs/...", "obsctl",
		"goobs has no deadlines and is unusable after a late answer, so obsctl hides it"},
	{"github.com/huin/goupnp/...", "internal/reach/portmap",
		"how the router opens a port is one package's matter; of goupnp it uses SOAP alone, since its search waits two seconds and has no bounds"},
	{"github.com/pion/...", "media/link/... internal/reach/relay",
		"how packets travel is the link's matter, and the relay's; their users see packets as bytes"},
	{"media/link/bwe media/link/dtlssrtp media/link/ice media/link/jitter media/link/repair media/link/rtpsession media/link/tally media/link/udp",
		"media/link/...",
		"what users of the link need, media/link has under its own name, so that its parts can change"},
	{"internal/config", "cmd/costream-obs",
		"packages take option structs, never the configuration, so that they work without it"},
	{"internal/companion", "cmd/costream-obs internal/doctor/checks",
		"the session uses others; only programs start it, and doctor looks for what it makes"},
}
