// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Free ports are taken from below the range of which the kernel serves
// outgoing connections (32768 and up), so that no connection can steal one
// between the choice and the use.
const (
	firstPort = 21000
	lastPort  = 32000
)

// FreePort reserves a TCP port on which nobody listens, on any address. The
// reservation holds among all processes that use this package and ends with
// the test.
func FreePort(tb TB) int {
	tb.Helper()
	for range 200 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if !reserve(tb, "tcp-"+strconv.Itoa(port)) {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
		if err != nil {
			continue
		}
		_ = l.Close()
		return port
	}
	tb.Fatalf("no free TCP port between %d and %d", firstPort, lastPort)
	return 0
}

// FreeUDPPorts reserves count consecutive UDP ports, free on every address,
// and returns the first, which is even.
func FreeUDPPorts(tb TB, count int) int {
	tb.Helper()
	for range 200 {
		base := firstPort + 2*rand.IntN((lastPort-firstPort-count)/2)
		if udpPortsFree(tb, base, count) {
			return base
		}
	}
	tb.Fatalf("no %d free UDP ports in a row between %d and %d", count, firstPort, lastPort)
	return 0
}

func udpPortsFree(tb TB, base, count int) bool {
	for port := base; port < base+count; port++ {
		if !reserve(tb, "udp-"+strconv.Itoa(port)) {
			return false
		}
		c, err := net.ListenPacket("udp", fmt.Sprintf(":%d", port))
		if err != nil {
			return false
		}
		_ = c.Close()
	}
	return true
}

// LoopbackAddress reserves an address of 127.0.0.0/8 for the test, so that
// each side of a test can have its own and both can use the same ports.
func LoopbackAddress(tb TB) string {
	tb.Helper()
	for range 200 {
		address := fmt.Sprintf("127.83.%d.%d", rand.IntN(256), 1+rand.IntN(254))
		if reserve(tb, "ip-"+address) {
			return address
		}
	}
	tb.Fatalf("no free address in 127.83.0.0/16")
	return ""
}

// reserve takes a name for the life of the test. An abstract Unix socket is
// a lock that the kernel releases even when its owner is killed.
func reserve(tb TB, name string) bool {
	l, err := net.Listen("unix", "@costream-testbed-"+name)
	if err != nil {
		return false
	}
	tb.Cleanup(func() { _ = l.Close() })
	return true
}
