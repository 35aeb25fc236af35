// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"log/slog"
	"os/user"
	"path/filepath"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/encoders"
	"github.com/costream-obs/costream-obs/internal/priority"
	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/internal/reach"
	"github.com/costream-obs/costream-obs/internal/v4l2"
	"github.com/costream-obs/costream-obs/internal/xdg"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
	"github.com/costream-obs/costream-obs/obsctl"
)

// Options are the settings for the checks. They are the same as those of `costream-obs run`.
type Options struct {
	// SettingsError is why the settings could not be read; the other fields are meaningless then.
	SettingsError error
	SettingsFile  string

	// Peer is the peer's host in the settings, and PairHosts are those of the pair.
	Peer      string
	PairHosts []string
	Listen    string
	BasePort  int
	// Secure makes the link of a machine that is paired; nil means the plain one.
	Secure func(link.Handler) (link.Link, error)
	// Reach looks for the peer of Secure; nil where nothing does. Auto: it may ask others than the peer.
	Reach             Reach
	Auto              bool
	Route             control.Route
	VideoOut, VideoIn string
	CleanFeed         bool
	SourceName        string
	Mics              []string
	MicSource         string
	// Encoders try the encoders of our picture; nil leaves that out.
	Encoders *encoders.Chooser

	FindOBS func() (obsctl.Endpoint, error)
	// RemoteOBS: OBS runs on another machine, so its files and processes cannot be found here.
	RemoteOBS     bool
	ControlSocket string
	StateDir      string       // where costream-obs keeps its files
	Log           *slog.Logger // nil discards
}

// Machine is what the checks look at. Its functions ask only once and give everyone the same answer; none changes anything.
type Machine struct {
	Options
	// Root stands for "/" with its dev, etc, lib, proc, sys and usr.
	Root   string
	Home   string
	User   string // the name; empty where it is not known
	Kernel string // the running one, as uname -r prints it

	// Elements returns a *media.MissingElementError where GStreamer lacks something.
	Elements func(context.Context) error
	// GStreamer returns its version.
	GStreamer func() string
	// Encoders returns what is known of the encoders at a format, the best first.
	Encoders func(context.Context, media.VideoFormat) ([]encoders.Result, error)
	Nodes    func(context.Context) ([]v4l2.Node, error)
	Controls func(path string) (v4l2.Controls, error)
	// Exec runs a program and returns what it printed.
	Exec   func(ctx context.Context, name string, args ...string) (string, error)
	Daemon func(context.Context) (Daemon, error)

	Endpoint  func(context.Context) (obsctl.Endpoint, error)
	Processes func(context.Context) ([]obsctl.Process, error)
	OBS       func(context.Context) (OBS, error)
	Change    OBSChanger
	Hotkeys   func(context.Context) (Hotkeys, error)
	Sound     func(context.Context) (Sound, error)
	// Peak is the loudest sample of a source within half a second, 0 to 1.
	Peak func(ctx context.Context, source string) (float64, error)
	// Follow returns, by microphone, what OBS's meters show and what OBS plays within half a second.
	Follow func(ctx context.Context, streams map[string]pulse.SinkInput) (map[string]Heard, error)

	// Urgent tells why this user's programs may not have real-time priority, and a nice level below 0; nil where they may.
	Urgent func() (realTime, nice error)

	Resolve func(ctx context.Context, host string) ([]string, error)
	// RouteTo returns from which of our addresses packets to an address leave.
	RouteTo func(ctx context.Context, addr string) (local string, err error)
	Bind    func(ctx context.Context) error
	// Probe measures the path to the peer of a secure link.
	Probe func(ctx context.Context) (link.ProbeReport, error)
	// Reached is what is known of that way after the probe.
	Reached func(ctx context.Context) (reach.State, error)

	// Later is the same machine a moment later, or nil if it should not be looked at again.
	Later func(ctx context.Context) *Machine
}

// askLimit is the timeout for each part of the machine.
const askLimit = 4 * time.Second

// New returns the machine that the program runs on, as it is from now on.
func New(o Options) *Machine {
	m := &Machine{Options: o, Kernel: kernelRelease()}
	m.Home, _ = xdg.Home()
	if u, err := user.Current(); err == nil {
		m.User = u.Username
	}
	m.Elements = func(context.Context) error { return missingElements() }
	m.GStreamer = media.GStreamerVersion
	m.Encoders = m.tryEncoders
	m.Nodes = once(func(context.Context) ([]v4l2.Node, error) { return v4l2.System{}.Nodes() })
	m.Controls = v4l2.System{}.Controls
	m.Exec = runProgram
	m.Daemon = once(func(ctx context.Context) (Daemon, error) { return askDaemon(ctx, o.ControlSocket) })
	m.Endpoint = once(func(context.Context) (obsctl.Endpoint, error) { return o.FindOBS() })
	m.Processes = once(func(context.Context) ([]obsctl.Process, error) { return obsctl.FindProcesses(""), nil })
	m.OBS = once(m.lookAtOBS)
	m.Change = m.changeOBS
	m.Hotkeys = once(func(context.Context) (Hotkeys, error) { return lookAtHotkeys(o.StateDir) })
	m.Sound = once(func(ctx context.Context) (Sound, error) { return lookAtSound(ctx, pulse.Client{}) })
	m.Peak = func(ctx context.Context, source string) (float64, error) {
		return recordPeak(ctx, pulse.OfSource(source))
	}
	m.Follow = m.follow
	m.Urgent = priority.Try
	m.Resolve = resolveHost
	m.RouteTo = m.routeTo
	m.Bind = func(context.Context) error {
		if o.Secure != nil {
			return bind(o.Secure(link.Handler{}))
		}
		return bindPorts(o.Listen, o.BasePort)
	}
	look := onceWithin(probeLimit, m.lookForPeer)
	m.Probe = func(ctx context.Context) (link.ProbeReport, error) {
		found, err := look(ctx)
		return found.probe, err
	}
	m.Reached = func(ctx context.Context) (reach.State, error) {
		found, err := look(ctx)
		return found.state, err
	}
	m.Later = m.later
	return m
}

// once asks only once, for the first caller.
func once[T any](ask func(context.Context) (T, error)) func(context.Context) (T, error) {
	return onceWithin(askLimit, ask)
}

func onceWithin[T any](limit time.Duration, ask func(context.Context) (T, error)) func(context.Context) (T, error) {
	var do sync.Once
	var value T
	var err error
	return func(ctx context.Context) (T, error) {
		do.Do(func() {
			ctx, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			value, err = ask(ctx)
		})
		return value, err
	}
}

// path is a file below Root.
func (m *Machine) path(parts ...string) string {
	return filepath.Join(append([]string{"/", m.Root}, parts...)...)
}

// onAir reports whether a costream-obs of this user sends to the peer now.
func (m *Machine) onAir(ctx context.Context) bool {
	d, err := m.Daemon(ctx)
	return err == nil && (d.Report.State == control.OnAir || d.Report.State == control.OnAirWithPeer)
}
