// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/pathcheck"
	"github.com/costream-obs/costream-obs/internal/reach"
	"github.com/costream-obs/costream-obs/media/link"
)

const (
	// probeLimit is how long a probe may take: 5 s until the peer is found, twice where others help to find it, 4 s after
	// that, and 5 s for what is still not known.
	probeLimit = 20 * time.Second
	// tolerableClock is the deviation of a clock that was set by hand.
	tolerableClock = 2 * time.Second
)

// unanswered is why the peer's key and clock are unknown.
const unanswered = "your friend's machine did not answer"

// Reach looks for the peer, as a *reach.Manager does.
type Reach interface {
	Run(ctx context.Context)
	Survey(ctx context.Context) reach.State
}

// found is what a probe found out, and what is known of the way to the peer then.
type found struct {
	probe link.ProbeReport
	state reach.State
}

// lookForPeer measures the way to the peer: through a running costream-obs, which has the port, or on our own.
func (m *Machine) lookForPeer(ctx context.Context) (f found, err error) {
	d, err := m.Daemon(ctx)
	switch {
	case err != nil:
		return found{}, err
	case d.Running:
		client := control.Client{Path: m.ControlSocket}
		if f.probe, err = client.Probe(ctx); err == nil {
			f.state, err = client.Reach(ctx)
		}
		return f, err
	}
	l, err := m.Secure(link.Handler{})
	if err != nil {
		return found{}, err
	}
	prober, ok := l.(link.Prober)
	if !ok {
		return found{}, errors.Join(errors.New("this link cannot be probed"), l.Close())
	}
	ctx, release := context.WithCancel(ctx)
	defer release()
	var helpers sync.WaitGroup
	defer helpers.Wait()
	if m.Reach != nil {
		helpers.Add(1)
		go func() {
			defer helpers.Done()
			m.Reach.Run(ctx)
		}()
	}
	ended := make(chan error, 1)
	go func() { ended <- prober.Standby(ctx) }()
	f.probe = prober.Probe(ctx)
	if m.Reach != nil {
		f.state = m.Reach.Survey(ctx)
	}
	release()
	return f, <-ended
}

// notPaired is why there is nothing to probe.
func (m *Machine) notPaired() (doctor.Result, bool) {
	return doctor.Skipped("only a secure link can be probed; pair with your friend first (costream-obs pair --help)"), m.Secure == nil
}

// sameKey is net.key.
func (m *Machine) sameKey(ctx context.Context) doctor.Result {
	if r, skip := m.notPaired(); skip {
		return r
	}
	report, err := m.Probe(ctx)
	if err != nil {
		return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("The path to your friend cannot be probed: %v.", err),
			Why: "Nothing is known about the path to your friend.", Next: "Try again: `costream-obs doctor --peer`."}
	}
	switch found, bad := pathcheck.Key(report); {
	case bad:
		return pathResult(found)
	case report.Peer.IsValid():
		return doctor.Fine("")
	}
	return doctor.Result{Status: doctor.Skip, Detail: unanswered, Open: true}
}

// answers is net.probe.
func (m *Machine) answers(ctx context.Context) doctor.Result {
	if r, skip := m.notPaired(); skip {
		return r
	}
	report, err := m.Probe(ctx)
	if err != nil {
		return doctor.Skipped("%v", err)
	}
	state, err := m.Reached(ctx)
	if err != nil {
		return doctor.Skipped("%v", err)
	}
	if why, known := state.Why(); known && !report.Peer.IsValid() {
		return doctor.Result{Status: doctor.Fail, Detail: why.What, Why: "Pictures and sound would not get through either.", Next: why.Next}
	}
	if found, bad := pathcheck.Path(report, m.BasePort, state.Auto); bad {
		return pathResult(found)
	}
	way := ""
	if state.Way != "" {
		way = ", " + state.WayText()
	}
	return doctor.Fine("%s in %v%s, %d of %d lost, packets of up to %d bytes; it sees us at %s",
		report.Peer, pathcheck.Millis(report.RTT), way, report.Lost, report.Sent, report.PacketSize, report.Seen)
}

// pathResult converts a finding to doctor's form.
func pathResult(f pathcheck.Finding) doctor.Result {
	status := doctor.Warn
	if f.Blocks {
		status = doctor.Fail
	}
	return doctor.Result{Status: status, Detail: f.What, Why: f.Why, Next: f.Next}
}

// sameTime is net.clock.
func (m *Machine) sameTime(ctx context.Context) doctor.Result {
	report, err := m.Probe(ctx)
	if err != nil {
		return doctor.Skipped("%v", err)
	}
	if !report.Peer.IsValid() {
		return doctor.Skipped(unanswered)
	}
	off := report.ClockAhead
	if off.Abs() <= tolerableClock+report.MinRTT/2 {
		return doctor.Fine("%v apart", off.Abs().Round(time.Millisecond))
	}
	const set = "`sudo timedatectl set-ntp true`"
	next := "Let the network set the clock of the machine whose time is wrong: " + set + "."
	synchronised, err := m.Exec(ctx, "timedatectl", "show", "--property=NTPSynchronized", "--value")
	switch {
	case err != nil:
	case strings.TrimSpace(synchronised) == "yes":
		next = "This machine's clock is set by the network; do the same on your friend's: " + set + " there."
	default:
		next = "This machine's clock is not set by the network; turn that on: " + set + "."
	}
	direction := "ahead of"
	if off < 0 {
		direction = "behind"
	}
	return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("Your friend's clock is %v %s yours.", off.Abs().Round(time.Second), direction),
		Why:  "The co-stream itself works. But if a clock is far off, streaming services refuse the connection because their certificates seem to be out of date, and the logs of the two machines cannot be compared.",
		Next: next}
}
