// SPDX-License-Identifier: Apache-2.0

package priority

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// policy is that of a thread.
func policy(t *testing.T, tid int) uint32 {
	t.Helper()
	attr, err := unix.SchedGetAttr(tid, 0)
	if err != nil {
		t.Error(err)
		return 0
	}
	return attr.Policy
}

func TestRealTime(t *testing.T) {
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent")
	onThread(func(tid int) {
		err := RealTime(tid)
		if errors.Is(err, unix.EPERM) {
			if got := policy(t, tid); got != unix.SCHED_NORMAL || !strings.Contains(err.Error(), "rtkit") {
				t.Errorf("refused with %q: got policy %d", err, got)
			}
			return
		}
		if got := policy(t, tid); err != nil || got != unix.SCHED_RR {
			t.Errorf("got %v, policy %d, want %d", err, got, unix.SCHED_RR)
		}
	})
	if err := RealTime(1 << 30); !errors.Is(err, unix.ESRCH) {
		t.Errorf("a thread that is not there: got %v", err)
	}
}

// fakeRTKit answers as rtkit does.
type fakeRTKit struct {
	asked  chan [2]uint64
	answer func() (refusal string)
}

func (f *fakeRTKit) MakeThreadRealtime(tid uint64, priority uint32) *dbus.Error {
	f.asked <- [2]uint64{tid, uint64(priority)}
	if refusal := f.answer(); refusal != "" {
		return dbus.NewError("org.freedesktop.DBus.Error.AccessDenied", []any{refusal})
	}
	return nil
}

// startFakeRTKit starts one on a bus, which is the system's from then on.
func startFakeRTKit(t *testing.T, at string) *fakeRTKit {
	t.Helper()
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", at)
	bus, err := dbus.Connect(at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bus.Close() })
	fake := &fakeRTKit{asked: make(chan [2]uint64, 2)}
	if err := bus.Export(fake, "/org/freedesktop/RealtimeKit1", "org.freedesktop.RealtimeKit1"); err != nil {
		t.Fatal(err)
	}
	if _, err := bus.RequestName("org.freedesktop.RealtimeKit1", dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	return fake
}

// TestRealRTKit asks an rtkit on a bus of its own.
func TestRealRTKit(t *testing.T) {
	at := testbed.DBus(t)
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", at)
	if err := askRTKit(unix.Gettid()); err == nil || !strings.Contains(err.Error(), "RealtimeKit1") {
		t.Errorf("without rtkit: got %v", err)
	}
	fake := startFakeRTKit(t, at)
	for _, refuse := range []string{"", "Operation not permitted", "Device or resource busy"} {
		fake.answer = func() string { return refuse }
		err := askRTKit(4711)
		if got := <-fake.asked; got != [2]uint64{4711, realTime} {
			t.Errorf("asked for %v", got)
		}
		if (err != nil) != (refuse != "") || errors.Is(err, ErrBusy) != (refuse == "Device or resource busy") {
			t.Errorf("refused %q: got %v", refuse, err)
		}
	}
	// rtkit grants nothing without it.
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_RTTIME, &limit); err != nil || limit.Max > runLimit || limit.Cur > runWarning {
		t.Errorf("got limits of %d and %d us, %v, want %d and %d at most", limit.Cur, limit.Max, err, runWarning, runLimit)
	}
}

// TestRaise looks at the threads of this process, and at one that was started later.
func TestRaise(t *testing.T) {
	level, err := Raise()
	if denied(err) {
		t.Skipf("this user may not: %v", err)
	}
	if err != nil || level >= 0 {
		t.Fatalf("got level %d, %v", level, err)
	}
	onThread(func(int) {
		entries, err := os.ReadDir("/proc/self/task")
		if err != nil {
			t.Error(err)
		}
		for _, e := range entries {
			tid, _ := strconv.Atoi(e.Name())
			// The system call returns 20 less the level (getpriority(2)).
			if got, err := unix.Getpriority(unix.PRIO_PROCESS, tid); err == nil && niceRange-got != level {
				t.Errorf("thread %d: got level %d, want %d", tid, niceRange-got, level)
			}
		}
	})
}

// TestTryKeepsNothing looks at the threads that are left.
func TestTryKeepsNothing(t *testing.T) {
	if realTime, raise := Try(); realTime == nil && raise != nil && !denied(raise) {
		t.Errorf("nice level: %v", raise)
	}
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		tid, _ := strconv.Atoi(e.Name())
		if attr, err := unix.SchedGetAttr(tid, 0); err == nil && attr.Policy != unix.SCHED_NORMAL {
			t.Errorf("thread %d has policy %d", tid, attr.Policy)
		}
	}
}
