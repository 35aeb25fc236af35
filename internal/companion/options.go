// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/reach"
	"github.com/costream-obs/costream-obs/internal/record"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// Trigger is the activity of OBS that puts us on air.
type Trigger string

// The triggers of --when.
const (
	WhenStreaming  Trigger = "streaming"
	WhenRecording  Trigger = "recording"
	WhenVirtualCam Trigger = "virtualcam"
	// WhenAlways is for rehearsals: on air whenever OBS runs.
	WhenAlways Trigger = "always"
	// WhenManual is on air from the user's order to go on air until the order to go off air.
	WhenManual Trigger = "manual"
)

// PeerAudio is how the peer's voice gets into the user's stream.
type PeerAudio string

// The ways of --peer-audio.
const (
	// PeerAudioAuto uses Desktop Audio while it captures the default sink, and otherwise an OBS input of ours.
	PeerAudioAuto PeerAudio = "auto"
	// PeerAudioDesktop plays to the default sink, for Desktop Audio to capture.
	PeerAudioDesktop PeerAudio = "desktop"
	// PeerAudioSource is PeerAudioAuto with a warning if Desktop Audio captures the default sink.
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

	// Link makes the link for one time on air. It is also called once at the start, to find out whether that works. Nil
	// means the plain link to Peer; with a Link, Peer may be empty.
	Link func(link.Handler) (link.Link, error)
	// Reach looks for the peer of Link; nil where nothing does.
	Reach Reach
	// PeerAsks says that the peer asks for the key frames that it needs; no others are sent.
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
	// Share are names or globs of more OBS inputs that go to the peer, in stereo. They need microphones of OBS: no MicSource.
	Share []string
	// MicSource is a PulseAudio source that is sent instead of OBS's microphones.
	MicSource string

	// AVOffset is an extra delay of the peer's voice, on top of automatic A/V sync.
	AVOffset time.Duration

	// RecordPeer is the directory for recordings of the peer; empty means none.
	RecordPeer string

	// VideoOut is the node that OBS's virtual camera writes (devices route).
	VideoOut string
	// VideoIn is the node that OBS reads the peer's picture from (devices route).
	VideoIn string
	// BitrateKbps is the maximum video bitrate.
	BitrateKbps int

	// Encoders choose the encoder of our picture; nil means one in software.
	Encoders Encoders

	// FindOBS says where OBS listens; it is called before each connection.
	FindOBS func() (obsctl.Endpoint, error)
	// ControlSocket is the path of the control socket.
	ControlSocket string
	// StateDir is the directory for files that outlive the process; it is made if absent.
	StateDir string

	// Panel has the page served on which the user sees and steers the co-stream; nil for none.
	Panel *PanelOptions

	// WithoutOBS, when set, is called each time that we find no OBS, first right after OBS has ended. It may edit OBS's
	// files.
	WithoutOBS func()
	// OnReport is called from one goroutine with each change of state.
	OnReport func(control.Report)
	Log      *slog.Logger
}

// Encoders choose the encoder of our picture, as an *encoders.Chooser does.
type Encoders interface {
	call.Encoders
	// Prepare finds out which encoder is best for pictures of a format, and returns at once.
	Prepare(context.Context, media.VideoFormat)
}

// Reach looks for the peer, as a *reach.Manager does.
type Reach interface {
	// Run works until ctx ends.
	Run(ctx context.Context)
	// State is what is known of the way to the peer, and Changed passes a message on after it has changed.
	State() reach.State
	Changed() <-chan struct{}
	// Survey finds out what is not known yet, while a link runs.
	Survey(ctx context.Context) reach.State
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
	if len(o.Share) > 0 && o.MicSource != "" {
		return errors.New("companion: Share needs the microphones of OBS")
	}
	if o.RecordPeer != "" {
		if err := record.Prepare(o.RecordPeer); err != nil {
			return fmt.Errorf("--record-peer: %w. Give a directory that you may write into: --record-peer DIR", err)
		}
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
