// SPDX-License-Identifier: Apache-2.0

package portmap

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// childPort in the environment makes this program a Mapper for a port that prints its states, until its input ends.
const childPort = "COSTREAM_PORTMAP_CHILD"

func TestMain(m *testing.M) {
	if port := os.Getenv(childPort); port != "" {
		if err := runChild(port); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// report is a State as the child prints it. The last one says only how long the end took.
type report struct {
	After    time.Duration
	Stopped  time.Duration
	External []netip.AddrPort
	Protocol string
	Gateway  netip.Addr
	Verdict  string
	Err      string
	Err6     string
}

func runChild(text string) error {
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return err
	}
	conn, err := net.ListenUDP("udp", &net.UDPAddr{Port: int(port)})
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(context.Background())
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	timing := standardTiming
	timing.check, timing.checkUP = time.Second, time.Second
	m := newMapper(Options{Port: uint16(port), Log: log}, readNetwork, bound, timing)
	began, done := time.Now(), make(chan struct{})
	var stopped time.Time
	go func() {
		defer close(done)
		m.Run(ctx)
	}()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stopped = time.Now()
		cancel()
	}()
	out := json.NewEncoder(os.Stdout)
	for {
		select {
		case <-done:
			return out.Encode(report{Stopped: time.Since(stopped)})
		case <-m.Changed():
			s := m.State()
			r := report{After: time.Since(began), External: s.External, Protocol: s.Protocol, Gateway: s.Gateway, Verdict: s.Verdict.String()}
			if s.Err != nil {
				r.Err = s.Err.Error()
			}
			if s.Err6 != nil {
				r.Err6 = s.Err6.Error()
			}
			if err := out.Encode(r); err != nil {
				return err
			}
		}
	}
}

const (
	realPort   = 5000
	realInside = "192.168.1.2"
	realGlobal = "2001:db8:1::2" // which nft lists as one number
	realWAN    = "11.22.33.44"   // miniupnpd takes those for documentation for private ones
)

// home is a machine behind a router with nftables and miniupnpd, each in a network namespace.
type home struct {
	t              *testing.T
	inside, router string
	miniupnpd      string
	upnpd          *exec.Cmd
}

