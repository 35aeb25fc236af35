// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/media/link"
)

const (
	// probeLimit is how long a probe may take: 5 s until the peer is found, or given up, and 4 s after that.
	probeLimit = 10 * time.Second
	// smallestPath is the least size of IP packets that has to get through: media packets stay below it, and IPv6
	// promises as much.
	smallestPath = 1280
	// A stray packet of fifty is lost on every Wi-Fi.
	tolerableLoss = 0.03
	// Two people talk over each other when a voice takes more than 150 ms (ITU-T G.114), of which our own part is about
	// 50 ms each way.
	tolerableRTT = 200 * time.Millisecond
	// tolerableClock is no fault of anybody's: a clock set by hand.
	tolerableClock = 2 * time.Second
)

// probePeer measures the way to the peer: through a running costream-obs, which has the port, or on our own.
func (m *Machine) probePeer(ctx context.Context) (link.ProbeReport, error) {
	d, err := m.Daemon(ctx)
	switch {
	case err != nil:
		return link.ProbeReport{}, err
	case d.Running:
		var report link.ProbeReport
		err := askControl(ctx, m.ControlSocket, http.MethodPost, "/probe", &report)
		return report, err
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
	bad := func(why, next, format string, args ...any) doctor.Result {
		return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf(format, args...), Why: why, Next: next}
	}
	const pairAnew = "`costream-obs pair new` on one, `costream-obs pair join` on the other"
	switch {
	case err != nil:
		return bad("Nothing is known about the way to your friend.", "Try again: `costream-obs doctor --peer`.", "The way to your friend cannot be probed: %v.", err)
	case report.Peer.IsValid() && report.Version != link.ProbeVersion:
		return bad("The two may not understand each other.", "Update the older one; `costream-obs version` tells.",
			"Your friend's costream-obs speaks version %d of the secure link, yours version %d.", report.Version, link.ProbeVersion)
	case report.Peer.IsValid():
		return doctor.Fine("")
	case len(report.Twins) > 0:
		return bad("One machine invites and the other one joins; two that do the same cannot talk to each other.",
			"Was the file of the pair copied? Then pair the two machines: "+pairAnew+". If that address is this machine's own, give your friend's with --peer.",
			"The costream-obs at %s has the same side of the pair as this one.", list(report.Twins))
	case len(report.Strangers) > 0:
		return bad("If it is your friend's, one of you has paired anew since, and neither takes what the other sends.",
			"Compare the words on both machines: `costream-obs pair show`. If they differ, pair them again: "+pairAnew+".",
			"A costream-obs calls from %s with a key that is not your friend's.", list(report.Strangers))
	}
	return doctor.Fine("no sign of another one")
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
	bad := func(status doctor.Status, why, next, format string, args ...any) doctor.Result {
		return doctor.Result{Status: status, Detail: fmt.Sprintf(format, args...), Why: why, Next: next}
	}
	lost := float64(report.Lost) / float64(max(report.Sent, 1))
	const (
		unheard = "Pictures and sound would not get through either."
		late    = "You would talk over each other."
	)
	switch {
	case !report.Peer.IsValid() && len(report.Asked) == 0:
		return bad(doctor.Warn, "Whether pictures and sound get through can then be found out only from your friend's side, which knows where you are.",
			"Ask your friend to run `costream-obs doctor --peer`, and run it here at the same time; or give your friend's address: `costream-obs doctor --peer ADDRESS`.",
			"This machine knows no address of your friend's, and nobody has called just now.")
	case !report.Peer.IsValid():
		return bad(doctor.Fail, unheard,
			fmt.Sprintf("Does it run at your friend's, `costream-obs run`, or `costream-obs doctor --peer` at the same time? If so, let the router and the firewall on one of the two sides pass UDP port %d on to the machine, or put both machines into one VPN (WireGuard, Tailscale).", m.BasePort),
			"No costream-obs of your friend's answers at %s.", list(report.Asked))
	case report.Lost == report.Sent:
		return bad(doctor.Fail, unheard, "Try again: `costream-obs doctor --peer`. If it stays so, something on the way stops a stream of packets: look at the firewalls of both sides.",
			"Your friend's machine at %s answered once, and then no more.", report.Peer)
	case report.PacketSize < smallestPath:
		return bad(doctor.Fail, "The packets of a picture have almost that size, so that no picture would arrive.",
			"Look for a VPN whose mtu is too small: `ip link` on both machines; set it to 1280 or more.",
			"Small packets get to %s and back, but none of %d bytes.", report.Peer, smallestPath)
	case lost > tolerableLoss:
		return bad(doctor.Warn, "What is lost is sent again, which takes time; where much is lost pictures stand still and the voice breaks up.",
			"Use a cable in place of Wi-Fi on both sides, stop other uploads and downloads, and lower --bitrate.",
			"Of %d packets to %s %d got lost%s.", report.Sent, report.Peer, report.Lost, whichWay(report))
	case report.RTT > tolerableRTT && report.MinRTT < tolerableRTT/2:
		return bad(doctor.Warn, late, "Something makes packets wait: close what needs much computing time (`top` shows), and stop other uploads and downloads, on both sides.",
			"Most answers from %s take %v or more, although it can be %v.", report.Peer, millis(report.RTT), millis(report.MinRTT))
	case report.RTT > tolerableRTT:
		return bad(doctor.Warn, late,
			fmt.Sprintf("Is there a detour on the way, such as the relay of a VPN (`tailscale status` tells)? Then forward UDP port %d on one of the two sides, and give that address with --peer.", m.BasePort),
			"An answer from %s takes %v.", report.Peer, millis(report.RTT))
	}
	return doctor.Fine("%s in %v, %d of %d lost, packets of up to %d bytes; it sees us at %s",
		report.Peer, millis(report.RTT), report.Lost, report.Sent, report.PacketSize, report.Seen)
}

// whichWay says on which way packets were lost, where that is clear.
func whichWay(r link.ProbeReport) string {
	switch back := r.Lost - r.LostOut; {
	case r.LostOut > 3*back:
		return ", most on the way there"
	case back > 3*r.LostOut:
		return ", most on the way back"
	}
	return ""
}

// sameTime is net.clock.
func (m *Machine) sameTime(ctx context.Context) doctor.Result {
	report, err := m.Probe(ctx)
	if err != nil {
		return doctor.Skipped("%v", err)
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
		next = "This machine's clock is set by the network; let your friend's be, too: " + set + " there."
	default:
		next = "This machine's clock is not set by the network; let it be: " + set + "."
	}
	direction := "ahead of"
	if off < 0 {
		direction = "behind"
	}
	return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("Your friend's clock is %v %s yours.", off.Abs().Round(time.Second), direction),
		Why:  "The co-stream itself does not mind. But with a clock that is far off streaming services refuse a connection, because their certificates seem to be out of date, and the two machines' logs cannot be compared.",
		Next: next}
}

// millis rounds a round trip for reading.
func millis(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}

func list(addrs []netip.AddrPort) string {
	var texts []string
	for _, a := range addrs {
		texts = append(texts, a.String())
	}
	return strings.Join(texts, ", ")
}
