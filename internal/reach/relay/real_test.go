// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
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

// coturn starts a coturn on this machine, with further arguments, and returns how to get there.
func coturn(t *testing.T, args ...string) (s Server, tlsPort int) {
	t.Helper()
	s, tlsPort, _ = restartable(t, args...)
	return s, tlsPort
}

// restartable starts one that can be killed and started again at the same ports.
func restartable(t *testing.T, args ...string) (s Server, tlsPort int, restart func()) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts coturn; not run with -short")
	}
	if _, err := exec.LookPath("turnserver"); err != nil {
		t.Skipf("needs turnserver (Debian: coturn): %v", err)
	}
	dir := t.TempDir()
	made := certificate(t)
	key, err := x509.MarshalECPrivateKey(made.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: made.Certificate[0]}, "key.pem": {Type: "EC PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	port := testbed.FreeUDPPorts(t, 4)
	command := testbed.Command{Name: "coturn", Path: "turnserver", Args: append([]string{
		"-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--allow-loopback-peers", "--no-cli", "--realm=" + testRealm,
		"--listening-port=" + strconv.Itoa(port), "--tls-listening-port=" + strconv.Itoa(port+2), "--min-port=49152", "--max-port=65535",
		"--cert=" + filepath.Join(dir, "cert.pem"), "--pkey=" + filepath.Join(dir, "key.pem"), "--no-dtls",
		"--log-file=stdout", "--pidfile=" + filepath.Join(dir, "pid"), "--userdb=" + filepath.Join(dir, "users"),
	}, args...)}
	process := testbed.Start(t, command)
	await := func() {
		t.Helper()
		testbed.Await(t, "coturn", patience, func() error {
			c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port+2)))
			if err != nil {
				return fmt.Errorf("%w; it says %s", err, process.Output())
			}
			return c.Close()
		})
	}
	await()
	restart = func() {
		t.Helper()
		process.Kill()
		process = testbed.Start(t, command)
		await()
	}
	s = Server{User: testUser, Password: testPassword, Host: "127.0.0.1", Port: uint16(port), Transports: []Transport{UDP, TCP, TLS}}
	return s, port + 2, restart
}

// withPassword are the arguments for a user with a password.
func withPassword() []string {
	return []string{"--lt-cred-mech", "--user=" + testUser + ":" + testPassword}
}

// TestRealCoturn exchanges datagrams through a coturn: over each transport where those before it are blocked, and as a user
// whose password coturn derives from a secret.
func TestRealCoturn(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		tls  bool
		want Transport
	}{
		{"UDP", nil, false, UDP},
		{"UDP blocked", []string{"--no-udp"}, false, TCP},
		{"UDP and TCP blocked", []string{"--no-udp", "--no-tcp"}, true, TLS},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, tlsPort := coturn(t, append(withPassword(), test.args...)...)
			if test.tls {
				s.Port = uint16(tlsPort)
			}
			check(t, s, test.want)
		})
	}
	t.Run("secret", func(t *testing.T) {
		s, _ := coturn(t, "--use-auth-secret", "--static-auth-secret=north")
		s.User = fmt.Sprint(time.Now().Add(time.Hour).Unix(), ":", testUser)
		mac := hmac.New(sha1.New, []byte("north"))
		mac.Write([]byte(s.User))
		s.Password = base64.StdEncoding.EncodeToString(mac.Sum(nil))
		check(t, s, UDP)
	})
	t.Run("wrong password", func(t *testing.T) {
		s, _ := coturn(t, withPassword()...)
		s.Password = "another password"
		if got := run(t, s).await(t, "error", failed).Err; got != ErrRefused {
			t.Errorf("got %v, want %v", got, ErrRefused)
		}
	})
}

func check(t *testing.T, s Server, want Transport) {
	t.Helper()
	p := newPeer(t, "127.0.0.1")
	began := time.Now()
	r := run(t, s)
	state := r.await(t, "address", hasAddress)
	t.Logf("%v after %v", state, time.Since(began).Round(time.Millisecond))
	if state.Transport != want {
		t.Errorf("got %v, want %v", state.Transport, want)
	}
	r.Permit([]netip.Addr{netip.MustParseAddr("192.0.2.9"), p.at.Addr(), netip.MustParseAddr("2001:db8::9")})
	exchange(t, r, p, "first")
	for n := range 300 {
		exchange(t, r, p, strings.Repeat("x", 1+n*4+n%4))
	}
}

// TestRealCoturnLoss sends as much as a call does, and counts what is lost and how long it takes.
func TestRealCoturnLoss(t *testing.T) {
	s, _ := coturn(t, withPassword()...)
	p := newPeer(t, "127.0.0.1")
	for _, over := range []Transport{UDP, TCP} {
		s.Transports = []Transport{over}
		r := run(t, s)
		r.await(t, "address", hasAddress)
		r.Permit([]netip.Addr{p.at.Addr()})
		exchange(t, r, p, "first")
		packet := bytes.Repeat([]byte{'x'}, 1200)
		const packets = 3000
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for range packets / 6 { // 6 Mbit/s
			for range 6 {
				r.Send(p.at, packet)
			}
			<-tick.C
		}
		came := 0
		for quiet := false; !quiet; {
			select {
			case <-r.came:
				came++
			case <-time.After(500 * time.Millisecond):
				quiet = true
			}
		}
		t.Logf("%v: %d of %d came back", over, came, packets)
		if came < packets*98/100 {
			t.Errorf("%v: only %d of %d came back", over, came, packets)
		}
		r.stop()
	}
}

// TestRealCoturnRefused: an address that the relay may not send to costs the others nothing.
func TestRealCoturnRefused(t *testing.T) {
	s, _ := coturn(t, append(withPassword(), "--denied-peer-ip=127.0.0.3-127.0.0.3")...)
	refused, friend := newPeer(t, "127.0.0.3"), newPeer(t, "127.0.0.1")
	r := run(t, s)
	state := r.await(t, "address", hasAddress)
	r.Permit([]netip.Addr{refused.at.Addr(), friend.at.Addr()})
	exchange(t, r, friend, "first")
	for range 20 {
		r.Send(refused.at, []byte("to one whom the server refuses"))
	}
	exchange(t, r, friend, "last")
	if len(refused.came) > 0 || r.State() != state {
		t.Errorf("%d datagrams came to a refused one, and the state is %+v; want none, and %+v", len(refused.came), r.State(), state)
	}
}

// TestRealCoturnRestart kills the coturn in mid-call and starts it again.
func TestRealCoturnRestart(t *testing.T) {
	s, _, restart := restartable(t, withPassword()...)
	for _, over := range []Transport{UDP, TCP} {
		s.Transports = []Transport{over}
		p := newPeer(t, "127.0.0.1")
		r := run(t, s)
		first := r.await(t, "address", hasAddress)
		r.Permit([]netip.Addr{p.at.Addr()})
		exchange(t, r, p, "before")
		restart()
		began := time.Now()
		exchange(t, r, p, "after")
		took := time.Since(began)
		t.Logf("%v: back %v after coturn was, at %v after %v", over, took.Round(time.Millisecond), r.State().Address, first.Address)
		if took > patience {
			t.Errorf("back after %v", took)
		}
		r.stop()
	}
}
