// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"bufio"
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v3"
	"github.com/pion/turn/v4"
)

// nowhere is a connection on which nothing arrives.
type nowhere struct{ net.PacketConn }

func (nowhere) WriteTo(b []byte, _ net.Addr) (int, error) { return len(b), nil }

// FuzzInbound gives a client what seems to come from its server. No more than data may pass without the server's key.
func FuzzInbound(f *testing.F) {
	s := Server{User: testUser, Password: testPassword, Host: "127.0.0.1", Port: 1}
	g := newGuard(nowhere{}, s)
	client, err := turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: s.String(), Username: s.User, Password: s.Password, Conn: g, Net: connected{},
		LoggerFactory: &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled},
	})
	if err != nil {
		f.Fatal(err)
	}
	address := stun.RawAttribute{Type: stun.AttrXORPeerAddress, Value: []byte{0, 1, 2, 3, 4, 5, 6, 7}}
	f.Add([]byte{})
	f.Add([]byte{0x40, 0, 0, 4, 1, 2, 3, 4})
	f.Add([]byte("A000!\x12\xa4B0000000000000000000000000000"))
	f.Add(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodData, stun.ClassIndication), address, stun.RawAttribute{Type: stun.AttrData}).Raw)
	f.Add(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassErrorResponse), stun.CodeUnauthorized).Raw)
	f.Add(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodRefresh, stun.ClassErrorResponse), stun.CodeAllocMismatch).Raw)
	f.Fuzz(func(t *testing.T, b []byte) {
		switch g.admit(b) {
		case mismatch:
			t.Errorf("% x ends the lease", b)
		case good:
			if stun.IsMessage(b) && (b[0]&1 != 0 || b[1]&0x10 == 0) {
				t.Errorf("% x passes, which answers nothing", b)
			}
			_, _ = client.HandleInbound(b, &net.UDPAddr{})
		}
	})
}

// FuzzStream cuts anything into messages.
func FuzzStream(f *testing.F) {
	f.Add([]byte{0x40, 0, 0, 1, 9, 0, 0, 0, 0, 1, 0, 0})
	f.Add([]byte{0, 1, 0xff, 0xec, 0x21, 0x12, 0xa4, 0x42})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &stream{Conn: fromBytes{}, in: bufio.NewReaderSize(bytes.NewReader(b), maxFrame)}
		buf := make([]byte, maxFrame)
		sum := 0
		for {
			n, _, err := s.ReadFrom(buf)
			if err != nil {
				return
			}
			if sum += n; n < 4 || sum > len(b) {
				t.Fatalf("% x: a message of %d bytes", b, n)
			}
		}
	})
}

// fromBytes is the connection of a stream that is read from memory.
type fromBytes struct{ net.Conn }

func (fromBytes) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// TestGuardForgets: questions that nobody answers do not add up.
func TestGuardForgets(t *testing.T) {
	g := newGuard(nowhere{}, Server{})
	for range 1000 {
		if _, err := g.WriteTo(stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw, nil); err != nil {
			t.Fatal(err)
		}
	}
	for id := range g.asked {
		g.asked[id] = time.Now().Add(-2 * questionLife)
	}
	if _, err := g.WriteTo(stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw, nil); err != nil {
		t.Fatal(err)
	}
	if len(g.asked) != 1 {
		t.Errorf("got %d questions, want the newest alone", len(g.asked))
	}
}
