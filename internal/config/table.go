// SPDX-License-Identifier: Apache-2.0

package config

import "strings"

// A Setting is one row of the table.
type Setting struct {
	// Key is the name in the configuration file and, with two dashes, on the command line.
	Key string
	// Group is the heading that the setting stands under.
	Group string
	// Arg names the value in help texts; it is empty for a switch.
	Arg string
	// Default is the default as a person would type it, or empty.
	Default string
	// Otherwise says in words what holds where there is no Default.
	Otherwise string
	// Help is a phrase without a full stop.
	Help string
	// Secret settings have no flag, because every process on the machine can read a command line.
	Secret bool
	// Aliases are older spellings of the flag.
	Aliases []string

	bind func(*Config) value
}

// Env is the environment variable of the setting.
func (s Setting) Env() string {
	return "COSTREAM_" + strings.ToUpper(strings.ReplaceAll(s.Key, "-", "_"))
}

// OnByDefault reports whether the setting is a switch that is on unless it is turned off, by --no-KEY on the command line.
func (s Setting) OnByDefault() bool {
	_, is := s.bind(new(Config)).(*toggle)
	return is && s.Default == "true"
}

// Choices are the words that the setting takes, or nil where it is free.
func (s Setting) Choices() []string {
	if c, ok := s.bind(new(Config)).(*choice); ok {
		return c.words
	}
	return nil
}

// Example is a line of the configuration file that sets the setting.
func (s Setting) Example() string {
	return s.Key + " = " + s.bind(new(Config)).example(s)
}

// The headings of the table, in their order.
const (
	GroupPeer      = "Peer"
	GroupPicture   = "Picture"
	GroupScenes    = "Scenes"
	GroupSound     = "Sound"
	GroupRecording = "Recording"
	GroupOBS       = "OBS"
	GroupOutput    = "Output"
)

