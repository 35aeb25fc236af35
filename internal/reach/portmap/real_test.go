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
	"slices"
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

// report is a State as the child prints it.
type report struct {
	After    time.Duration
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
	go func() {
		defer close(done)
		m.Run(ctx)
	}()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	out := json.NewEncoder(os.Stdout)
	for {
		select {
		case <-done:
			return nil
		case <-m.Changed():
			s := m.State()
			r := report{time.Since(began), s.External, s.Protocol, s.Gateway, s.Verdict.String(), "", ""}
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
		"ipv6_disable=no\n" + config + "\nallow 1024-65535 192.168.1.0/24 1024-65535\ndeny 0-65535 0.0.0.0/0 0-65535\n"
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
	began := time.Now()
	_ = m.stdin.Close()
	for range m.states { // until its output ends
	}
	if err := m.cmd.Wait(); err != nil {
		m.t.Errorf("the mapper: %v", err)
	}
	return time.Since(began)
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

// TestRealRouter opens the port at a real miniupnpd with each protocol and takes it back.
func TestRealRouter(t *testing.T) {
	const usual = "enable_upnp=yes\n"
	four, six := netip.MustParseAddrPort(realWAN+":5000"), netip.MustParseAddrPort("["+realGlobal+"]:5000")
	// What a router drops or refuses comes before what it accepts.
	const (
		silent     = "insert rule inet filter input udp dport 5351 drop"
		withoutPCP = "insert rule inet filter input udp dport 5351 @th,64,8 2 drop"
	)
	for _, tc := range []struct {
		name, config, rules string
		protocol            string
		limit               time.Duration
	}{
		{"PCP", usual + "enable_natpmp=yes", "", PCP, time.Second},
		{"NAT-PMP, and PCP is dropped", usual + "enable_natpmp=yes", withoutPCP, NATPMP, time.Second},
		{"UPnP, and the others are refused", usual + "enable_natpmp=no", "", UPnP, 1500 * time.Millisecond},
		{"UPnP, and the others are dropped", usual + "enable_natpmp=yes", silent, UPnP, 1500 * time.Millisecond},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := newHome(t, realWAN, tc.config)
			if tc.rules != "" {
				h.nft(tc.rules)
			}
			m := h.start()
			s := m.await("IPv4 open", 5*time.Second, func(r report) bool { return r.Verdict == Open.String() })
			t.Logf("open after %v", s.After.Round(time.Millisecond))
			if s.After > tc.limit || s.Protocol != tc.protocol || !slices.Contains(s.External, four) || s.Gateway.String() != "192.168.1.1" {
				t.Errorf("got %+v, want %v with %s within %v", s, four, tc.protocol, tc.limit)
			}
			if !slices.Contains(s.External, six) {
				s = m.await("IPv6 open", 5*time.Second, func(r report) bool { return slices.Contains(r.External, six) })
			}
			t.Logf("all open after %v", s.After.Round(time.Millisecond))
			if got4, got6 := h.mapped(); !got4 || !got6 {
				t.Errorf("the router has IPv4 %v, IPv6 %v\n%s", got4, got6, h.output(h.router, "nft list table inet filter"))
			}
			took := m.stop()
			t.Logf("stopped after %v", took.Round(time.Millisecond))
			if took > 1500*time.Millisecond {
				t.Errorf("stopped after %v", took)
			}
			if got4, got6 := h.mapped(); got4 || got6 {
				t.Errorf("the router still has IPv4 %v, IPv6 %v\n%s", got4, got6, h.output(h.router, "nft list table inet filter"))
			}
		})
	}
}

// TestRealRouterRestart ends the router's daemon and its rules, and starts it anew.
func TestRealRouterRestart(t *testing.T) {
	for _, tc := range []struct{ protocol, config string }{
		{PCP, "enable_upnp=no\nenable_natpmp=yes"},
		{UPnP, "enable_upnp=yes\nenable_natpmp=no"},
	} {
		t.Run(tc.protocol, func(t *testing.T) {
			h := newHome(t, realWAN, tc.config)
			m := h.start()
			isOpen := func(r report) bool { return r.Verdict == Open.String() && len(r.External) == 2 }
			if s := m.await("open", 5*time.Second, isOpen); s.Protocol != tc.protocol {
				t.Fatalf("got %+v, want %s", s, tc.protocol)
			}
			h.stopRouter()
			h.flush()
			m.await("not open", 10*time.Second, func(r report) bool { return r.Verdict == None.String() && len(r.External) == 0 })
			h.startRouter(tc.config)
			began := time.Now()
			m.await("open again", 10*time.Second, isOpen)
			t.Logf("open %v after the router's start", time.Since(began).Round(time.Millisecond))
			if four, six := h.mapped(); !four || !six {
				t.Errorf("the router has IPv4 %v, IPv6 %v", four, six)
			}
			m.stop()
			if four, six := h.mapped(); four || six {
				t.Errorf("the router still has IPv4 %v, IPv6 %v", four, six)
			}
		})
	}
}

// TestRealGatewayChange takes the default routes away and brings them back, as a pulled cable does.
func TestRealGatewayChange(t *testing.T) {
	h := newHome(t, realWAN, "enable_upnp=yes\nenable_natpmp=yes\nmin_lifetime=1")
	m := h.start()
	isOpen := func(r report) bool { return r.Verdict == Open.String() && len(r.External) == 2 }
	m.await("open", 5*time.Second, isOpen)
	began := time.Now()
	h.run(h.inside, "ip link set eth0 down")
	m.await("nothing", 2*time.Second, func(r report) bool { return r.Verdict == None.String() && len(r.External) == 0 })
	t.Logf("noticed after %v", time.Since(began).Round(time.Millisecond))
	h.run(h.inside, "ip link set eth0 up")
	h.run(h.inside, "ip addr replace "+realGlobal+"/64 dev eth0 nodad")
	h.run(h.inside, "ip route replace default via 192.168.1.1")
	h.run(h.inside, "ip -6 route replace default via fe80::1 dev eth0")
	began = time.Now()
	m.await("open again", 5*time.Second, isOpen)
	t.Logf("open again after %v", time.Since(began).Round(time.Millisecond))
	m.stop()
	if four, _ := h.mapped(); four {
		t.Error("the router still has IPv4")
	}
	// miniupnpd 2.3.1 deletes no IPv6 pinhole that was renewed, so its lease is cut to the shortest.
	testbed.Await(t, "the pinhole ends", 10*time.Second, func() error {
		if _, six := h.mapped(); six {
			return errors.New("the router still has IPv6")
		}
		return nil
	})
}

// TestRealHostFirewall has a firewall on our own machine, which holds back answers to multicast questions.
func TestRealHostFirewall(t *testing.T) {
	h := newHome(t, realWAN, "enable_upnp=yes\nenable_natpmp=no")
	h.run(h.inside, "nft add table inet own")
	h.run(h.inside, "nft add chain inet own in { type filter hook input priority 0 ; policy drop ; }")
	h.run(h.inside, "nft add rule inet own in ct state established,related accept")
	h.run(h.inside, "nft add rule inet own in meta l4proto ipv6-icmp accept")
	s := h.start().await("IPv4 open", 5*time.Second, func(r report) bool { return r.Verdict == Open.String() })
	t.Logf("open after %v", s.After.Round(time.Millisecond))
	if s.Protocol != UPnP {
		t.Errorf("got %+v, want %s", s, UPnP)
	}
}

// TestRealNoRouter has a gateway that opens no ports: it answers nothing, or refuses all connections.
func TestRealNoRouter(t *testing.T) {
	for name, rule := range map[string]string{
		"silent":   "insert rule inet filter input meta l4proto { udp, tcp } drop",
		"refusing": "insert rule inet filter input meta l4proto { udp, tcp } reject",
	} {
		t.Run(name, func(t *testing.T) {
			h := newHome(t, realWAN, "enable_upnp=yes\nenable_natpmp=yes")
			h.nft(rule)
			m := h.start()
			s := m.await("a verdict", 5*time.Second, func(r report) bool { return r.Verdict != Asking.String() })
			t.Logf("%v after %v: %s", s.Verdict, s.After.Round(time.Millisecond), s.Err)
			if s.Verdict != None.String() || len(s.External) != 0 {
				t.Errorf("got %+v, want %v", s, None)
			}
			if took := m.stop(); took > 1200*time.Millisecond {
				t.Errorf("stopped after %v", took)
			}
		})
	}
}

// TestRealRouterShared has a router whose own address is that of a provider's customer among many, or of another router.
// Its firewall for IPv6 can still be opened.
func TestRealRouterShared(t *testing.T) {
	for _, wan := range []string{"100.64.3.4", "192.168.7.8"} {
		t.Run(wan, func(t *testing.T) {
			h := newHome(t, wan, "enable_upnp=yes\nenable_natpmp=yes")
			m := h.start()
			s := m.await("a verdict", 5*time.Second, func(r report) bool { return r.Verdict != Asking.String() && len(r.External) == 1 })
			t.Logf("%+v", s)
			if s.Verdict != Shared.String() || s.External[0].Addr().String() != realGlobal {
				t.Errorf("got %+v, want %v and IPv6", s, Shared)
			}
			if four, six := h.mapped(); four || !six {
				t.Errorf("the router has IPv4 %v, IPv6 %v", four, six)
			}
		})
	}
}
