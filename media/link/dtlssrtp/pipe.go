// SPDX-License-Identifier: Apache-2.0

package dtlssrtp

import (
	"net"
	"sync"
	"time"

	"github.com/pion/transport/v4/packetio"
)

const (
	// handshakeTimeout bounds one handshake; the next one begins with nothing left of it.
	handshakeTimeout = 5 * time.Second

	// flightInterval is the time after which lost handshake messages are sent again.
	flightInterval = 150 * time.Millisecond

	// maxHandshakeQueue bounds the datagrams that wait for the handshake, and maxUnencrypted those that it takes in all
	// before they are encrypted. A handshake has about ten.
	maxHandshakeQueue = 64
	maxUnencrypted    = 100
)

// Pipe is the network of one DTLS connection: datagrams come in from the link's socket and leave by send.
type Pipe struct {
	*packetio.Buffer
	send func([]byte)

	mu          sync.Mutex
	unencrypted int       // datagrams that came in
	sealed      time.Time // when the handshake was over; zero before
	last        []byte    // what we sent last in the handshake, which is one datagram for the one who answers
	repeated    time.Time // when that was sent again
}

// NewPipe returns a pipe that passes on to send what leaves it. Send must not block.
func NewPipe(send func([]byte)) *Pipe {
	p := &Pipe{Buffer: packetio.NewBuffer(), send: send}
	p.SetLimitCount(maxHandshakeQueue)
	return p
}

// Seal ends the time of unencrypted datagrams.
func (p *Pipe) Seal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sealed = time.Now()
}

// admit tells whether an unencrypted datagram of the handshake may pass. After the handshake none does, but then it may
// tell that our last one was lost, which is sent again.
func (p *Pipe) admit() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sealed.IsZero() {
		p.unencrypted++
		return p.unencrypted <= maxUnencrypted
	}
	if now := time.Now(); now.Sub(p.sealed) < handshakeTimeout && now.Sub(p.repeated) > flightInterval {
		p.repeated = now
		p.send(p.last)
	}
	return false
}

// Records of DTLS as their first bytes tell them (RFC 6347, 4.1).
const (
	recordCipherSpec = 20
	recordAlert      = 21
	recordHandshake  = 22
	recordHeader     = 13
)

// Put takes a datagram of the peer, or of somebody else, and tells whether it passed it on. In pion (v3.1.2) anybody's
// unencrypted alerts and handshake messages can end an established connection, and so can a change of cipher that claims
// to be encrypted; nonsense is answered with an alert that ends it at the peer; each handshake message that fits is kept.
// None of these pass.
func (p *Pipe) Put(datagram []byte) bool {
	plain := false
	for rest := datagram; len(rest) > 0; {
		if len(rest) < recordHeader {
			return false
		}
		size := recordHeader + (int(rest[11])<<8 | int(rest[12]))
		if size > len(rest) {
			return false
		}
		switch epoch := int(rest[3])<<8 | int(rest[4]); {
		case epoch == 1 && (rest[0] == recordHandshake || rest[0] == recordAlert):
		case epoch == 0 && (rest[0] == recordHandshake || rest[0] == recordCipherSpec && size == recordHeader+1 && rest[recordHeader] == 1):
			plain = true
		default:
			return false
		}
		rest = rest[size:]
	}
	if plain && !p.admit() {
		return false
	}
	_, err := p.Write(datagram) // a full or closed one drops it, like the network
	return err == nil
}

// ReadFrom implements net.PacketConn.
func (p *Pipe) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := p.Read(b)
	return n, p.RemoteAddr(), err
}

// WriteTo implements net.PacketConn.
func (p *Pipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	p.mu.Lock()
	if p.sealed.IsZero() {
		p.last = append(p.last[:0], b...)
	}
	p.mu.Unlock()
	p.send(b)
	return len(b), nil
}

// RemoteAddr stands for the peer wherever it is.
func (p *Pipe) RemoteAddr() net.Addr { return pipeAddr{} }

// LocalAddr implements net.PacketConn.
func (p *Pipe) LocalAddr() net.Addr { return pipeAddr{} }

// SetDeadline implements net.PacketConn.
func (p *Pipe) SetDeadline(t time.Time) error { return p.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn. Writing never blocks.
func (p *Pipe) SetWriteDeadline(time.Time) error { return nil }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "udp" }
func (pipeAddr) String() string  { return "peer" }
