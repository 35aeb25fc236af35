// SPDX-License-Identifier: Apache-2.0

// Package companion is the state machine that ties OBS, the media, the sound nodes and the scenes
// together: what `costream-obs run` is made of.
//
// Parts that live as long as the daemon (sound nodes, the screen that OBS reads the peer from, the
// control socket) are kept running from the start. While OBS is connected one goroutine, the
// session, owns all that is known of it: it gathers what is, from events and from periodic
// questions (observed), hands it to the controllers in a written order (goOn, goOff, leave), and
// collects problems (steps). Each controller sees to one concern, such as the microphone or the peer
// source: it works out what should be, applies the difference, and undoes it. It keeps what belongs to
// it, and states the few requests that it makes. A route is a type as well: devices and portable. Each
// effect is idempotent and has a deadline; what fails is tried again with a back-off; what was changed
// in OBS is written down in OBS before it is changed (ledger), so that it can be undone after a crash of
// either side. While on air a call runs (onAirCall), which knows nothing of OBS.
//
// The package holds no OBS, media or sound code of its own and prints nothing.
package companion

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/leftovers"
	"github.com/costream-obs/costream-obs/internal/panel"
	"github.com/costream-obs/costream-obs/internal/pathcheck"
	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/internal/standstill"
	"github.com/costream-obs/costream-obs/internal/supervisor"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// lookUpWithin limits the look-up of the peer's name at the start.
const lookUpWithin = 5 * time.Second

// Companion is one running costream-obs.
type Companion struct {
	o   Options
	log *slog.Logger

	life    context.Context // ends after everything in OBS was undone
	parts   *supervisor.Supervisor
	sound   *sound
	display *display
	standby *standby
	routes  routes
	reports *reporter
	wake    chan struct{}

	feed    *cleanfeed.Feed // used by the session, and while on air
	shutter shutter         // of the portable route
	breaks  breaks
	orders  orders
	panel   *panel.Server // nil without one
	glance  glance        // of the panel, at the peer
	recall  recall
	obs     atomic.Pointer[obsctl.Client] // of the session; nil while there is none
	tried   bool                          // we tried to connect to OBS; for the keeper's goroutine
	stood   atomic.Bool                   // the process stood still, and the session has not reacted yet
	peer    atomic.Bool
	area    atomic.Pointer[image.Rectangle] // the part of the screen with the peer's picture
	program atomic.Pointer[string]
	call    atomic.Pointer[onAirCall]
	lagged  lagged
	tally   tally
	records records
}

// New checks the options. The error is in the user's words.
func New(o Options) (*Companion, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	c := &Companion{o: o, log: o.Log, wake: make(chan struct{}, 1), reports: &reporter{out: o.OnReport}}
	c.orders.changed = c.wakeUp
	if o.Panel != nil {
		c.panel = c.newPanel()
		c.reports.out = func(r control.Report) {
			o.OnReport(r)
			c.panel.Changed()
		}
	}
	c.breaks.changed, c.breaks.told = c.wakeUp, c.tally.setAway
	c.feed = cleanfeed.New(o.Log)
	if len(o.PrivateScenes) > 0 {
		c.feed.HidePrivate(func(all []string) []string { return scenes.Matching(o.PrivateScenes, all) }, c.breaks.programme)
	}
	c.parts = supervisor.New(o.Log, c.wakeUp)
	c.sound = newSound(c.parts, c.wakeUp, o.Log)
	c.display = newDisplay(filepath.Join(o.StateDir, "screen.json"), o.PeerName, c.parts, c.wakeUp, o.Log)
	if o.NamePlate {
		c.display.plate = o.PeerName
	}
	c.tally.changed, c.tally.here, c.reports.tally = make(chan struct{}, 1), c.display.setHere, c.tally.current
	c.routes = RouteSettings{Route: o.Route, VideoOut: o.VideoOut, VideoIn: o.VideoIn}.routes()
	c.records = records{dir: o.RecordPeer, name: o.PeerName, offset: o.AVOffset, keyFrame: c.requestKeyFrame, changed: c.wakeUp, log: o.Log}
	c.standby = &standby{link: o.Link, parts: c.parts}
	return c, nil
}

