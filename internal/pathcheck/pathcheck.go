// SPDX-License-Identifier: Apache-2.0

// Package pathcheck explains the result of a probe of the network path to the friend's machine: what is wrong, and what
// helps. `doctor --peer` and `run` both use it, so that they say the same.
//
// It sends nothing: package link probes.
package pathcheck

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/media/link"
)

const (
	// smallestPath is the least size of IP packets that has to get through: media packets stay below it, and IPv6
	// promises as much.
	smallestPath = 1280
	// A stray packet of fifty is lost on every Wi-Fi.
	tolerableLoss = 0.03
	// Two people talk over each other when a voice takes more than 150 ms (ITU-T G.114), of which our own part is about
	// 50 ms each way.
	tolerableRTT = 200 * time.Millisecond
)

// A Finding is one fault of the path, in sentences for the user.
type Finding struct {
	What string // happened, and where
	Why  string // it matters
	Next string // is what helps
	// Blocks says that no picture gets through, or that nothing is known; otherwise the quality suffers.
	Blocks bool
}

func blocked(why, next, format string, args ...any) (Finding, bool) {
	return Finding{What: fmt.Sprintf(format, args...), Why: why, Next: next, Blocks: true}, true
}

func impaired(why, next, format string, args ...any) (Finding, bool) {
	return Finding{What: fmt.Sprintf(format, args...), Why: why, Next: next}, true
}

// Key says whether the machines that were heard belong to the pair. It returns false when nothing speaks against that.
func Key(report link.ProbeReport) (Finding, bool) {
	const pairAnew = "`costream-obs pair new` on one, `costream-obs pair join` on the other"
	switch {
	case report.Peer.IsValid() && report.Version != link.ProbeVersion:
		return blocked("The two may not understand each other.", "Update the older one; `costream-obs version` prints the version.",
			"Your friend's costream-obs speaks version %d of the secure link, yours version %d.", report.Version, link.ProbeVersion)
	case report.Peer.IsValid():
		return Finding{}, false
	case len(report.Twins) > 0:
		return blocked("One machine must invite and the other must join; two machines that did the same cannot connect.",
			"Was the file of the pair copied? Then pair the two machines: "+pairAnew+". If that address is this machine's own, give your friend's with --peer.",
			"The costream-obs at %s has the same side of the pair as this one.", list(report.Twins))
	case len(report.Strangers) > 0:
		return blocked("If it is your friend's, one of you has paired again since, and neither accepts the other's packets.",
			"Compare the words on both machines: `costream-obs pair show`. If they differ, pair them again: "+pairAnew+".",
			"A costream-obs connects from %s with a key that is not your friend's.", list(report.Strangers))
	}
	return Finding{}, false
}

// Path says whether pictures and sound get to the friend's machine and back in time. port is the UDP port of our side; auto
// says that others may be asked where the friend is. It returns false when they do.
func Path(report link.ProbeReport, port int, auto bool) (Finding, bool) {
	lost := float64(report.Lost) / float64(max(report.Sent, 1))
	const (
		unheard = "Pictures and sound would not get through either."
		late    = "You would talk over each other."
	)
	switch {
	case !report.Peer.IsValid() && len(report.Asked) == 0:
		return impaired("Only your friend's machine, which knows your address, can now test whether pictures and sound get through.",
			"Ask your friend to run `costream-obs doctor --peer`, and run it here at the same time; or give your friend's address: `costream-obs doctor --peer ADDRESS`.",
			"This machine has no address for your friend, and your friend's machine has not connected.")
	case !report.Peer.IsValid():
		others := "add --reach auto on both sides, so that the two machines find each other with the help of others (docs/reach.md), or "
		if auto {
			others = ""
		}
		return blocked(unheard,
			fmt.Sprintf("Does `costream-obs run` or `costream-obs doctor --peer` run on your friend's machine now? If so, %smake the router and the firewall on one of the two sides pass UDP port %d on to the machine, or put both machines into one VPN (WireGuard, Tailscale).", others, port),
			"No costream-obs of your friend's answers at %s.", list(report.Asked))
	case report.Lost == report.Sent:
		return blocked(unheard, "Try again: `costream-obs doctor --peer`. If that does not help, something between the machines blocks a stream of packets: check the firewalls on both sides.",
			"Your friend's machine at %s answered once, then stopped answering.", report.Peer)
	case report.PacketSize < smallestPath:
		return blocked("Video packets are almost that large, so no picture would arrive.",
			"Find the VPN whose MTU is too small with `ip link` on both machines, and set it to 1280 or more.",
			"Small packets get to %s and back, but packets of %d bytes do not.", report.Peer, smallestPath)
	case lost > tolerableLoss:
		return impaired("Lost packets are sent again, which takes time; with much packet loss pictures freeze and the voice breaks up.",
			"Use a cable instead of Wi-Fi on both sides, stop other uploads and downloads, and lower --bitrate.",
			"Of %d packets to %s, %d were lost%s.", report.Sent, report.Peer, report.Lost, whichWay(report))
	case report.RTT > tolerableRTT && report.MinRTT < tolerableRTT/2:
		return impaired(late, "Something delays packets: on both sides, close programs that use much CPU time (see `top`), and stop other uploads and downloads.",
			"Most answers from %s take %v or more, although the fastest took %v.", report.Peer, Millis(report.RTT), Millis(report.MinRTT))
	case report.RTT > tolerableRTT:
		return impaired(late,
			fmt.Sprintf("Does a VPN send the packets through a relay (see `tailscale status`)? Then forward UDP port %d on one of the two sides, and give that address with --peer.", port),
			"The round-trip time to %s is %v.", report.Peer, Millis(report.RTT))
	}
	return Finding{}, false
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

// Millis rounds a round-trip time for reading.
func Millis(d time.Duration) time.Duration {
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
