// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// wire stands where a peer's costream-obs would and notes when packets come.
type wire struct {
	packets atomic.Int64
	last    atomic.Int64 // Unix time in nanoseconds of the last packet
}

// tapWire takes the ports on which a peer at that address receives.
func tapWire(t *testing.T, address string) *wire {
	t.Helper()
	w := &wire{}
	for port := 5000; port < 5004; port++ {
		conn, err := net.ListenPacket("udp", net.JoinHostPort(address, strconv.Itoa(port)))
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			buf := make([]byte, 1<<16)
			for {
				if _, _, err := conn.ReadFrom(buf); err != nil {
					return
				}
				w.packets.Add(1)
				w.last.Store(time.Now().UnixNano())
			}
		}()
		t.Cleanup(func() {
			_ = conn.Close()
			<-done
		})
	}
	return w
}

// lastPacket is when the last packet came.
func (w *wire) lastPacket() time.Time { return time.Unix(0, w.last.Load()) }