// Run works until ctx ends, then undoes what it changed and returns nil. It returns an error if it could not begin: another
// companion runs, ports are taken, OBS refuses the password or is too old, or GStreamer elements are missing.
func (c *Companion) Run(ctx context.Context) error {
	if err := c.preflightStart(); err != nil {
		return err
	}
	ctl := &control.Server{Path: c.o.ControlSocket, Status: c.Status, Graph: c.graph, Probe: c.probe, Peer: c.carryPeer, Reach: c.survey, Panel: c.panelAddresses}
	listener, release, err := ctl.Listen(ctx)
	if err != nil {
		return err
	}
	defer release()
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	c.life, c.display.life = life, life
	c.parts.Keep(life, problem.Control, func(ctx context.Context, _ func()) error { return ctl.Serve(ctx, listener) })
	c.parts.Keep(life, problem.Standstill, func(ctx context.Context, _ func()) error {
		standstill.Watch(ctx, c.noteStandstill)
		return nil
	})
	if c.panel != nil {
		c.parts.Keep(life, problem.Panel, c.panel.Run)
	}
	reachDone := make(chan struct{})
	go func() {
		defer close(reachDone)
		c.keepReach(life)
	}()
	soundDone := make(chan struct{})
	go func() {
		defer close(soundDone)
		c.sound.run(life)
	}()
	tallyDone := make(chan struct{})
	go func() {
		defer close(tallyDone)
		c.reportTally(life)
	}()
	c.holdScreen()
	c.standby.start(life)
	c.reports.report(control.Report{State: control.Waiting})

	keeper := obsctl.Keeper{Find: c.o.FindOBS, Log: c.log, Options: obsctl.Options{Activations: true, Log: c.log}}
	runCtx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	keeper.OnDown = func(err error) {
		if !c.noteDown(err) {
			giveUp(err)
			return
		}
		c.cleanFiles(runCtx)
		c.o.WithoutOBS()
	}
	runErr := keeper.Run(runCtx, c.useOBS)
	if cause := context.Cause(runCtx); ctx.Err() == nil && cause != nil {
		runErr = cause
	}
	c.display.close()
	cancel()
	<-soundDone
	c.parts.Wait()
	<-reachDone
	<-tallyDone
	c.records.wait()
	return runErr
}

// noteDown reports why there is no connection to OBS, and what else does not work, and returns whether to keep trying. If OBS is there but refuses us, the
// user must do something: at the very first attempt the user is there to read that, so Run ends. Later we keep trying, because
// OBS may start again with another password.
func (c *Companion) noteDown(err error) (keepTrying bool) {
	refused := errors.Is(err, obsctl.ErrAuth) || errors.Is(err, obsctl.ErrTooOld) || errors.Is(err, obsctl.ErrNotOBS)
	if refused && !c.tried {
		return false
	}
	c.tried = true
	r := control.Report{State: control.Waiting}
	wrong := c.parts.Failing()
	if refused {
		wrong[problem.Connection] = err
	} else {
		r.Detail = err.Error()
	}
	addCause(wrong)
	r.SetProblems(wrong)
	c.reports.report(r)
	return true
}

// preflightStart finds at once what would otherwise fail only on air: ports in use, missing GStreamer elements.
func (c *Companion) preflightStart() error {
	if err := media.Init(); err != nil {
		return err
	}
	l, err := c.newLink(link.Handler{})
	if err != nil {
		return err
	}
	if err := l.Close(); err != nil {
		return fmt.Errorf("link: %w", err)
	}
	if err := c.checkPeer(); err != nil {
		return err
	}
	for _, probe := range []func() error{
		func() error {
			_, err := media.NewVideoSender(media.VideoSenderOptions{
				Source: media.ImageSource{VideoFormat: media.VideoFormat{W: 64, H: 64, FPSNum: 30, FPSDen: 1}},
				Out:    func([]byte) {},
			})
			return err
		},
		func() error {
			_, err := media.NewVideoReceiver(media.VideoReceiverOptions{
				Format: media.VideoFormat{W: 64, H: 64, FPSNum: 30, FPSDen: 1}, Out: func(media.Frame) {},
			})
			return err
		},
		func() error {
			_, err := media.NewAudioSender(media.AudioSenderOptions{Out: func([]byte) {}})
			return err
		},
		func() error {
			_, err := media.NewAudioReceiver(media.AudioReceiverOptions{})
			return err
		},
	} {
		if err := probe(); err != nil {
			return err
		}
	}
	return nil
}

