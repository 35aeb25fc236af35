// SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
)

const (
	// queueLength is how many packets may wait for a socket: several key frames of 1080p.
	queueLength = 1024

	// goodbyeTimeout bounds the wait for a socket that takes nothing when the link ends.
	goodbyeTimeout = 100 * time.Millisecond
)

// outlet is the way out through one socket. Whoever has something to send leaves it in the queue and goes on; one
// goroutine waits for the network.
type outlet struct {
	conn    *net.UDPConn
	log     *slog.Logger
	dropped atomic.Uint64 // datagrams that found the queue full, or that the socket refused

	queue chan *datagram
	spare sync.Pool // of *datagram

	failing bool // the last write failed; used by the writing goroutine alone
}

type datagram struct {
	to    netip.AddrPort
	bytes []byte
}

func newOutlet(conn *net.UDPConn, log *slog.Logger) *outlet {
	return &outlet{
		conn: conn, log: log,
		queue: make(chan *datagram, queueLength),
		spare: sync.Pool{New: func() any { return &datagram{bytes: make([]byte, 0, 1500)} }},
	}
}

// sendRTP queues an RTP packet.
func (o *outlet) sendRTP(to netip.AddrPort, header *rtp.Header, payload []byte) {
	d := o.spare.Get().(*datagram)
	size := header.MarshalSize()
	if cap(d.bytes) < size+len(payload) {
		d.bytes = make([]byte, 0, size+len(payload))
	}
	n, err := header.MarshalTo(d.bytes[:size])
	if err != nil {
		o.spare.Put(d)
		o.dropped.Add(1)
		return
	}
	d.bytes = append(d.bytes[:n], payload...)
	d.to = to
	o.put(d)
}

// send queues a datagram.
func (o *outlet) send(to netip.AddrPort, bytes []byte) {
	d := o.spare.Get().(*datagram)
	d.to, d.bytes = to, append(d.bytes[:0], bytes...)
	o.put(d)
}

func (o *outlet) put(d *datagram) {
	select {
	case o.queue <- d:
	default:
		o.spare.Put(d)
		o.dropped.Add(1)
	}
}

// run writes what is queued until ctx ends and a deadline wakes it. What waits then is not sent any more.
func (o *outlet) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case d := <-o.queue:
			// With both ready, select takes either.
			if ctx.Err() != nil {
				return
			}
			o.write(d)
			o.spare.Put(d)
		}
	}
}

// flush writes what is queued, to be called when run has returned and nothing is queued any more.
func (o *outlet) flush() {
	_ = o.conn.SetWriteDeadline(time.Now().Add(goodbyeTimeout))
	for {
		select {
		case d := <-o.queue:
			o.write(d)
		default:
			return
		}
	}
}

// discard forgets what is queued.
func (o *outlet) discard() {
	for {
		select {
		case <-o.queue:
		default:
			return
		}
	}
}

// write sends a datagram. A network that is down, or a firewall that refuses, is no reason to end: it may come back.
func (o *outlet) write(d *datagram) {
	_, err := o.conn.WriteToUDPAddrPort(d.bytes, d.to)
	if err != nil {
		o.dropped.Add(1)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return // the link ends
	}
	if failing := err != nil; failing != o.failing {
		o.failing = failing
		if failing {
			o.log.Warn("cannot send to peer", "peer", d.to, "err", err)
		} else {
			o.log.Info("can send to peer again", "peer", d.to)
		}
	}
}
