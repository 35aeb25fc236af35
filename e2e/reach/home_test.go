// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// lab is all that one test needs: an internet, its servers and the homes. Nothing of it is shared with another test.
type lab struct {
	t        testing.TB
	internet *internet
	servers  *node // at serversAddr and others
	homes    []*home
	relay    *testbed.Process // coturn
}

// Addresses of the internet. Customers have 203.0.112.11 and so on. Those for documentation are of no use, since miniupnpd
// takes them for private ones; and nothing leaves the lab's namespaces.
const (
	serversAddr  = "203.0.112.200"
	serversAddr6 = "2001:db8::200"
	dhtNodes     = 16
)

func newLab(t testing.TB) *lab {
	t.Helper()
	l := &lab{t: t, internet: newInternet(t), servers: newNode(t, "servers")}
	l.internet.plug(l.servers, "wan")
	addresses := []string{"addr add " + serversAddr + "/24 dev wan", "addr add " + serversAddr6 + "/64 dev wan"}
	four, six := nodeAddresses()
	for k := range four {
		addresses = append(addresses, fmt.Sprintf("addr add %v/32 dev wan", four[k]), fmt.Sprintf("addr add %v/128 dev wan", six[k]))
	}
	l.servers.ip(addresses...)
	return l
}

// habits are those of a home's router.
type habits struct {
	ipv6      bool     // it has IPv6, with a firewall that lets nobody call
	noIPv4    bool     // and no IPv4 to the internet
	symmetric bool     // its NAT uses another port for each connection
	opens     bool     // it opens ports for those who ask: miniupnpd
	noUDP     bool     // lets no UDP through
	forwards  bool     // UDP 5000 is forwarded to the first computer, by hand, also for those at home (hairpin)
	behind    *carrier // the provider shares one address among customers
}

// home is a router and what is behind it. All homes use the same private addresses, as they do.
type home struct {
	habits
	l       *lab
	number  int
	router  *node
	daemon  *testbed.Process // miniupnpd
	wan     string           // address of the router
	prefix6 string           // without the ::
	pcs     int
}

func (l *lab) home(name string, h habits) *home {
	l.t.Helper()
	number := len(l.homes) + 1
	r := &home{habits: h, l: l, number: number, router: newNode(l.t, name+"-router"), prefix6: fmt.Sprintf("2001:db8:%d", number)}
	r.router.sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
	if h.behind != nil {
		r.wan = fmt.Sprintf("100.64.0.%d", 10+number)
		h.behind.plug(r.router)
	} else {
		r.wan = fmt.Sprintf("203.0.112.%d", 10+number)
		l.internet.plug(r.router, "wan")
	}
	r.router.ip("link add br-lan type bridge", "link set br-lan up", "addr add 192.168.1.1/24 dev br-lan")
	if !h.noIPv4 {
		r.router.ip("addr add " + r.wan + "/24 dev wan")
		gateway := serversAddr
		if h.behind != nil {
			gateway = "100.64.0.1"
		}
		r.router.ip("route add default via " + gateway)
	}
	if h.ipv6 {
		r.router.ip("addr add "+r.prefix6+"::1/64 dev br-lan", "addr add "+r.wan6()+"/64 dev wan", "route add default via "+serversAddr6)
		l.servers.ip("route add " + r.prefix6 + "::/64 via " + r.wan6())
		for _, other := range l.homes {
			if other.ipv6 {
				r.router.ip("route add " + other.prefix6 + "::/64 via " + other.wan6())
				other.router.ip("route add " + r.prefix6 + "::/64 via " + r.wan6())
			}
		}
	}
	r.router.nft(r.rules())
	if h.opens {
		r.startDaemon()
	}
	l.homes = append(l.homes, r)
	return r
}

func (r *home) wan6() string { return fmt.Sprintf("2001:db8::%d", 10+r.number) }

// rules are the router's NAT and firewall. Nobody may call, and nobody at home is hindered.
func (r *home) rules() string {
	masquerade, forward, hairpin := "masquerade", "", ""
	if r.symmetric {
		masquerade = "masquerade fully-random"
	}
	if r.noUDP {
		forward = "meta l4proto udp drop"
	}
	if r.forwards {
		forward = "ip daddr 192.168.1.2 udp dport 5000 accept"
		hairpin = fmt.Sprintf("ip daddr %s udp dport 5000 dnat ip to 192.168.1.2:5000", r.wan)
		masquerade += `
		meta nfproto ipv4 iifname "br-lan" oifname "br-lan" masquerade`
	}
	return fmt.Sprintf(`table inet filter {
	chain miniupnpd {}
	chain prerouting_miniupnpd {}
	chain postrouting_miniupnpd {}
	chain input {
		type filter hook input priority 0; policy drop;
		ct state established,related accept
		meta l4proto ipv6-icmp accept
		iifname { "lo", "br-lan" } accept
	}
	chain forward {
		type filter hook forward priority 0; policy drop;
		%s
		ct state established,related accept
		iifname "br-lan" accept
		jump miniupnpd
	}
	chain prerouting {
		type nat hook prerouting priority -100;
		jump prerouting_miniupnpd
		%s
	}
	chain postrouting {
		type nat hook postrouting priority 100;
		jump postrouting_miniupnpd
		meta nfproto ipv4 oifname "wan" %s
	}
}
`, forward, hairpin, masquerade)
}

