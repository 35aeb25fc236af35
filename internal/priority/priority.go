// SPDX-License-Identifier: Apache-2.0

// Package priority asks for processor time before other programs: real-time priority for a thread, and a nice level for a
// whole process. It asks the kernel first, which grants both to root and within the limits of a login (ulimit -r and -e), and
// then rtkit, which grants real-time priority to desktop users, as PipeWire and PulseAudio do it. It decides nothing about
// which threads matter.
package priority

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	// realTime is the real-time priority that is asked for: below sound servers, which use up to 88. Any is before all
	// programs without.
	realTime = 5

	// raised is the nice level that is asked for, that of sound servers.
	raised = -11

	// niceRange is by how much the limit of a login for nice levels is shifted (getrlimit(2), RLIMIT_NICE).
	niceRange = 20
)

// RealTime asks for real-time priority for a thread of this process. The thread's own threads do not inherit it. The error wraps
// ErrBusy where it may be granted later.
func RealTime(tid int) error {
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: realTime, Flags: unix.SCHED_FLAG_RESET_ON_FORK}
	err := unix.SchedSetAttr(tid, &attr, 0)
	if denied(err) {
		if errBus := askRTKit(tid); errBus == nil {
			return nil
		} else {
			err = fmt.Errorf("%w; %w", err, errBus)
		}
	}
	if err != nil {
		return fmt.Errorf("real-time priority: %w", err)
	}
	return nil
}

// Raise gives all threads of this process, and those that they start, a nice level before other programs. It returns the
// level, which is the best one that the login's limit allows where the process may not take any.
func Raise() (level int, err error) {
	if err := allThreads(raised); err == nil || !denied(err) {
		return raised, err
	}
	level = bestLevel()
	return level, allThreads(level)
}

func denied(err error) bool { return errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) }

// bestLevel is the nice level to ask for within the login's limit; raised where that allows none.
func bestLevel() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NICE, &limit); err != nil {
		return raised
	}
	if best := niceRange - int(min(limit.Cur, 2*niceRange)); best < 0 {
		return max(best, raised)
	}
	return raised
}

// allThreads sets the nice level of all threads. One that is started meanwhile by a thread that has its old level is found
// by looking again.
func allThreads(level int) error {
	done := make(map[int]bool)
	for more := true; more; {
		more = false
		entries, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("nice level: %w", err)
		}
		for _, e := range entries {
			tid, err := strconv.Atoi(e.Name())
			if err != nil || done[tid] {
				continue
			}
			if err := unix.Setpriority(unix.PRIO_PROCESS, tid, level); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("nice level %d: %w", level, err)
			}
			done[tid], more = true, true
		}
	}
	return nil
}

// Try tells whether RealTime and Raise get what they ask for, without keeping it. It returns the errors of both.
func Try() (realTime, raise error) {
	onThread(func(tid int) {
		raise = unix.Setpriority(unix.PRIO_PROCESS, tid, bestLevel())
		realTime = RealTime(tid)
	})
	return realTime, raise
}

// onThread calls f on a thread that ends after it.
func onThread(f func(tid int)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // Go ends the thread of a goroutine that ends without unlocking it, but for the first one.
		if unix.Gettid() == unix.Getpid() {
			defer runtime.UnlockOSThread()
			onThread(f)
			return
		}
		f(unix.Gettid())
	}()
	<-done
}
