// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/media/link"
)

// homeNetwork is a side behind a router that masquerades (port-restricted, as Linux does it), the router, and a side that
// others can reach. Each is a network namespace of its own.
type homeNetwork struct {
	t                       *testing.T
	inside, router, outside string
}

// Addresses of the home network, of those for documentation and benchmarks (RFC 2544).
const (
	insideAddr  = "198.18.1.2"
	outsideAddr = "198.18.2.2"
)

func newHomeNetwork(t *testing.T) *homeNetwork {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, for network namespaces")
	}
	for _, program := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("needs %s (Debian: iproute2, nftables): %v", program, err)
		}
	}
	id := fmt.Sprint(os.Getpid())
	h := &homeNetwork{t: t, inside: "costream-in-" + id, router: "costream-nat-" + id, outside: "costream-out-" + id}
	for _, ns := range []string{h.inside, h.router, h.outside} {
		if out, err := exec.Command("ip", "netns", "add", ns).CombinedOutput(); err != nil {
			t.Skipf("this machine allows no network namespaces: %s", out)
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
		h.ip(ns, "link set lo up")
	}
	h.ip(h.inside, "link add home type veth peer name home netns "+h.router)
	h.ip(h.outside, "link add wan type veth peer name wan netns "+h.router)
	h.ip(h.inside, "addr add "+insideAddr+"/24 dev home")
	h.ip(h.router, "addr add 198.18.1.1/24 dev home")
	h.ip(h.router, "addr add 198.18.2.1/24 dev wan")
	h.ip(h.outside, "addr add "+outsideAddr+"/24 dev wan")
	h.ip(h.inside, "link set home up")
	h.ip(h.router, "link set home up")
	h.ip(h.router, "link set wan up")
	h.ip(h.outside, "link set wan up")
	h.ip(h.inside, "route add default via 198.18.1.1")
	h.run(h.router, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
	h.run(h.router, "nft", "add table ip nat; add chain ip nat out { type nat hook postrouting priority 100; };"+
		"add table ip guard; add chain ip guard in { type filter hook forward priority 0; policy drop; };"+
		"add rule ip guard in ct state established,related accept; add rule ip guard in iifname home accept")
	h.masquerade("")
	return h
}

func (h *homeNetwork) run(ns, program string, args ...string) {
	h.t.Helper()
	if out, err := exec.Command("ip", append([]string{"netns", "exec", ns, program}, args...)...).CombinedOutput(); err != nil {
		h.t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
}

func (h *homeNetwork) ip(ns, args string) {
	h.t.Helper()
	h.run(ns, "ip", strings.Fields(args)...)
}

// masquerade makes the router use these ports from now on, for those that are connected too.
func (h *homeNetwork) masquerade(ports string) {
	h.t.Helper()
	h.run(h.router, "nft", "flush chain ip nat out; add rule ip nat out oifname wan ip protocol udp masquerade "+ports)
	h.ip(h.router, "link set wan down") // ends what is masqueraded through it
	h.ip(h.router, "link set wan up")
}

// start starts a link in a namespace.
func (h *homeNetwork) start(ns string, o link.SecureOptions) (s *side) {
	h.t.Helper()
	h.within(ns, func() { s = start(h.t, o) })
	return s
}

// within calls a function in a namespace, which sockets that it opens keep.
func (h *homeNetwork) within(ns string, do func()) {
	h.t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		h.t.Fatal(err)
	}
	defer home.Close()
	there, err := os.Open("/run/netns/" + ns)
	if err != nil {
		h.t.Fatal(err)
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		h.t.Fatal(err)
	}
	defer func() {
		if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
			panic(err) // the thread must not go back to the others
		}
	}()
	do()
}

// TestRealNAT connects a side behind a real NAT with one that knows no address of it, and then gives the NAT other ports.
func TestRealNAT(t *testing.T) {
	if testing.Short() {
		t.Skip("makes network namespaces")
	}
	noGoroutines(t)
	h := newHomeNetwork(t)
	ids := identities(t)
	reachable := h.start(h.outside, link.SecureOptions{Identity: ids[0], Port: 5000})
	reachable.talk(t, 1)
	began := time.Now()
	hidden := h.start(h.inside, link.SecureOptions{Identity: ids[1], Port: 5000, Peers: []string{outsideAddr}})
	hidden.talk(t, 2)
	both(t, reachable, hidden, 1, 2)
	took := time.Since(began)
	t.Logf("connected after %v; the hidden side is seen at %v", took.Round(time.Millisecond), reachable.Stats().Video.Receive.Source)
	if took > 2*time.Second {
		t.Errorf("connected after %v, want 2s", took)
	}
	for _, ports := range []string{"to :40000-40100", "to :50000-50100"} {
		before := reachable.Stats().Video.Receive
		began := time.Now()
		h.masquerade(ports)
		var at time.Time
		for at.IsZero() {
			got := reachable.await(t, link.Video, 4)
			if reachable.Stats().Video.Receive.Source != before.Source {
				at = got.at
			}
		}
		hidden.drain()
		hidden.await(t, link.Video, 2)
		after := reachable.Stats().Video.Receive
		t.Logf("new port %v; both ways again after %v", after.Source, time.Since(began).Round(time.Millisecond))
		if after.Stream != before.Stream || time.Since(began) > busyLimit {
			t.Errorf("stream %+v after %v, want %+v within %v", after.Stream, time.Since(began), before.Stream, busyLimit)
		}
	}
}
