// SPDX-License-Identifier: Apache-2.0

package priority

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// rtkitTimeout bounds the question to rtkit, which may have to be started first.
const rtkitTimeout = 3 * time.Second

// ErrBusy says that rtkit is there, and has granted as much as it may: by default 15 threads of a user, and 25 in 20 seconds.
var ErrBusy = errors.New("rtkit grants no more just now")

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
	// rtkit passes on the text of its errno alone.
	if call.Err != nil && strings.EqualFold(call.Err.Error(), unix.EBUSY.Error()) {
		return ErrBusy
	}
	if call.Err != nil {
		return fmt.Errorf("rtkit: %w", call.Err)
	}
	return nil
}