// startDaemon starts miniupnpd, which asks for nothing but its configuration.
func (r *home) startDaemon() {
	r.l.t.Helper()
	program := r.l.server("miniupnpd")
	config := []string{
		"ext_ifname=wan", "listening_ip=br-lan", "enable_natpmp=yes", "enable_upnp=yes", "secure_mode=yes",
		"upnp_table_name=filter", "upnp_nat_table_name=filter", "upnp_forward_chain=miniupnpd",
		"upnp_nat_chain=prerouting_miniupnpd", "upnp_nat_postrouting_chain=postrouting_miniupnpd",
		"allow 1024-65535 192.168.1.0/24 1024-65535", "deny 0-65535 0.0.0.0/0 0-65535",
	}
	dir := r.l.t.TempDir()
	file := filepath.Join(dir, "miniupnpd.conf")
	if err := os.WriteFile(file, []byte(strings.Join(config, "\n")+"\n"), 0o600); err != nil {
		r.l.t.Fatal(err)
	}
	r.daemon = testbed.Start(r.l.t, r.router.command(program, "-d", "-f", file, "-P", filepath.Join(dir, "pid")))
	testbed.Await(r.l.t, "miniupnpd", patience, func() error {
		return inNamespace(r.router.path(), func() error {
			four, err := os.ReadFile("/proc/thread-self/net/udp")
			six, err6 := os.ReadFile("/proc/thread-self/net/udp6")
			if port := fmt.Sprintf(":%04X ", 5351); !strings.Contains(string(four)+string(six), port) { // of PCP and NAT-PMP
				return errors.Join(errors.New("it does not listen yet"), err, err6)
			}
			return nil
		})
	})
}

// restart takes the router's power away and gives it back: it forgets all connections and all ports that it opened.
func (r *home) restart() {
	r.l.t.Helper()
	r.router.ip("link set wan down")
	if r.daemon != nil {
		r.daemon.Kill()
	}
	r.router.nft("flush ruleset\n" + r.rules())
	r.router.forgetConnections()
	r.router.ip("link set wan up")
	if r.opens {
		r.startDaemon()
	}
}

// move gives the router another address at its provider.
func (r *home) move(wan string) {
	r.l.t.Helper()
	r.router.ip("addr del "+r.wan+"/24 dev wan", "addr add "+wan+"/24 dev wan", "route add default via "+serversAddr)
	r.wan = wan
	r.router.nft("flush ruleset\n" + r.rules())
	r.router.forgetConnections()
}

// cutIPv6 ends IPv6 at the router, as a provider's fault does: nobody is told.
func (r *home) cutIPv6() {
	r.l.t.Helper()
	r.router.nft("insert rule inet filter forward meta nfproto ipv6 drop")
}

// cutIPv4 does the same to IPv4.
func (r *home) cutIPv4() {
	r.l.t.Helper()
	r.router.nft("insert rule inet filter forward meta nfproto ipv4 drop")
}

// forward forwards the port to the first computer from now on. Connections that there are stay.
func (r *home) forward() {
	r.l.t.Helper()
	r.forwards = true
	r.router.nft("flush ruleset\n" + r.rules())
}

// pc is a computer at home.
type pc struct {
	*node
	home *home
}

// pc adds a computer: 192.168.1.2, then .3, and so on.
func (r *home) pc(name string) *pc {
	r.l.t.Helper()
	r.pcs++
	n := newNode(r.l.t, name)
	port := fmt.Sprintf("lan%d", r.pcs)
	connect(r.router, port, n, "eth0")
	r.router.ip("link set " + port + " master br-lan")
	commands := []string{fmt.Sprintf("addr add 192.168.1.%d/24 brd + dev eth0", 1+r.pcs)}
	if !r.noIPv4 {
		commands = append(commands, "route add default via 192.168.1.1")
	}
	if r.ipv6 {
		commands = append(commands, fmt.Sprintf("addr add %s::%d/64 dev eth0", r.prefix6, 1+r.pcs), "route add default via "+r.prefix6+"::1")
	}
	n.ip(commands...)
	return &pc{n, r}
}

// guard gives the computer a firewall that lets nobody call, as ufw does.
func (p *pc) guard() {
	p.t.Helper()
	p.nft(`table inet host {
	chain input {
		type filter hook input priority 0; policy drop;
		ct state established,related accept
		meta l4proto { icmp, ipv6-icmp } accept
		iifname "lo" accept
	}
}
`)
}

// carrier is a provider that has one address for all of its customers (CGNAT).
type carrier struct {
	node      *node
	customers int
}

func (l *lab) carrier() *carrier {
	l.t.Helper()
	n := newNode(l.t, "carrier")
	l.internet.plug(n, "wan")
	n.sysctl("net.ipv4.ip_forward=1")
	n.ip("addr add 203.0.112.99/24 dev wan", "route add default via "+serversAddr, "link add customers type bridge", "link set customers up", "addr add 100.64.0.1/24 dev customers")
	n.nft(`table ip filter {
	chain input {
		type filter hook input priority 0; policy drop;
		ct state established,related accept
	}
	chain forward {
		type filter hook forward priority 0; policy drop;
		ct state established,related accept
		iifname "customers" accept
	}
	chain postrouting {
		type nat hook postrouting priority 100;
		oifname "wan" masquerade
	}
}
`)
	return &carrier{node: n}
}

func (c *carrier) plug(router *node) {
	c.node.t.Helper()
	c.customers++
	port := fmt.Sprintf("line%d", c.customers)
	connect(c.node, port, router, "wan")
	c.node.ip("link set " + port + " master customers")
}
