// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/cleanfeed/camera"
	"github.com/costream-obs/costream-obs/internal/companion"
	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/dock"
	"github.com/costream-obs/costream-obs/internal/hotkeys"
	"github.com/costream-obs/costream-obs/internal/priority"
	"github.com/costream-obs/costream-obs/internal/terminal"
	"github.com/costream-obs/costream-obs/obsctl"
)

func runCommand() *command {
	return &command{
		name:  "run",
		short: "co-stream with the peer whenever OBS streams",
		long: "Runs beside OBS until you press Ctrl-C or close its window. When OBS starts streaming, the peer gets your programme and microphone, and the peer's picture and voice come into OBS. When OBS stops streaming, everything in OBS is as it was before.\n\n" +
			"OBS and the peer may start, stop and restart at any time, before or after costream-obs. If OBS runs already and refuses the connection, for example because of a wrong password, costream-obs ends. If OBS refuses it later, costream-obs says so and keeps trying.\n\n" +
			"On a terminal, the last line shows what costream-obs status shows, renewed each second, with as much of it as fits; with --verbose also what a delay is made of. In a pipe or a log, a line with all of it comes every 30 seconds while on air. With --json, an object comes with each change, and each second while on air: see docs/status.md.\n\n" +
			"Once you are paired (see costream-obs pair), everything is encrypted, and --peer is usually not needed.\n\n" +
			sceneGlobs + "\n\n" +
			"--scenes, --private-scenes, --layouts and --mic take several names, separated by commas. Put a name in double quotes if it contains a comma or begins with a double quote, and double each double quote in it. In a list, also quote a name that begins or ends with a blank:\n\n" +
			"  --scenes 'Intro,\"Talk, part 2\",Say \"hi\"'",
		settings: []string{
			"peer", "peer-name", "name", "listen", "base-port", "link", "reach", "relay-file", "meet-nodes",
			"when", "route", "video-out", "video-in", "encoder", "bitrate", "min-bitrate",
			"scenes", "layout", "layouts", "name-plate", "clean-feed", "private-scenes", "source-name",
			"mic", "share", "mic-source", "peer-audio", "av-offset",
			"record-peer",
			"obs-host", "obs-port", "obs-password-file",
			"panel", "panel-listen", "json", "verbose",
		},
		bind: func(*pflag.FlagSet) action { return run },
	}
}

func run(ctx context.Context, c *invocation) error {
	// Reports that nobody reads any more are lost (reportPrinter); unless somebody takes the signal, they would end us, with
	// nothing undone in OBS. Broken connections raise it, too.
	unread := make(chan os.Signal, 1)
	signal.Notify(unread, syscall.SIGPIPE)
	defer signal.Stop(unread)
	pair, err := choosePair(c.config)
	if err != nil {
		return err
	}
	options, err := companionOptions(c.config)
	if err != nil {
		return err
	}
	printer := newReportPrinter(bare(c.stdout), c.config, pair != nil)
	stdout, stderr := newPatientWriter(bare(c.stdout)), newPatientWriter(c.stderr)
	defer func() { _, _ = stdout.Close(), stderr.Close() }()
	printer.out = stdout
	defer printer.end()
	var beside io.Writer = stderr
	if printer.live() && terminal.Same(bare(c.stdout), c.stderr) {
		beside = printer.beside()
	}
	log := logger(beside, c.config.Verbose)
	options.OnReport = printer.print
	if note := unusedRelay(c.config, pair); note != "" {
		fmt.Fprintf(beside, "costream-obs run: %s\n", note)
	}
	if pair == nil {
		options.OnReport = warnFirst(beside, printer.print)
	} else {
		peer, err := findPeer(c.config, pair, log)
		if err != nil {
			return err
		}
		options.Link, options.Reach = peer.Link, peer
	}
	options.PeerAsks = pair != nil
	chooser, err := newEncoders(c.config, log)
	if err != nil {
		return err
	}
	options.Encoders = chooser
	options.Log = log
	raise(log)
	options.WithoutOBS = func() {
		finishHotkeys(hotkeys.NewStore(options.StateDir), beside)
		finishCleanFeed(camera.NewStore(options.StateDir), beside)
		finishDock(dock.NewStore(options.StateDir), beside)
	}
	if c.config.Panel {
		if options.Panel, err = panelOptions(c, log); err != nil {
			return err
		}
	}
	companion, err := companion.New(options)
	if err != nil {
		return err
	}
	printer.begin()
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	var follower sync.WaitGroup
	follower.Add(1)
	go func() {
		defer follower.Done()
		printer.follow(following, companion.Status)
	}()
	defer follower.Wait()
	defer stop()
	return companion.Run(ctx)
}

// raise puts costream-obs before other programs where that is allowed: beside a game its threads would come too late for a
// voice. Those that encode and decode pictures are not.
func raise(log *slog.Logger) {
	if level, err := priority.Raise(); err != nil {
		log.Debug("costream-obs is not before other programs", "err", err)
	} else {
		log.Debug("costream-obs is before other programs", "nice level", level)
	}
}

const plainWarning = "costream-obs run: what you send is not encrypted, and anybody can send to you; for a secure link, see: costream-obs pair --help\n"

// warnFirst warns of the plain link once there is an OBS that it may send from.
func warnFirst(stderr io.Writer, print func(control.Report)) func(control.Report) {
	warned := false
	return func(r control.Report) {
		if !warned && (r.State == control.Ready || r.State == control.OnAir) {
			warned = true
			_, _ = io.WriteString(stderr, plainWarning)
		}
		print(r)
	}
}

// companionOptions says in the companion's terms what the settings say.
func companionOptions(c *config.Config) (companion.Options, error) {
	if c.NamePlate && c.PeerName == "" {
		return companion.Options{}, usagef("--name-plate needs --peer-name")
	}
	if len(c.Private) > 0 && !c.CleanFeed {
		return companion.Options{}, usagef("--private-scenes needs the clean feed: remove --no-clean-feed, or `clean-feed = false` from the configuration file")
	}
	if len(c.Share) > 0 && c.MicSource != "" {
		return companion.Options{}, usagef("--share needs the microphone to go through OBS: remove --mic-source, or `mic-source` from the configuration file")
	}
	socket, err := controlSocket()
	if err != nil {
		return companion.Options{}, err
	}
	state, err := stateDir()
	if err != nil {
		return companion.Options{}, err
	}
	records, err := recordingDir(c.RecordPeer)
	if err != nil {
		return companion.Options{}, err
	}
	return companion.Options{
		Peer:          c.Peer,
		PeerName:      c.PeerName,
		Listen:        c.Listen,
		BasePort:      c.BasePort,
		When:          companion.Trigger(c.When),
		Route:         control.Route(c.Route),
		PeerAudio:     companion.PeerAudio(c.PeerAudio),
		Scenes:        c.Scenes,
		Layouts:       sceneLayouts(c),
		NamePlate:     c.NamePlate,
		CleanFeed:     c.CleanFeed,
		PrivateScenes: c.Private,
		Name:          c.Name,
		SourceName:    c.SourceName,
		Mics:          c.Mics,
		MicSource:     c.MicSource,
		Share:         c.Share,
		AVOffset:      time.Duration(c.AVOffset) * time.Millisecond,
		RecordPeer:    records,
		VideoOut:      c.VideoOut,
		VideoIn:       c.VideoIn,
		BitrateKbps:   c.Bitrate,
		FindOBS:       func() (obsctl.Endpoint, error) { return findOBS(c) },
		ControlSocket: socket,
		StateDir:      state,
	}, nil
}
