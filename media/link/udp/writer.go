// SPDX-License-Identifier: Apache-2.0

package udp

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
	"golang.org/x/sys/unix"
)

const (
	// QueueLength is how many datagrams may wait for a socket: several key frames of 1080p.
	QueueLength = 1024

	// goodbyeTimeout bounds the wait for a socket that takes nothing when the link ends.
	goodbyeTimeout = 100 * time.Millisecond
)

// Writer sends datagrams through one socket. Whoever has something to send leaves it in the queue and goes on; one
// goroutine waits for the network.
type Writer struct {
	// Leaves, if any, is called when a datagram of SendNumbered goes to the kernel. It must be set before Run is called, and
	// must not block.
	Leaves func(number uint16, at time.Time)

	conn    *net.UDPConn
	log     *slog.Logger
	dropped atomic.Uint64

	marks controls // nil where marks are refused; used by the writing goroutine alone
	queue chan *datagram
	spare sync.Pool // of *datagram

	failing bool // the last write failed; used by the writing goroutine alone
}

type datagram struct {
	to       netip.AddrPort
	bytes    []byte
	mark     Mark
	number   uint16
	numbered bool
}

// NewWriter returns a writer on a socket. It logs when sending begins to fail and when it works again.
func NewWriter(conn *net.UDPConn, log *slog.Logger) *Writer {
	return &Writer{
		conn: conn, log: log, marks: newControls(Interactive),
		queue: make(chan *datagram, QueueLength),
		spare: sync.Pool{New: func() any { return &datagram{bytes: make([]byte, 0, 1500)} }},
	}
}

// SendRTP queues an RTP packet.
func (w *Writer) SendRTP(to netip.AddrPort, header *rtp.Header, payload []byte) {
	d := w.spare.Get().(*datagram)
	size := header.MarshalSize()
	if cap(d.bytes) < size+len(payload) {
		d.bytes = make([]byte, 0, size+len(payload))
	}
	n, err := header.MarshalTo(d.bytes[:size])
	if err != nil {
		w.spare.Put(d)
		w.dropped.Add(1)
		return
	}
	d.bytes = append(d.bytes[:n], payload...)
	d.to, d.mark, d.numbered = to, Plain, false
	w.put(d)
}

// Send queues a datagram.
func (w *Writer) Send(to netip.AddrPort, bytes []byte) { w.queueMarked(to, bytes, Plain) }

// SendMedia queues a datagram of picture or sound.
func (w *Writer) SendMedia(to netip.AddrPort, bytes []byte) { w.queueMarked(to, bytes, Interactive) }

func (w *Writer) queueMarked(to netip.AddrPort, bytes []byte, mark Mark) {
	d := w.spare.Get().(*datagram)
	d.to, d.bytes, d.mark, d.numbered = to, append(d.bytes[:0], bytes...), mark, false
	w.put(d)
}

// SendNumbered queues a datagram of picture or sound, whose number is passed to Leaves.
func (w *Writer) SendNumbered(to netip.AddrPort, bytes []byte, number uint16) {
	d := w.spare.Get().(*datagram)
	d.to, d.bytes, d.mark, d.number, d.numbered = to, append(d.bytes[:0], bytes...), Interactive, number, true
	w.put(d)
}

func (w *Writer) put(d *datagram) {
	select {
	case w.queue <- d:
	default:
		w.spare.Put(d)
		w.dropped.Add(1)
	}
}

// Run writes what is queued until ctx ends and a deadline wakes it. What waits then is not sent any more.
func (w *Writer) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case d := <-w.queue:
			// With both ready, select takes either.
			if ctx.Err() != nil {
				return
			}
			w.write(d)
			w.spare.Put(d)
		}
	}
}

// Flush writes what is queued. Call it when Run has returned and nothing is queued any more.
func (w *Writer) Flush() {
	_ = w.conn.SetWriteDeadline(time.Now().Add(goodbyeTimeout))
	for {
		select {
		case d := <-w.queue:
			w.write(d)
		default:
			return
		}
	}
}

// Dropped is how many datagrams found the queue full, or were refused by the socket.
func (w *Writer) Dropped() uint64 { return w.dropped.Load() }

// Discard forgets what is queued.
func (w *Writer) Discard() {
	for {
		select {
		case <-w.queue:
		default:
			return
		}
	}
}

// write sends a datagram. A network that is down, or a firewall that refuses, is no reason to end: it may come back.
func (w *Writer) write(d *datagram) {
	if d.numbered && w.Leaves != nil {
		w.Leaves(d.number, time.Now())
	}
	_, _, err := w.conn.WriteMsgUDPAddrPort(d.bytes, w.marks.of(d.mark, d.to.Addr()), d.to)
	if w.marks != nil && (errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL)) && d.mark != Plain {
		// It may be the mark, which old kernels grant to root alone.
		if _, errPlain := w.conn.WriteToUDPAddrPort(d.bytes, d.to); errPlain == nil {
			w.marks, err = nil, nil
		}
	}
	if err != nil {
		w.dropped.Add(1)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return // the link ends
	}
	if failing := err != nil; failing != w.failing {
		w.failing = failing
		if failing {
			w.log.Warn("cannot send to peer", "peer", d.to, "err", err)
		} else {
			w.log.Info("can send to peer again", "peer", d.to)
		}
	}
}
