// SPDX-License-Identifier: Apache-2.0

package udp

import (
	"net"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// controlSize has room for a timestamp, the only control message that we ask for.
	controlSize = 64

	// maxUnread bounds how long a datagram may have waited for us.
	maxUnread = time.Second

	// The wall clock counts as set when it differs from the steady one by clockSlack and by more than clockDrift of the time
	// since the last datagram. Time services change its speed by no more than half of that.
	clockSlack = 2 * time.Millisecond
	clockDrift = 1000 // one part of it
)

// stampArrivals asks the kernel to tell when each datagram arrives. Where that is refused, the time of the read counts.
func stampArrivals(conn *net.UDPConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) })
}

// arrivalClock tells when datagrams arrived, on the steady clock. The kernel's timestamps are of the wall clock, which may be
// set, so that each counts only as how long ago it was. The zero value is ready. Not safe for concurrent use.
type arrivalClock struct {
	last time.Time // datagram's read
	set  time.Time // when the wall clock was last seen to be set: no datagram counts as having come before
}

// arrival is when a datagram arrived that was read at now, as its control messages tell.
func (c *arrivalClock) arrival(now time.Time, control []byte) time.Time {
	c.watch(now)
	stamp, ok := timestamp(control)
	if !ok {
		return now
	}
	at := now.Add(-min(max(now.Round(0).Sub(stamp), 0), maxUnread))
	if at.Before(c.set) {
		return c.set
	}
	return at
}

// watch notices that the wall clock was set.
func (c *arrivalClock) watch(now time.Time) {
	if c.last.IsZero() {
		c.last, c.set = now, now.Add(-maxUnread)
	}
	steady := now.Sub(c.last)
	wall := now.Round(0).Sub(c.last.Round(0))
	if (wall - steady).Abs() > clockSlack+steady/clockDrift {
		c.set = now
	}
	c.last = now
}

// timestamp finds the kernel's timestamp among control messages.
func timestamp(control []byte) (stamp time.Time, ok bool) {
	for len(control) >= unix.SizeofCmsghdr {
		header, data, rest, err := unix.ParseOneSocketControlMessage(control)
		if err != nil {
			break
		}
		if header.Level == unix.SOL_SOCKET && header.Type == unix.SCM_TIMESTAMPNS {
			return timespec(data)
		}
		control = rest
	}
	return time.Time{}, false
}

// timespec reads a time as the kernel lays it out on this machine.
func timespec(b []byte) (t time.Time, ok bool) {
	var ts unix.Timespec
	raw := (*[unsafe.Sizeof(ts)]byte)(unsafe.Pointer(&ts))[:]
	if copy(raw, b) < len(raw) {
		return time.Time{}, false
	}
	return time.Unix(ts.Unix()), true
}
