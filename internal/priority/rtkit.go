// SPDX-License-Identifier: Apache-2.0

package priority

import (
	"context"
	"fmt"
	"time"

	"github.com/godbus/dbus/v5"
)

// rtkitTimeout bounds the question to rtkit, which may have to be started first.
const rtkitTimeout = 3 * time.Second

// askRTKit asks rtkit for real-time priority for a thread of this process.
func askRTKit(tid int) error {
	if err := limitRun(); err != nil {
		return fmt.Errorf("rtkit: %w", err)
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
