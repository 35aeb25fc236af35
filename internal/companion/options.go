// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/media/link"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// Trigger says which activity of OBS puts us on air.
type Trigger string

// The triggers of --when.
const (
	WhenStreaming  Trigger = "streaming"
	WhenRecording  Trigger = "recording"
	WhenVirtualCam Trigger = "virtualcam"
	// WhenAlways is for rehearsals: on air as long as OBS runs.
	WhenAlways Trigger = "always"
)

// PeerAudio says how the peer's voice reaches the user's stream.
type PeerAudio string

// The ways of --peer-audio.
const (
	// PeerAudioAuto has Desktop Audio carry the peer while it captures the default sink, and an OBS input of ours otherwise.
	PeerAudioAuto PeerAudio = "auto"
	// PeerAudioDesktop plays to the default sink, which Desktop Audio captures.
	PeerAudioDesktop PeerAudio = "desktop"
	// PeerAudioSource is PeerAudioAuto, and says so where Desktop Audio captures the default sink.
	PeerAudioSource PeerAudio = "source"
)

// plainPorts is how many UDP ports the plain link has.
const plainPorts = 8

// Options are the plain values a Companion works with.
type Options struct {
	// Peer is the host name or address of the peer.
	Peer string
	// PeerName is shown on the placeholder; empty means Peer.
	PeerName string
	// Listen is the local address for the peer's packets; empty means all.
	Listen string
	// BasePort is the first of the eight UDP ports of the plain link, and the one of a Link.
	BasePort int

	// Link makes the link for one time on air; it is called once more before the first, to see that it can be
	// made. Nil makes the plain link to Peer, which otherwise may be empty.
	Link func(link.Handler) (link.Link, error)
	// PeerAsks says that the peer asks for the key frames that it needs, so that no others are sent.
	PeerAsks bool

	When      Trigger
	Route     control.Route
	PeerAudio PeerAudio

	// Scenes are globs of scene names that get the peer source; empty means the
	// programme scene, or the scenes that have it already.
	Scenes  []string
	Layouts scenes.Layouts
	// NamePlate writes PeerName over the peer's picture.
	NamePlate bool
	// CleanFeed sends the peer the programme without the peer.
	CleanFeed bool
	// PrivateScenes are globs of scenes that the peer does not see; they need CleanFeed. Name is who is on a break then.
	PrivateScenes []string
	Name          string
	// SourceName is the name of the OBS input that shows the peer.
	SourceName string

	// Mics are the names of the OBS inputs that go to the peer; empty means OBS's special microphone inputs.
	Mics []string
	// MicSource is a PulseAudio source that is sent instead of OBS's microphones.
	MicSource string

	// AVOffset is by how much later the peer's voice comes than by all that is known it should.
	AVOffset time.Duration

	// VideoOut is the node that OBS's virtual camera writes (devices route).
	VideoOut string
	// VideoIn is the node that OBS reads the peer's picture from (devices route).
	VideoIn string
	// BitrateKbps is the picture's bit rate in kbit/s.
	BitrateKbps int

	// FindOBS says where OBS listens; it is called before each connection.
	FindOBS func() (obsctl.Endpoint, error)
	// ControlSocket is the path of the socket for `graph`.
	ControlSocket string
	// StateDir keeps what outlives the process; it is made if absent.
	StateDir string

	// WithoutOBS, when set, is called each time that OBS was looked for in vain, first when it ends: for what can be done
	// to its files only then.
	WithoutOBS func()
	// OnReport is called from one goroutine with each change of state.
	OnReport func(control.Report)
	Log      *slog.Logger
}

// ErrNoPeer says that no peer is configured.
var ErrNoPeer = errors.New("no peer is configured: give --peer ADDRESS, or `peer = \"ADDRESS\"` in the configuration file")

func (o *Options) check() error {
	if o.Peer == "" && o.Link == nil {
		return ErrNoPeer
	}
	if o.FindOBS == nil {
		return errors.New("companion: FindOBS is missing")
	}
	if len(o.PrivateScenes) > 0 && !o.CleanFeed {
		return errors.New("companion: PrivateScenes needs CleanFeed")
	}
	if o.PeerName == "" {
		o.PeerName = o.Peer
	}
	if o.PeerName == "" {
		o.PeerName = "your friend"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.OnReport == nil {
		o.OnReport = func(control.Report) {}
	}
	if o.WithoutOBS == nil {
		o.WithoutOBS = func() {}
	}
	if o.Link == nil && (o.BasePort < 1 || o.BasePort > 65536-plainPorts) {
		return fmt.Errorf("base port %d is out of range: %d ports from it must lie in 1-65535", o.BasePort, plainPorts)
	}
	return nil
}