// Table returns all settings, grouped, in the order in which they are shown.
func Table() []Setting {
	return []Setting{
		{
			Key: "peer", Group: GroupPeer, Arg: "ADDR",
			Help: "host name or IP address of the peer's machine; not needed if the invite contains it",
			bind: func(c *Config) value { return &text{p: &c.Peer, check: CheckHost} },
		},
		{
			Key: "peer-name", Group: GroupPeer, Arg: "NAME",
			Help: "what to call the peer in pictures and messages", Otherwise: "the address",
			bind: func(c *Config) value { return &text{p: &c.PeerName} },
		},
		{
			Key: "name", Group: GroupPeer, Arg: "NAME",
			Help: "what to call you in pictures that the peer gets", Otherwise: "your friend",
			bind: func(c *Config) value { return &text{p: &c.Name} },
		},
		{
			Key: "listen", Group: GroupPeer, Arg: "ADDR",
			Help: "local address to receive on", Otherwise: "all addresses",
			bind: func(c *Config) value { return &text{p: &c.Listen, check: CheckHost} },
		},
		{
			Key: "base-port", Group: GroupPeer, Arg: "PORT", Default: "5000",
			Help: "UDP port of the secure link, or the first of the eight UDP ports of the plain link; use the same at both ends",
			bind: func(c *Config) value { return &number{p: &c.BasePort, min: 1, max: 65535 - 7} },
		},
		{
			Key: "link", Group: GroupPeer, Arg: "LINK", Default: "auto",
			Help: "how packets travel: secure (encrypted, needs a paired peer), plain (RTP as in 2020, not encrypted) or auto (secure once paired, else plain)",
			bind: func(c *Config) value { return &choice{p: &c.Link, words: []string{"auto", "secure", "plain"}} },
		},
		{
			Key: "reach", Group: GroupPeer, Arg: "REACH", Otherwise: "what both of you answered when you paired, else direct",
			Help: "how the peer is found on the secure link: direct (nothing is sent to anybody but the peer) or auto (also asks your router for a port, and meets the peer through BitTorrent's DHT)",
			bind: func(c *Config) value { return &choice{p: &c.Reach, words: []string{"direct", "auto"}} },
		},
		{
			Key: "relay", Group: GroupPeer, Arg: "URL",
			Help: "TURN server for when nothing else gets through, as turn:USER:PASSWORD@HOST:PORT; needs reach auto", Secret: true,
			bind: func(c *Config) value { return &secret{p: &c.Relay} },
		},
		{
			Key: "relay-file", Group: GroupPeer, Arg: "FILE",
			Help: "file whose first line is the relay",
			bind: func(c *Config) value { return &text{p: &c.RelayFile} },
		},
		{
			Key: "meet-nodes", Group: GroupPeer, Arg: "HOST:PORT,...",
			Help:      "nodes of BitTorrent's DHT to ask first; may be repeated",
			Otherwise: "well-known public ones",
			bind:      func(c *Config) value { return &list{p: &c.MeetNodes, check: checkHostPort} },
		},

		{
			Key: "when", Group: GroupPicture, Arg: "WHEN", Default: "streaming",
			Help: "when to go on air: streaming (while OBS streams), recording (while it records), virtualcam (while its virtual camera is on), always (while it runs) or manual (from costream-obs peer start to peer stop, or until you close OBS)",
			bind: func(c *Config) value {
				return &choice{p: &c.When, words: []string{"streaming", "recording", "virtualcam", "always", "manual"}}
			},
		},
		{
			Key: "route", Group: GroupPicture, Arg: "ROUTE", Default: "auto",
			Help: "how pictures get out of OBS and into it: devices (v4l2loopback), portable (OBS alone) or auto (devices if both can be used, else portable)",
			bind: func(c *Config) value {
				return &choice{p: &c.Route, words: []string{"auto", "devices", "portable"}}
			},
		},
		{
			Key: "video-out", Group: GroupPicture, Arg: "DEVICE", Default: "/dev/video10",
			Help:    "video device that OBS writes to and costream-obs sends to the peer",
			Aliases: []string{"v4l2src_device"},
			bind:    func(c *Config) value { return &text{p: &c.VideoOut, check: checkDevice} },
		},
		{
			Key: "video-in", Group: GroupPicture, Arg: "DEVICE", Default: "/dev/video11",
			Help:    "video device that costream-obs writes the peer's picture to and OBS reads",
			Aliases: []string{"v4l2sink_device"},
			bind:    func(c *Config) value { return &text{p: &c.VideoIn, check: checkDevice} },
		},
		{
			Key: "video-format", Group: GroupPicture, Arg: "WxH@FPS", Otherwise: "the device's format, else 1920x1080@30",
			Help: "size and frame rate of the pictures, such as 1280x720@60 or 1920x1080@30000/1001",
			bind: func(c *Config) value { return &format{p: &c.VideoFormat} },
		},
		{
			Key: "encoder", Group: GroupPicture, Arg: "NAME", Default: "auto",
			Help: "H.264 encoder of your picture: auto (the best that passes a trial on this machine) or a GStreamer element, such as vah264enc, nvh264enc or x264enc",
			bind: func(c *Config) value { return &text{p: &c.Encoder, check: checkFilled} },
		},
		{
			Key: "bitrate", Group: GroupPicture, Arg: "KBIT/S",
			Help:      "maximum video bitrate; the secure link adapts it to the network",
			Otherwise: "6000 on the secure link, 3000 on the plain link",
			bind:      func(c *Config) value { return &number{p: &c.Bitrate, min: 100, max: 100_000, sample: secureBitrate} },
		},
		{
			Key: "min-bitrate", Group: GroupPicture, Arg: "KBIT/S", Default: "300",
			Help: "minimum video bitrate on the secure link, even if the network carries less",
			bind: func(c *Config) value { return &number{p: &c.MinBitrate, min: 100, max: 100_000} },
		},

		{
			Key: "scenes", Group: GroupScenes, Arg: "GLOB,...",
			Help:      "scenes that get the peer's picture; may be repeated",
			Otherwise: "the scenes that already have it, else the programme scene",
			bind:      func(c *Config) value { return &list{p: &c.Scenes, check: checkFilled} },
		},
		{
			Key: "layout", Group: GroupScenes, Arg: "LAYOUT", Default: "pip",
			Help: "where the peer's picture goes: pip (in a corner), side-by-side (half of the canvas), full or grid (one of two cells); optionally followed by a corner (top-left), a size (30% or 480x270), margin with a distance (20 or 2%) and crop, such as 'pip top-left 25% margin 20'",
			bind: func(c *Config) value { return &layout{p: &c.Layout} },
		},
		{
			Key: "layouts", Group: GroupScenes, Arg: "GLOB=LAYOUT",
			Help:      "layout for the scenes that match GLOB; may be repeated; an exact scene name comes before patterns, then the first match counts",
			Otherwise: "the layout of --layout",
			bind:      func(c *Config) value { return &rules{p: &c.Layouts} },
		},
		{
			Key: "clean-feed", Group: GroupScenes, Default: "true",
			Help: "send the peer your programme without the peer's own picture, so that both of you can show each other",
			bind: func(c *Config) value { return &toggle{p: &c.CleanFeed} },
		},
		{
			Key: "private-scenes", Group: GroupScenes, Arg: "GLOB,...",
			Help: "scenes that the peer neither sees nor hears: while you show one of them the peer gets a card, 'NAME is on a break', and silence; may be repeated; needs the clean feed",
			bind: func(c *Config) value { return &list{p: &c.Private, check: checkFilled} },
		},
		{
			Key: "name-plate", Group: GroupScenes,
			Help: "write the peer's name (--peer-name) over the peer's picture",
			bind: func(c *Config) value { return &toggle{p: &c.NamePlate} },
		},
		{
			Key: "source-name", Group: GroupScenes, Arg: "NAME", Default: "Peer",
			Help: "name of the OBS source that shows the peer",
			bind: func(c *Config) value { return &text{p: &c.SourceName, check: checkFilled} },
		},

		{
			Key: "mic", Group: GroupSound, Arg: "NAME,...",
			Help:      "OBS audio inputs that the peer hears; may be repeated",
			Otherwise: "the microphones in OBS's audio settings",
			bind:      func(c *Config) value { return &list{p: &c.Mics, check: checkFilled} },
		},
		{
			Key: "mic-source", Group: GroupSound, Arg: "SOURCE",
			Help:    "send this PulseAudio source directly to the peer, without OBS and its filters (list the sources with: pactl list short sources)",
			Aliases: []string{"pulsesrc_device"},
			bind:    func(c *Config) value { return &text{p: &c.MicSource} },
		},
		{
			Key: "share", Group: GroupSound, Arg: "NAME,...",
			Help: "more OBS audio inputs that the peer hears, in stereo: a game, music, a browser; names or globs; may be repeated",
			bind: func(c *Config) value { return &list{p: &c.Share, check: checkFilled} },
		},
		{
			Key: "peer-audio", Group: GroupSound, Arg: "WAY", Default: "auto",
			Help: "how the peer's voice gets into the stream: desktop (through OBS's Desktop Audio), source (through an OBS input of its own) or auto",
			bind: func(c *Config) value {
				return &choice{p: &c.PeerAudio, words: []string{"auto", "desktop", "source"}}
			},
		},
		{
			Key: "av-offset", Group: GroupSound, Arg: "MS", Default: "0",
			Help: "extra delay of the peer's audio, in ms, on top of automatic A/V sync; below 0 it comes earlier",
			bind: func(c *Config) value { return &number{p: &c.AVOffset, min: -400, max: 400} },
		},

		{
			Key: "record-peer", Group: GroupRecording, Arg: "DIR",
			Help: "record the peer's picture and voice in this directory, a Matroska file for each time on air; ask the peer first",
			bind: func(c *Config) value { return &text{p: &c.RecordPeer, check: checkFilled} },
		},

		{
			Key: "obs-host", Group: GroupOBS, Arg: "ADDR", Otherwise: "this machine",
			Help: "where OBS runs",
			bind: func(c *Config) value { return &text{p: &c.OBSHost, check: CheckHost} },
		},
		{
			Key: "obs-port", Group: GroupOBS, Arg: "PORT", Otherwise: "from OBS's own files",
			Help: "port of OBS's WebSocket server",
			bind: func(c *Config) value { return &number{p: &c.OBSPort, min: 1, max: 65535, sample: 4455} },
		},
		{
			Key: "obs-password", Group: GroupOBS, Arg: "PASSWORD", Otherwise: "from OBS's own files",
			Help: "password of OBS's WebSocket server", Secret: true,
			bind: func(c *Config) value { return &secret{p: &c.OBSPassword} },
		},
		{
			Key: "obs-password-file", Group: GroupOBS, Arg: "FILE",
			Help: "file whose first line is the password of OBS's WebSocket server", Otherwise: "from OBS's own files",
			bind: func(c *Config) value { return &text{p: &c.OBSPasswordFile} },
		},

		{
			Key: "panel", Group: GroupOutput, Default: "true",
			Help: "serve the page on which you see and steer the co-stream, on this machine alone (costream-obs panel)",
			bind: func(c *Config) value { return &toggle{p: &c.Panel} },
		},
		{
			Key: "panel-listen", Group: GroupOutput, Arg: "ADDR", Otherwise: "this machine alone",
			Help: "also serve that page on this IP address of the machine, for a phone; the page is not encrypted, so do this only in a network that you trust, such as your home's",
			bind: func(c *Config) value { return &text{p: &c.PanelListen, check: CheckHost} },
		},
		{
			Key: "json", Group: GroupOutput,
			Help: "print JSON, one object per line",
			bind: func(c *Config) value { return &toggle{p: &c.JSON} },
		},
		{
			Key: "verbose", Group: GroupOutput,
			Help: "log what happens, and why, to standard error",
			bind: func(c *Config) value { return &toggle{p: &c.Verbose} },
		},
	}
}