// checkPeer refuses a peer that is this machine. Only the plain link needs that: the secure one does not connect to itself, and
// the probe says so.
func (c *Companion) checkPeer() error {
	if c.o.Link != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookUpWithin)
	defer cancel()
	var addrs [2][]netip.Addr
	for i, name := range []string{c.o.Peer, c.o.Listen} {
		if name == "" {
			continue
		}
		found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		if err != nil {
			return fmt.Errorf("address %q: %w", name, err)
		}
		for _, a := range found {
			addrs[i] = append(addrs[i], a.Unmap())
		}
	}
	return pathcheck.Self(c.o.Peer, addrs[0], addrs[1], pathcheck.OwnAddresses())
}

// holdScreen opens the screen before OBS starts, in the format that was last used, so that an OBS that starts with the peer
// source in its scene finds a working device.
func (c *Companion) holdScreen() {
	format, known := c.display.loadFormat()
	if !known {
		return
	}
	if route, _ := c.chooseRoute(0, obsctl.Version{}); route.viaCamera() {
		c.display.set(route, format)
	}
}

// chooseRoute is for where no session knows what OBS's virtual camera shows.
func (c *Companion) chooseRoute(obsPID int, v obsctl.Version) (route, string) {
	return c.routes.choose(obsPID, v, c.o.CleanFeed && !feedOnCamera(obsPID))
}

func (c *Companion) newLink(h link.Handler) (link.Link, error) {
	if c.o.Link != nil {
		return c.o.Link(h)
	}
	return link.NewPlain(link.PlainOptions{
		Peer: c.o.Peer, Listen: c.o.Listen, BasePort: c.o.BasePort,
		Send: true, Receive: true, Handler: h, Log: c.log,
	})
}

// cleanFiles removes what is ours from the scene collections of an OBS that is closed.
func (c *Companion) cleanFiles(ctx context.Context) {
	cleaned, err := leftovers.NewStore(c.o.StateDir).Carry(ctx)
	for _, name := range cleaned {
		c.log.Info("scene collection cleaned, while OBS is closed", "collection", name)
	}
	if err != nil {
		c.log.Warn("what is left in OBS's scene collections is removed when OBS loads them, not before", "error", err)
	}
}

// Status is what is going on now. It may be called at any time.
func (c *Companion) Status() control.Status {
	status := control.Status{Report: c.reports.current(), Peer: c.o.PeerName}
	status.PeerMuted, status.MeMuted = c.orders.muted()
	status.Away = c.breaks.ordered()
	if c.o.When == WhenManual {
		byHand := c.orders.onAir()
		status.ByHand = &byHand
	}
	status.Tally = c.tally.current()
	a := c.call.Load()
	if a == nil {
		return status
	}
	status.Closed = a.shut()
	if figures, ok := a.Figures(); ok {
		if n, known := c.lagged.since(); known {
			figures.Dropped.OBS = &n
		}
		status.Figures = &figures
	}
	return status
}

// noteStandstill makes the call begin anew. After a standstill the sound server and the network deliver what waited all that
// time, and the peer has given us up.
func (c *Companion) noteStandstill(d time.Duration) {
	c.log.Info("the process did not run for a while, restarting the call", "for", d.Round(time.Millisecond))
	c.stood.Store(true)
	c.wakeUp()
}

// setArea notes which part of the screen the peer's picture covers.
func (c *Companion) setArea(area image.Rectangle) {
	if old := c.area.Load(); old == nil || *old != area {
		c.area.Store(&area)
		c.wakeUp()
	}
}

// wakeUp starts a round of the session. It never blocks.
func (c *Companion) wakeUp() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// wakeLater is wakeUp after a while.
func (c *Companion) wakeLater(d time.Duration) { time.AfterFunc(d, c.wakeUp) }

// processID identifies an OBS process. Without a process to look at, each connection counts as another one.
func (c *Companion) processID(pid int) string {
	if info, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); pid != 0 && err == nil {
		return fmt.Sprintf("%d-%d", pid, info.ModTime().UnixNano())
	}
	return strconv.FormatInt(time.Now().UnixNano(), 10)
}

// graph describes all running pipelines: in GraphViz's language, one digraph each, or as launch lines.
func (c *Companion) graph(text bool) string {
	running := make(map[string]call.Pipeline)
	if a := c.call.Load(); a != nil {
		running = a.Pipelines()
	}
	if p := c.display.running(); p != nil {
		running["the screen for the peer"] = p
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(running)) {
		if text {
			fmt.Fprintf(&b, "# %s\n%s\n\n", name, running[name].Text())
		} else {
			fmt.Fprintf(&b, "// %s\n%s\n", name, running[name].Dot())
		}
	}
	return b.String()
}
