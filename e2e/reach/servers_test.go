// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/reach/dht"
	"github.com/costream-obs/costream-obs/internal/reach/dht/dhttest"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

var libtorrent = flag.Bool("libtorrent", false, "let the nodes of the DHT be libtorrent's (Debian: python3-libtorrent), in place of the test's own")

const (
	dhtPort  = 6881
	turnPort = 3478
)

// nodeAddresses are those of the DHT's nodes, of IPv4 and of IPv6. Each is in a network of its own, as they are.
func nodeAddresses() (four, six []netip.Addr) {
	for k := range dhtNodes {
		four = append(four, netip.MustParseAddr(fmt.Sprintf("198.18.%d.1", k)))
		six = append(six, netip.MustParseAddr(fmt.Sprintf("2001:db8:f%02d::1", k)))
	}
	return four, six
}

// bootstrap are the nodes that a peer knows from the start.
func bootstrap() (all []string) {
	four, six := nodeAddresses()
	for _, a := range append(four[:2:2], six[:2]...) {
		all = append(all, netip.AddrPortFrom(a, dhtPort).String())
	}
	return all
}

// startDHT starts the nodes. They live until the test's end.
func (l *lab) startDHT() {
	l.t.Helper()
	if *libtorrent {
		l.startLibtorrent()
		return
	}
	four, six := nodeAddresses()
	var all []dht.Node
	for _, a := range append(four, six...) {
		var id dht.ID
		_, _ = rand.Read(id[:])
		all = append(all, dht.Node{ID: id, Addr: netip.AddrPortFrom(a, dhtPort)})
	}
	for _, n := range all {
		var conn net.PacketConn
		l.servers.within(func() (err error) {
			conn, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(n.Addr))
			return err
		})
		node, done := &dhttest.Node{Node: n, Known: all}, make(chan struct{})
		go func() {
			defer close(done)
			_ = node.Serve(conn) // until the socket is closed
		}()
		l.t.Cleanup(func() {
			_ = conn.Close()
			<-done
		})
	}
}

// startLibtorrent starts real nodes, fewer than of ours, since each takes a megabyte and some threads.
func (l *lab) startLibtorrent() {
	l.t.Helper()
	script, err := filepath.Abs("libtorrent-nodes")
	if err != nil {
		l.t.Fatal(err)
	}
	var addresses []string
	four, six := nodeAddresses()
	for _, a := range append(four[:8:8], six[:4]...) {
		addresses = append(addresses, a.String())
	}
	_, _, told := l.servers.start(l.servers.command("/usr/bin/python3", append([]string{"-W", "ignore", script}, addresses...)...))
	line, err := bufio.NewReader(told).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "ready") {
		l.t.Fatalf("libtorrent's nodes: %q, %v", line, err)
	}
}

// startRelay starts coturn and returns what a peer's configuration says of it.
func (l *lab) startRelay() string {
	l.t.Helper()
	program := l.server("turnserver")
	dir := l.t.TempDir()
	certificate, key := selfSigned(l.t, dir)
	l.relay = testbed.Start(l.t, l.servers.command(program,
		"-n", "--listening-ip="+serversAddr, "--relay-ip="+serversAddr, fmt.Sprintf("--listening-port=%d", turnPort),
		"--lt-cred-mech", "--user=lab:secret", "--realm=lab", "--cert="+certificate, "--pkey="+key,
		"--no-cli", "--no-multicast-peers", "--log-file=stdout", "--simple-log",
		"--pidfile="+filepath.Join(dir, "pid"), "--userdb="+filepath.Join(dir, "users"),
		"--denied-peer-ip=10.0.0.0-10.255.255.255", "--denied-peer-ip=172.16.0.0-172.31.255.255", "--denied-peer-ip=192.168.0.0-192.168.255.255",
	))
	testbed.Await(l.t, "coturn", patience, func() error {
		c, err := l.servers.dial("tcp4", fmt.Sprintf("%s:%d", serversAddr, turnPort))
		if err == nil {
			_ = c.Close()
		}
		return err
	})
	return fmt.Sprintf("turn:lab:secret@%s:%d", serversAddr, turnPort)
}

// server returns the path of a server program, or skips the test.
func (l *lab) server(program string) string {
	l.t.Helper()
	path := os.Getenv(envServer + "_" + program)
	if why, none := strings.CutPrefix(path, "!"); none {
		l.t.Skip(why)
	}
	return path
}

// selfSigned writes a certificate and its key to files.
func selfSigned(t testing.TB, dir string) (certificateFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"relay.test"}, NotAfter: time.Now().Add(24 * time.Hour)}
	certificate, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certificateFile, keyFile = filepath.Join(dir, "certificate.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{
		certificateFile: {Type: "CERTIFICATE", Bytes: certificate}, keyFile: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificateFile, keyFile
}
