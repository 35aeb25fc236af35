// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"io"
	"net"
	"sync"
)

// watchedConn tells of its death. goobs takes no notice of a reset connection
// (it handles a close frame and an end of file, but not a *net.OpError), so
// any error of Read is reported on dead and handed on as io.EOF.
type watchedConn struct {
	net.Conn
	once  sync.Once
	cause error // valid once dead is closed
	dead  chan struct{}
}

func watch(conn net.Conn) *watchedConn {
	return &watchedConn{Conn: conn, dead: make(chan struct{})}
}

func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == nil {
		return n, nil
	}
	c.once.Do(func() {
		c.cause = err
		close(c.dead)
	})
	return n, io.EOF
}
