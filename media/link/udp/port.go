// SPDX-License-Identifier: Apache-2.0

package udp

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// PortError tells that a UDP port could not be bound. It wraps the system's error, for instance syscall.EADDRINUSE.
type PortError struct {
	Port    int
	Address netip.Addr // that was to be bound; the zero Addr stands for all
	PID     int        // of the process that has the port; 0 when that could not be found out
	Process string     // its name
	Err     error
}

func (e *PortError) Error() string {
	switch {
	case !errors.Is(e.Err, syscall.EADDRINUSE):
		if errors.Is(e.Err, syscall.EADDRNOTAVAIL) {
			return fmt.Sprintf("cannot listen on %v: this machine does not have that address; see: ip address", e.Address)
		}
		return fmt.Sprintf("cannot listen on UDP port %d: %v", e.Port, e.Err)
	case e.PID != 0:
		return fmt.Sprintf("UDP port %d is taken by %s (process %d); stop it with: kill %d", e.Port, e.Process, e.PID, e.PID)
	default:
		return fmt.Sprintf("UDP port %d is taken by a process of another user; see which with: sudo ss -lunp 'sport = :%d'", e.Port, e.Port)
	}
}

func (e *PortError) Unwrap() error { return e.Err }

// socketBuffer is what a socket may hold back each way, in bytes: a key frame is one burst. The kernel grants no more than
// net.core.rmem_max and wmem_max.
const socketBuffer = 4 << 20

// Listen opens a UDP port of one address, or of all addresses, IPv4 and IPv6, for the zero Addr.
func Listen(addr netip.Addr, port int) (*net.UDPConn, error) {
	network, at := "udp", &net.UDPAddr{Port: port}
	if addr.IsValid() {
		at = net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, uint16(port)))
		network = "udp6"
		if addr.Is4() {
			network = "udp4"
		}
	}
	conn, err := listen(network, at)
	if err != nil {
		e := &PortError{Port: port, Address: addr, Err: err}
		if errors.Is(err, syscall.EADDRINUSE) {
			e.PID, e.Process = portOwner("/proc", port)
		}
		return nil, e
	}
	// Less buffer is worse, not wrong.
	_ = conn.SetReadBuffer(socketBuffer)
	_ = conn.SetWriteBuffer(socketBuffer)
	stampArrivals(conn)
	return conn, nil
}

// forkLimit is how long a port that we just gave up may seem taken: a child that is being started has a copy of each of our
// sockets until it executes its program (up to 7 ms seen, with four busy loops on two cores).
const forkLimit = 250 * time.Millisecond

func listen(network string, at *net.UDPAddr) (*net.UDPConn, error) {
	for deadline := time.Now().Add(forkLimit); ; time.Sleep(forkLimit / 50) {
		conn, err := net.ListenUDP(network, at)
		if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(deadline) {
			return conn, err
		}
	}
}

// portOwner finds the process that has a UDP port open, or 0: only root sees those of other users.
func portOwner(proc string, port int) (pid int, name string) {
	inodes := map[string]bool{}
	for _, table := range []string{"udp", "udp6"} {
		for _, inode := range portInodes(filepath.Join(proc, "net", table), port) {
			inodes["socket:["+inode+"]"] = true
		}
	}
	if len(inodes) == 0 {
		return 0, ""
	}
	processes, _ := os.ReadDir(proc)
	for _, p := range processes {
		pid, err := strconv.Atoi(p.Name())
		if err != nil {
			continue
		}
		dir := filepath.Join(proc, p.Name(), "fd")
		fds, _ := os.ReadDir(dir)
		for _, fd := range fds {
			if target, _ := os.Readlink(filepath.Join(dir, fd.Name())); inodes[target] {
				comm, _ := os.ReadFile(filepath.Join(proc, p.Name(), "comm"))
				return pid, strings.TrimSpace(string(comm))
			}
		}
	}
	return 0, ""
}

// portInodes reads the socket numbers of a UDP port from a table of /proc/net.
func portInodes(table string, port int) []string {
	f, err := os.Open(table)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	suffix := fmt.Sprintf(":%04X", port)
	var inodes []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 9 && strings.HasSuffix(fields[1], suffix) {
			inodes = append(inodes, fields[9])
		}
	}
	return inodes
}
