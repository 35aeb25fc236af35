// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v4"
)

const (
	patience     = 10 * time.Second
	testUser     = "eva"
	testPassword = "password of a test"
	testRealm    = "test"
)

// turnServer is pion's server, which can be stopped and started again at the same port.
type turnServer struct {
	t    *testing.T
	at   netip.AddrPort
	over map[Transport]bool

	mu      sync.Mutex
	refused map[string]bool // peers without permission
	running *turn.Server
}

func newTURNServer(t *testing.T, over ...Transport) *turnServer {
	t.Helper()
	s := &turnServer{t: t, over: map[Transport]bool{}, refused: map[string]bool{}}
	for _, o := range over {
		s.over[o] = true
	}
	s.start()
	t.Cleanup(s.stop)
	return s
}

// server is how to get there as a client.
func (s *turnServer) server() Server {
	return Server{User: testUser, Password: testPassword, Host: s.at.Addr().String(), Port: s.at.Port(), Transports: []Transport{UDP, TCP, TLS}}
}

// start starts the server, at its old port if it had one.
func (s *turnServer) start() {
	s.t.Helper()
	if !s.at.IsValid() {
		s.at = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 0)
	}
	addresses := &turn.RelayAddressGeneratorStatic{RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1"}
	permit := func(_ net.Addr, ip net.IP) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return !s.refused[ip.String()]
	}
	config := turn.ServerConfig{
		Realm:         testRealm,
		LoggerFactory: &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled},
		AuthHandler: func(user, realm string, _ net.Addr) ([]byte, bool) {
			return turn.GenerateAuthKey(user, realm, testPassword), user == testUser
		},
	}
	if s.over[TCP] || s.over[TLS] {
		l, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(s.at))
		if err != nil {
			s.t.Fatal(err)
		}
		s.at = l.Addr().(*net.TCPAddr).AddrPort()
		var listener net.Listener = l
		if s.over[TLS] {
			listener = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate(s.t)}})
		}
		config.ListenerConfigs = []turn.ListenerConfig{{Listener: listener, RelayAddressGenerator: addresses, PermissionHandler: permit}}
	}
	if s.over[UDP] {
		conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(s.at))
		if err != nil {
			s.t.Fatal(err)
		}
		s.at = conn.LocalAddr().(*net.UDPAddr).AddrPort()
		config.PacketConnConfigs = []turn.PacketConnConfig{{PacketConn: conn, RelayAddressGenerator: addresses, PermissionHandler: permit}}
	}
	server, err := turn.NewServer(config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.running = server
}

// stop ends the server, which forgets all leases.
func (s *turnServer) stop() {
	if s.running != nil {
		_ = s.running.Close()
		s.running = nil
	}
}

// certificate is one that nobody vouches for.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// running is a client that runs until the test ends, and what it took in.
type running struct {
	*Client
	came chan string
	stop func()

	mu   sync.Mutex
	from map[netip.Addr]bool
}

// sources are the addresses from which something came.
func (r *running) sources() (all []netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for a := range r.from {
		all = append(all, a)
	}
	return all
}

func run(t *testing.T, s Server) *running {
	t.Helper()
	r := &running{came: make(chan string, 1<<16), from: map[netip.Addr]bool{}}
	r.Client = New(Options{Server: s, Take: func(from netip.AddrPort, b []byte) {
		r.mu.Lock()
		r.from[from.Addr()] = true
		r.mu.Unlock()
		select {
		case r.came <- string(b):
		default:
		}
	}})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Run(ctx)
	}()
	r.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case <-ended:
		case <-time.After(patience):
			t.Error("Run does not end")
		}
	})
	t.Cleanup(r.stop)
	return r
}

// await waits for a state of the client.
func (r *running) await(t *testing.T, what string, want func(State) bool) State {
	t.Helper()
	deadline := time.After(3 * patience)
	for {
		if s := r.State(); want(s) {
			return s
		}
		select {
		case <-r.Changed():
		case <-deadline:
			t.Fatalf("no %s; the state is %+v", what, r.State())
		}
	}
}

func hasAddress(s State) bool { return s.Address.IsValid() }
func failed(s State) bool     { return s.Err != nil }

// peer is a socket that answers each datagram with what it got.
type peer struct {
	conn *net.UDPConn
	at   netip.AddrPort
	came chan string
}

func newPeer(t *testing.T, addr string) *peer {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(addr)})
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{conn: conn, at: conn.LocalAddr().(*net.UDPAddr).AddrPort(), came: make(chan string, 1<<16)}
	ended := make(chan struct{})
	t.Cleanup(func() { _ = conn.Close(); <-ended })
	go func() {
		defer close(ended)
		b := make([]byte, maxFrame)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			select {
			case p.came <- string(b[:n]):
			default:
			}
			_, _ = conn.WriteToUDPAddrPort(b[:n], from)
		}
	}()
	return p
}
