// SPDX-License-Identifier: Apache-2.0

package priority

import (
	"context"
	"fmt"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

const (
	// rtkitTimeout bounds the question to rtkit, which may have to be started first.
	rtkitTimeout = 3 * time.Second

	// runLimit is how many microseconds a thread with real-time priority may run without waiting for anything. rtkit demands
	// such a limit, of 200 ms at most, so that such a thread cannot stop the machine. The kernel ends a process beyond it.
	runLimit = 200_000
)

// askRTKit asks rtkit for real-time priority for a thread of this process.
func askRTKit(tid int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_RTTIME, &limit); err != nil {
		return fmt.Errorf("rtkit: %w", err)
	}
	if limit.Max > runLimit {
		if err := unix.Setrlimit(unix.RLIMIT_RTTIME, &unix.Rlimit{Cur: runLimit, Max: runLimit}); err != nil {
			return fmt.Errorf("rtkit: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), rtkitTimeout)
	defer cancel()
	bus, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("rtkit: no system bus: %w", err)
	}
	defer func() { _ = bus.Close() }()
	rtkit := bus.Object("org.freedesktop.RealtimeKit1", "/org/freedesktop/RealtimeKit1")
	call := rtkit.CallWithContext(ctx, "org.freedesktop.RealtimeKit1.MakeThreadRealtime", 0, uint64(tid), uint32(realTime))
	if call.Err != nil {
		return fmt.Errorf("rtkit: %w", call.Err)
	}
	return nil
}
