// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"github.com/pion/stun/v3"
)

// forwarder stands between a client and its server, notes what the server sends, and adds datagrams in its name.
type forwarder struct {
	at    netip.AddrPort
	front *net.UDPConn

	mu       sync.Mutex
	client   netip.AddrPort
	captured [][]byte
}

func newForwarder(t *testing.T, server netip.AddrPort) *forwarder {
	t.Helper()
	front, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	back, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(server))
	if err != nil {
		t.Fatal(err)
	}
	f := &forwarder{front: front, at: front.LocalAddr().(*net.UDPAddr).AddrPort()}
	var both sync.WaitGroup
	t.Cleanup(func() { _, _ = front.Close(), back.Close(); both.Wait() })
	both.Add(2)
	go func() {
		defer both.Done()
		b := make([]byte, maxFrame)
		for {
			n, from, err := front.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			f.mu.Lock()
			f.client = from
			f.mu.Unlock()
			_, _ = back.Write(b[:n])
		}
	}()
	go func() {
		defer both.Done()
		b := make([]byte, maxFrame)
		for {
			n, err := back.Read(b)
			if err != nil {
				return
			}
			f.mu.Lock()
			if len(f.captured) < 1000 {
				f.captured = append(f.captured, slices.Clone(b[:n]))
			}
			f.mu.Unlock()
			f.inject(b[:n])
		}
	}()
	return f
}

func (f *forwarder) inject(b []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, _ = f.front.WriteToUDPAddrPort(b, f.client)
}

func (f *forwarder) seen() [][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.captured)
}

// forger makes messages as somebody can who sees all that the server sends and lacks the password.
type forger struct {
	rng      *rand.Rand
	captured [][]byte
	relayed  netip.AddrPort
}

func (f *forger) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(f.rng.Uint32())
	}
	return b
}

// next returns a message of any kind: made up, captured, or captured and changed.
func (f *forger) next() []byte {
	switch f.rng.IntN(6) {
	case 0: // anything
		return f.bytes(f.rng.IntN(100))
	case 1: // channel data, with any length that it claims to have
		b := append([]byte{0x40, byte(f.rng.IntN(4)), 0, 0}, f.bytes(f.rng.IntN(100))...)
		binary.BigEndian.PutUint16(b[2:], uint16(f.rng.IntN(len(b)+10)))
		return b
	case 2: // a message of STUN of any method and class, with attributes of TURN
		methods := []stun.Method{stun.MethodBinding, stun.MethodAllocate, stun.MethodRefresh, stun.MethodSend, stun.MethodData,
			stun.MethodCreatePermission, stun.MethodChannelBind, stun.MethodConnect, stun.MethodConnectionAttempt}
		setters := []stun.Setter{stun.TransactionID, stun.NewType(methods[f.rng.IntN(len(methods))], stun.MessageClass(f.rng.IntN(4)))}
		for range f.rng.IntN(6) {
			attributes := []stun.AttrType{stun.AttrXORPeerAddress, stun.AttrData, stun.AttrXORRelayedAddress, stun.AttrLifetime,
				stun.AttrErrorCode, stun.AttrNonce, stun.AttrRealm, stun.AttrConnectionID, stun.AttrMessageIntegrity}
			setters = append(setters, stun.RawAttribute{Type: attributes[f.rng.IntN(len(attributes))], Value: f.bytes(f.rng.IntN(40))})
		}
		if m, err := stun.Build(setters...); err == nil {
			return m.Raw
		}
		return nil
	case 3: // the server has forgotten us
		methods := []stun.Method{stun.MethodRefresh, stun.MethodCreatePermission, stun.MethodChannelBind}
		m := stun.MustBuild(stun.TransactionID, stun.NewType(methods[f.rng.IntN(3)], stun.ClassErrorResponse), stun.CodeAllocMismatch)
		return m.Raw
	}
	if len(f.captured) == 0 {
		return nil
	}
	b := slices.Clone(f.captured[f.rng.IntN(len(f.captured))])
	switch f.rng.IntN(4) {
	case 0:
		b[f.rng.IntN(len(b))] ^= byte(1 + f.rng.IntN(255))
	case 1:
		b = b[:f.rng.IntN(len(b))]
	case 2:
		b = append(b, f.bytes(f.rng.IntN(50))...)
	}
	return b
}
