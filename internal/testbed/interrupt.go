// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// interruptIdle sends SIGINT to OBS while its main thread waits for events.
// OBS 29 closes its window right in the signal handler, so that a SIGINT that
// interrupts the main thread elsewhere, as while it waits for the X server,
// ends in a deadlock (measured: one in eight shortly after a start). OBS is
// stopped for the look at it, lest it goes on between the look and the signal.
// After a while without such a moment the signal is sent all the same.
func interruptIdle(p *Process) {
	const (
		tries = 500
		pause = 10 * time.Millisecond
	)
	if _, err := mainCall(p.PID()); err != nil {
		awaitQuiet(p.PID())
		p.Interrupt()
		return
	}
	for range tries {
		p.signal(syscall.SIGSTOP)
		idle := awaitStopped(p.PID()) && waitsForEvents(p.PID())
		if idle {
			// To the main thread: while all are stopped, any may take what the process gets.
			_ = unix.Tgkill(p.PID(), p.PID(), unix.SIGINT)
		}
		p.signal(syscall.SIGCONT)
		if idle {
			return
		}
		time.Sleep(pause)
	}
	p.Interrupt()
}

// awaitStopped reports whether a process stops, which it does when its main
// thread next runs.
func awaitStopped(pid int) bool {
	const (
		tries = 200
		pause = time.Millisecond
	)
	for range tries {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return false
		}
		if _, after, _ := strings.Cut(string(stat), ") "); strings.HasPrefix(after, "T") {
			return true
		}
		time.Sleep(pause)
	}
	return false
}

// waitsForEvents tells whether a process's main thread is in a poll that ends
// by itself. That of OBS's main loop does, for its timers; the ones in which
// Xlib and Qt wait for an answer do not.
func waitsForEvents(pid int) bool {
	const poll, ppoll = 7, 271 // amd64's numbers
	call, err := mainCall(pid)
	if err != nil {
		return false
	}
	var number int64
	var fds, count, timeout uint64
	if _, err := fmt.Sscanf(call, "%d %v %v %v", &number, &fds, &count, &timeout); err != nil {
		return false // it was running
	}
	// GLib 2.84 and later call ppoll, which takes the address of the timeout, none when there is none.
	return number == poll && int32(timeout) > 0 || number == ppoll && timeout != 0
}

// mainCall is the system call that a process's main thread is in, as the
// kernel writes it. User-mode Linux does not tell it.
func mainCall(pid int) (string, error) {
	call, err := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", pid))
	return string(call), err
}

// awaitQuiet returns when a process's main thread has slept for a while, which
// is most often when it waits for events.
func awaitQuiet(pid int) {
	const (
		tries = 500
		quiet = 10 * time.Millisecond
	)
	for range tries {
		_, before := mainThread(pid)
		time.Sleep(quiet)
		if asleep, after := mainThread(pid); asleep && after == before {
			return
		}
	}
}

// mainThread tells whether a process's main thread sleeps, and the lines of
// /proc that count how often it has gone to sleep or lost the processor.
func mainThread(pid int) (asleep bool, switches string) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, switches, _ = strings.Cut(string(status), "voluntary_ctxt_switches")
	return strings.Contains(string(status), "State:\tS"), switches
}
