// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// watchedConn reports its end. goobs ignores a reset connection (it handles a close frame and an end of file, but not a
// *net.OpError), so any error of Read is reported on dead and passed on as io.EOF.
//
// During the login goobs must learn of it late: it panics (send on closed channel) if the connection ends between OBS's
// hello and its own answer (v1.8.3 and v1.10.0, handleOpcodes).
type watchedConn struct {
	net.Conn
	in         *unframer
	answers    chan []byte // to batches; buffered
	soles      *soleItems
	once       sync.Once
	cause      error // valid once dead is closed
	dead       chan struct{}
	writes     atomic.Int32
	introduced chan struct{} // closed once goobs has written its part of the login
}

const (
	// loginWrites are the HTTP request and the answer to the hello.
	loginWrites = 2
	// loginGrace is enough time for goobs to answer a hello that it has read.
	loginGrace = time.Second
)

func watch(conn net.Conn) *watchedConn {
	c := &watchedConn{Conn: conn, answers: make(chan []byte, 1), soles: &soleItems{}, dead: make(chan struct{}), introduced: make(chan struct{})}
	c.in = newUnframer(quickConn{conn}, func(answer []byte) {
		select {
		case c.answers <- answer:
		default: // nobody asked
		}
	})
	c.in.seen = c.soles.note
	return c
}

// quickConn is a connection that acknowledges immediately what it reads.
type quickConn struct{ net.Conn }

func (c quickConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == nil {
		quickAck(c.Conn)
	}
	return n, err
}

func (c *watchedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if c.writes.Add(1) == loginWrites {
		close(c.introduced)
	}
	return n, err
}

func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	if err == nil {
		return n, nil
	}
	c.once.Do(func() {
		c.cause = err
		close(c.dead)
	})
	select {
	case <-c.introduced:
	case <-time.After(loginGrace):
	}
	return n, io.EOF
}

// quickAck acknowledges immediately what was read. OBS writes an event and then the answer to a request in two small
// packets, and its kernel holds the second back until the first is acknowledged: 40 ms otherwise, 0.1 to 1 ms with it
// (measured). The kernel forgets the option, so it is set after each read.
func quickAck(conn net.Conn) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	// Without it the connection is slow but works.
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	})
}
