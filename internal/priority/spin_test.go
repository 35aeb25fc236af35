// SPDX-License-Identifier: Apache-2.0

package priority

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// spins has the test program be a process with threads that run too long.
const spins = "COSTREAM_TEST_SPINS"

func TestMain(m *testing.M) {
	if os.Getenv(spins) == "" {
		os.Exit(m.Run())
	}
	if err := spin(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// spin has two threads, one after the other, run beyond the hard limit.
func spin() (err error) {
	if err := limitRun(); err != nil {
		return err
	}
	for range 2 {
		onThread(func(tid int) {
			attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: realTime, Flags: unix.SCHED_FLAG_RESET_ON_FORK}
			if err = unix.SchedSetAttr(tid, &attr, 0); err != nil {
				return
			}
			keepRunning(3 * runLimit * time.Microsecond)
			after, errAttr := unix.SchedGetAttr(tid, 0)
			if err = errAttr; err == nil && after.Policy != unix.SCHED_NORMAL {
				err = fmt.Errorf("the thread still has policy %d", after.Policy)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// keepRunning has its thread run for so long, without anything at which Go could let the thread wait: with the race detector an
// atomic load is a call, at which it can.
//
//go:norace
func keepRunning(long time.Duration) {
	var begun, now unix.Timespec
	_, _, _ = unix.RawSyscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&begun)), 0)
	for (now.Sec-begun.Sec)*int64(time.Second)+now.Nsec-begun.Nsec < int64(long) {
		_, _, _ = unix.RawSyscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&now)), 0)
	}
}

// TestThreadThatRunsTooLong loses real-time priority, and its process goes on.
func TestThreadThatRunsTooLong(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("needs a processor beside the thread")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), spins+"=1", "GODEBUG=asyncpreemptoff=1")
	out, err := cmd.CombinedOutput()
	if strings.Contains(string(out), unix.EPERM.Error()) {
		t.Skip("this user may have no thread with real-time priority")
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ProcessState.Sys().(interface{ Signaled() bool }).Signaled() {
		t.Fatalf("the kernel ended the process: %v", err)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