func newHome(t *testing.T, wan, config string) *home {
	t.Helper()
	testbed.Need(t)
	if os.Geteuid() != 0 {
		t.Skip("needs root, for network namespaces")
	}
	h := &home{t: t, miniupnpd: testbed.NeedServer(t, "miniupnpd")}
	id := fmt.Sprint(os.Getpid())
	h.inside, h.router = "portmap-in-"+id, "portmap-rt-"+id
	for _, ns := range []string{h.inside, h.router} {
		if out, err := exec.Command("ip", "netns", "add", ns).CombinedOutput(); err != nil {
			t.Skipf("this machine allows no network namespaces: %s", out)
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
		h.run(ns, "ip link set lo up")
		h.run(ns, "sysctl -q -w net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0")
	}
	h.run(h.inside, "ip link add eth0 type veth peer name br-lan netns "+h.router)
	h.run(h.router, "ip link add wan type veth peer name internet")
	h.run(h.router, "sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
	h.run(h.router, "ip addr add 192.168.1.1/24 dev br-lan")
	h.run(h.router, "ip addr add 2001:db8:1::1/64 dev br-lan nodad")
	h.run(h.router, "ip addr add fe80::1/64 dev br-lan nodad")
	h.run(h.router, "ip addr add "+wan+"/24 dev wan")
	h.run(h.router, "ip link set br-lan up")
	h.run(h.router, "ip link set internet up")
	h.run(h.router, "ip link set wan up")
	h.run(h.router, "ip route add default dev wan")
	h.run(h.router, "ip -6 route add default dev wan")
	h.run(h.inside, "ip addr add "+realInside+"/24 dev eth0")
	h.run(h.inside, "ip addr add "+realGlobal+"/64 dev eth0 nodad")
	h.run(h.inside, "ip link set eth0 up")
	h.run(h.inside, "ip route add default via 192.168.1.1")
	h.run(h.inside, "ip -6 route add default via fe80::1 dev eth0")
	h.flush()
	h.startRouter(config)
	return h
}

func (h *home) output(ns, command string) string {
	h.t.Helper()
	out, err := exec.Command("ip", append([]string{"netns", "exec", ns}, strings.Fields(command)...)...).CombinedOutput()
	if err != nil {
		h.t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return string(out)
}

func (h *home) run(ns, command string) { h.t.Helper(); h.output(ns, command) }

// nft changes the router's rules.
func (h *home) nft(rules string) {
	h.t.Helper()
	cmd := exec.Command("ip", "netns", "exec", h.router, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Fatalf("nft: %v\n%s", err, out)
	}
}

// flush gives the router the rules of a start, without a port open.
func (h *home) flush() {
	h.t.Helper()
	h.nft(`add table inet filter
delete table inet filter
table inet filter {
	chain miniupnpd { }
	chain prerouting_miniupnpd { }
	chain postrouting_miniupnpd { }
	chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
	chain postrouting { type nat hook postrouting priority 100; jump postrouting_miniupnpd; meta nfproto ipv4 oifname "wan" masquerade; }
	chain forward { type filter hook forward priority 0; policy drop; ct state established,related accept; iifname "br-lan" accept; jump miniupnpd; }
	chain input { type filter hook input priority 0; policy drop; ct state established,related accept; iifname { "lo", "br-lan" } accept; meta l4proto ipv6-icmp accept; }
}`)
}

// startRouter starts miniupnpd and waits until it is ready.
func (h *home) startRouter(config string) {
	h.t.Helper()
	path := filepath.Join(h.t.TempDir(), "miniupnpd.conf")
	text := "ext_ifname=wan\nlistening_ip=br-lan\nsecure_mode=yes\nupnp_table_name=filter\nupnp_nat_table_name=filter\n" +
		"upnp_forward_chain=miniupnpd\nupnp_nat_chain=prerouting_miniupnpd\nupnp_nat_postrouting_chain=postrouting_miniupnpd\n" +
		"ipv6_disable=no\nmin_lifetime=1\n" + config + "\nallow 1024-65535 192.168.1.0/24 1024-65535\ndeny 0-65535 0.0.0.0/0 0-65535\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.upnpd = exec.Command("ip", "netns", "exec", h.router, h.miniupnpd, "-d", "-f", path, "-P", filepath.Join(h.t.TempDir(), "pid"))
	log, err := os.Create(filepath.Join(h.t.TempDir(), "miniupnpd.log"))
	if err != nil {
		h.t.Fatal(err)
	}
	defer log.Close()
	h.upnpd.Stdout, h.upnpd.Stderr = log, log
	if err := h.upnpd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(h.stopRouter)
	h.t.Cleanup(func() {
		if h.t.Failed() {
			text, _ := os.ReadFile(log.Name())
			h.t.Logf("miniupnpd:\n%s", text)
		}
	})
	ready := ":1900"
	if strings.Contains(config, "enable_upnp=no") {
		ready = "192.168.1.1:5351"
	}
	testbed.Await(h.t, "miniupnpd listens", 5*time.Second, func() error {
		if sockets := h.output(h.router, "ss -Hlnu"); !strings.Contains(sockets, ready) {
			return fmt.Errorf("sockets: %s", sockets)
		}
		return nil
	})
}

func (h *home) stopRouter() {
	if h.upnpd.ProcessState == nil {
		_ = h.upnpd.Process.Kill()
		_ = h.upnpd.Wait()
	}
}

// mapper is the child inside.
type mapper struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.Closer
	states chan report
}

func (h *home) start() *mapper {
	h.t.Helper()
	m := &mapper{t: h.t, cmd: exec.Command("ip", "netns", "exec", h.inside, "/proc/self/exe"), states: make(chan report, 100)}
	self, err := os.Executable()
	if err != nil {
		h.t.Fatal(err)
	}
	m.cmd.Args[4] = self
	m.cmd.Env = append(os.Environ(), childPort+"="+strconv.Itoa(realPort))
	if m.stdin, err = m.cmd.StdinPipe(); err != nil {
		h.t.Fatal(err)
	}
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	var log strings.Builder
	m.cmd.Stderr = &log
	if err := m.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	go func() {
		defer close(m.states)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var r report
			if json.Unmarshal(lines.Bytes(), &r) == nil {
				m.states <- r
			}
		}
	}()
	h.t.Cleanup(func() {
		m.stop()
		if h.t.Failed() || testing.Verbose() {
			h.t.Logf("mapper:\n%s", log.String())
		}
	})
	return m
}

// stop lets the mapper take back what it opened and returns how long that took.
func (m *mapper) stop() time.Duration {
	if m.cmd.ProcessState != nil {
		return 0
	}
	_ = m.stdin.Close()
	var last report
	for last = range m.states { // until its output ends
	}
	if err := m.cmd.Wait(); err != nil {
		m.t.Errorf("the mapper: %v", err)
	}
	return last.Stopped
}

func (m *mapper) await(what string, limit time.Duration, fits func(report) bool) report {
	m.t.Helper()
	var last report
	timeout := time.After(limit)
	for {
		select {
		case r, ok := <-m.states:
			if !ok {
				m.t.Fatalf("the mapper ended before: %s", what)
			}
			if last = r; fits(r) {
				return r
			}
		case <-timeout:
			m.t.Fatalf("awaited for %v: %s; the last state was %+v", limit, what, last)
		}
	}
}

// mapped reports whether the router forwards the port for IPv4, and whether it has a pinhole for IPv6.
func (h *home) mapped() (four, six bool) {
	h.t.Helper()
	rules := h.output(h.router, "nft list table inet filter")
	return strings.Contains(rules, fmt.Sprintf("dnat ip to %s:%d", realInside, realPort)), strings.Contains(rules, "0x20010db8000100000000000000000002")
}

// awaitClosed is for after the mapper's end. miniupnpd 2.3.1 deletes no IPv6 pinhole that was asked for twice, also when an
// answer came late: its lease is cut to the shortest, here a second.
func (h *home) awaitClosed() {
	h.t.Helper()
	four, six := h.mapped()
	if four {
		h.t.Errorf("the router still has the port open for IPv4:\n%s", h.output(h.router, "nft list table inet filter"))
	}
	if six {
		testbed.Await(h.t, "the pinhole ends", 10*time.Second, func() error {
			if _, six := h.mapped(); six {
				return errors.New("the router still has it")
			}
			return nil
		})
	}
}
