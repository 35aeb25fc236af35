// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/pathcheck"
	"github.com/costream-obs/costream-obs/media/link"
)

const (
	// probeLimit is how long a probe may take: 5 s to find the peer or give up, and 4 s more.
	probeLimit = 10 * time.Second
	// tolerableClock is the deviation of a clock that was set by hand.
	tolerableClock = 2 * time.Second
)

// unanswered is why the peer's key and clock are unknown.
const unanswered = "your friend's machine did not answer"

// probePeer measures the path to the peer: through a running costream-obs, which has the port, or directly.
func (m *Machine) probePeer(ctx context.Context) (link.ProbeReport, error) {
	d, err := m.Daemon(ctx)
	switch {
	case err != nil:
		return link.ProbeReport{}, err
	case d.Running:
		return control.Client{Path: m.ControlSocket}.Probe(ctx)
	}
	l, err := m.Secure(link.Handler{})
	if err != nil {
		return link.ProbeReport{}, err
	}
	prober, ok := l.(link.Prober)
	if !ok {
		return link.ProbeReport{}, errors.Join(errors.New("this link cannot be probed"), l.Close())
	}
	holding, release := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- prober.Standby(holding) }()
	report := prober.Probe(holding)
	release()
	return report, <-ended
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
	if found, bad := pathcheck.Path(report, m.BasePort); bad {
		return pathResult(found)
	}
	return doctor.Fine("%s in %v, %d of %d lost, packets of up to %d bytes; it sees us at %s",
		report.Peer, pathcheck.Millis(report.RTT), report.Lost, report.Sent, report.PacketSize, report.Seen)
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
