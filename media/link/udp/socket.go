// SPDX-License-Identifier: Apache-2.0

package udp

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Read passes on what comes in, until ctx ends and a deadline wakes it, or the socket dies. The bytes are valid only
// during the call of take. at is when the datagram arrived: on a busy machine the kernel may have had it long before it is
// read.
func Read(ctx context.Context, conn *net.UDPConn, take func(at time.Time, from netip.AddrPort, datagram []byte)) error {
	buf, control := make([]byte, 1<<16), make([]byte, controlSize)
	var clock arrivalClock
	for {
		n, c, _, from, err := conn.ReadMsgUDPAddrPort(buf, control)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("receive from %v: %w", conn.LocalAddr(), err)
		}
		take(clock.arrival(time.Now(), control[:c]), netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), buf[:n])
	}
}

// KeepWhole asks the kernel not to split what it sends, nor to remember what did not fit, so that each probe tries the way
// itself. Where that is refused larger probes get through in pieces.
func KeepWhole(conn *net.UDPConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		// A socket for both kinds of addresses has both options.
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE)
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_PROBE)
	})
}

// LocalAddr is the address and port that a socket is bound to.
func LocalAddr(conn *net.UDPConn) netip.AddrPort { return conn.LocalAddr().(*net.UDPAddr).AddrPort() }
