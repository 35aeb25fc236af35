// SPDX-License-Identifier: Apache-2.0

package media

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// The kernel's answer about one socket takes microseconds, while its tables take
// milliseconds to read, however few connections there are. But it knows such questions
// only where its module tcp_diag is there or can be loaded.
//
// Layout (linux/sock_diag.h, linux/inet_diag.h):
//
//	nlmsghdr          length, type, flags, sequence, port id
//	inet_diag_req_v2  family, protocol, extensions, pad, states, inet_diag_sockid
//	inet_diag_sockid  source port, destination port, source, destination, interface, cookie
//	inet_diag_msg     family, state, timer, retransmits, inet_diag_sockid, expires, rqueue, wqueue, uid, inode
const (
	diagHeader  = unix.SizeofNlMsghdr
	diagSockID  = 48
	diagRequest = diagHeader + 8 + diagSockID
	diagAnswer  = diagHeader + 4 + diagSockID + 20

	// Offsets in inet_diag_msg.
	diagUnread = 4 + diagSockID + 4 // rqueue: received, but not read yet
	diagUser   = 4 + diagSockID + 12

	sockDiagByFamily = 20
	tcpEstablished   = 1
)

// askOwners asks for the users of connections one by one. A connection that is missing in the answer is closed, or the
// kernel does not know these questions.
func askOwners(wanted []tcpEnds) (map[tcpEnds]int, error) {
	d, err := openDiag()
	if err != nil {
		return nil, err
	}
	defer d.close()
	owners := make(map[tcpEnds]int, len(wanted))
	for _, ends := range wanted {
		answer, err := d.ask(ends)
		if err != nil {
			return owners, err
		}
		if m, ok := diagMessage(ends, answer); ok {
			owners[ends] = int(binary.NativeEndian.Uint32(m[diagUser:]))
		}
	}
	return owners, nil
}

// tcpDiag asks the kernel for sockets.
type tcpDiag struct {
	fd     int
	answer []byte
}

func openDiag() (*tcpDiag, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return nil, fmt.Errorf("ask the kernel for sockets: %w", err)
	}
	// The kernel answers immediately; the timeout is for one that does not.
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1}); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("ask the kernel for sockets: %w", err)
	}
	return &tcpDiag{fd, make([]byte, 4096)}, nil
}

func (d *tcpDiag) close() { _ = unix.Close(d.fd) }

// ask returns the kernel's answer, which is valid until the next.
func (d *tcpDiag) ask(ends tcpEnds) ([]byte, error) {
	if err := unix.Sendto(d.fd, diagQuestion(ends), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, fmt.Errorf("ask the kernel for a socket: %w", err)
	}
	n, _, err := unix.Recvfrom(d.fd, d.answer, 0)
	if err != nil {
		return nil, fmt.Errorf("ask the kernel for a socket: %w", err)
	}
	return d.answer[:n], nil
}

func diagQuestion(ends tcpEnds) []byte {
	b := make([]byte, diagRequest)
	binary.NativeEndian.PutUint32(b[0:], diagRequest)
	binary.NativeEndian.PutUint16(b[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST)
	b[diagHeader] = unix.AF_INET
	if ends.from.Addr().Is6() {
		b[diagHeader] = unix.AF_INET6
	}
	b[diagHeader+1] = unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(b[diagHeader+4:], 1<<tcpEstablished)
	id := b[diagHeader+8:]
	binary.BigEndian.PutUint16(id[0:], ends.from.Port())
	binary.BigEndian.PutUint16(id[2:], ends.to.Port())
	copy(id[4:20], ends.from.Addr().AsSlice())
	copy(id[20:36], ends.to.Addr().AsSlice())
	for i := 40; i < diagSockID; i++ {
		id[i] = 0xff // No cookie: any socket with these ends.
	}
	return b
}

// diagMessage returns the part of the answer that is about the connection. If there is no such connection, the kernel answers
// with a listener.
func diagMessage(ends tcpEnds, b []byte) (m []byte, ok bool) {
	if len(b) < diagAnswer || binary.NativeEndian.Uint16(b[4:]) != sockDiagByFamily {
		return nil, false
	}
	m = b[diagHeader:]
	return m, m[1] == tcpEstablished && binary.BigEndian.Uint16(m[4:]) == ends.from.Port() && binary.BigEndian.Uint16(m[6:]) == ends.to.Port()
}
