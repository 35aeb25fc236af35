// SPDX-License-Identifier: Apache-2.0

package udp

import (
	"context"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestReadTellsArrival reads a datagram late: it arrived when it arrived. The kernel begins to stamp a moment after it was
// asked to, so that the first datagrams may have the time of the read.
func TestReadTellsArrival(t *testing.T) {
	const unread = 20 * time.Millisecond
	deadline := time.Now().Add(5 * time.Second)
	for {
		conn, err := Listen(netip.MustParseAddr("127.0.0.1"), 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.WriteTo([]byte("x"), conn.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		sent := time.Now()
		time.Sleep(unread)
		ctx, stop := context.WithCancel(t.Context())
		var arrived time.Time
		err = Read(ctx, conn, func(at time.Time, _ netip.AddrPort, _ []byte) {
			arrived = at
			stop()
			_ = conn.SetDeadline(time.Now())
		})
		stop()
		_ = conn.Close()
		if err != nil {
			t.Fatal(err)
		}
		if late := arrived.Sub(sent); late < unread/2 {
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("a datagram that was read %v after it arrived: got %v", unread, late)
		}
	}
}

// stamp is the kernel's control message with a timestamp.
func stamp(t *testing.T, at time.Time) []byte {
	t.Helper()
	ts := unix.NsecToTimespec(at.UnixNano())
	b := make([]byte, unix.CmsgSpace(int(unsafe.Sizeof(ts))))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = unix.SOL_SOCKET, unix.SCM_TIMESTAMPNS
	h.SetLen(unix.CmsgLen(int(unsafe.Sizeof(ts))))
	if _, err := binary.Encode(b[unix.CmsgLen(0):], binary.NativeEndian, ts); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestArrival(t *testing.T) {
	const ms = time.Millisecond
	now := time.Now()
	for _, test := range []struct {
		name    string
		control []byte
		want    time.Duration // before now
	}{
		{"no stamp", nil, 0},
		{"7 ms unread", stamp(t, now.Add(-7*ms)), 7 * ms},
		{"from the future", stamp(t, now.Add(time.Minute)), 0},
		{"from long ago", stamp(t, now.Add(-time.Minute)), maxUnread},
		{"cut off", stamp(t, now.Add(-7*ms))[:unix.SizeofCmsghdr], 0},
		{"nonsense", []byte("0123456789abcdef0123456789abcdef"), 0},
	} {
		var c arrivalClock
		if got := now.Sub(c.arrival(now, test.control)); got != test.want {
			t.Errorf("%s: got %v before the read, want %v", test.name, got, test.want)
		}
	}
}

// TestArrivalClockSet has the wall clock set while datagrams come that are read 5 ms late. None may count as having come
// before an earlier one, or long after it was read.
func TestArrivalClockSet(t *testing.T) {
	const ms, unread = time.Millisecond, 5 * time.Millisecond
	for _, by := range []time.Duration{-time.Hour, -100 * ms, -20 * ms, 20 * ms, 100 * ms, 900 * ms, time.Hour} {
		var c arrivalClock
		began := time.Now()
		set := began.Add(493 * ms) // while a datagram is unread
		for n := range 200 {
			at := began.Add(time.Duration(n)*10*ms + ms)
			read, stamped := at.Add(unread), at
			if read.After(set) {
				read = testbed.ClockSet(t, read, by)
			}
			if at.After(set) {
				stamped = testbed.ClockSet(t, at, by)
			}
			if off := c.arrival(read, stamp(t, stamped)).Sub(at); off < 0 || off > unread {
				t.Errorf("set by %v: datagram %d: got an arrival %v after it came, want 0 to %v", by, n, off, unread)
			}
		}
		if got := c.arrival(testbed.ClockSet(t, began.Add(3*time.Second), by), stamp(t, began.Add(3*time.Second-unread).Add(by))); began.Add(3*time.Second).Sub(got) != unread {
			t.Errorf("set by %v: afterwards the stamps do not count any more", by)
		}
	}
}
