// SPDX-License-Identifier: Apache-2.0

package pipe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-gst/go-gst/gst"
	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestOnThread has a queue give a pipeline a second thread.
func TestOnThread(t *testing.T) {
	p := mustParse(t, "audiotestsrc is-live=true ! queue ! fakesink sync=false")
	seen := make(chan int, 8)
	if err := p.OnThread(func(tid int) {
		realTime(t, tid, unix.SCHED_FLAG_RESET_ON_FORK)
		seen <- tid
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	found := make(map[int]bool)
	for len(found) < 2 {
		select {
		case tid := <-seen:
			if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", tid)); err != nil || tid == os.Getpid() {
				t.Errorf("got thread %d: %v", tid, err)
			}
			found[tid] = true
		case <-time.After(10 * time.Second):
			t.Fatalf("got %d threads, want 2", len(found))
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	// GStreamer keeps the threads for other pipelines.
	for tid := range found {
		if attr, err := unix.SchedGetAttr(tid, 0); err == nil && attr.Policy != unix.SCHED_NORMAL {
			t.Errorf("thread %d has left with policy %d", tid, attr.Policy)
		}
	}
}

// realTime gives a thread real-time priority, where this user may.
func realTime(t *testing.T, tid int, flags uint64) {
	t.Helper()
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1, Flags: flags}
	if err := unix.SchedSetAttr(tid, &attr, 0); err != nil && !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.ESRCH) {
		t.Errorf("thread %d: %v", tid, err)
	}
}

// TestOnThreadWithoutReader has threads begin when nobody reads of them any more, as while a pipeline ends: the process goes on.
func TestOnThreadWithoutReader(t *testing.T) {
	p := mustParse(t, "audiotestsrc num-buffers=3 ! queue ! fakesink sync=false")
	if err := p.OnThread(func(int) { t.Error("told of a thread") }); err != nil {
		t.Fatal(err)
	}
	if err := p.threads.Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.Run(t.Context()); !errors.Is(err, ErrEnded) {
		t.Errorf("got %v, want ErrEnded", err)
	}
}

// TestCalm runs a pipeline in a process that is before others and has real-time priority, as threads of sound have. Where this user may not have such a process, all are calm.
func TestCalm(t *testing.T) {
	level := func(to int) (err error) {
		for tid := range threads(t) {
			err = errors.Join(err, unix.Setpriority(unix.PRIO_PROCESS, tid, to))
		}
		return err
	}
	if err := level(-5); errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		t.Skipf("this user may not: %v", err)
	}
	defer func() { _ = level(0) }()
	for tid := range threads(t) {
		realTime(t, tid, 0)
	}
	defer func() {
		for tid := range threads(t) {
			_ = unix.SchedSetAttr(tid, &unix.SchedAttr{Size: unix.SizeofSchedAttr}, 0)
		}
	}()
	p := mustParse(t, "audiotestsrc is-live=true ! queue ! fakesink sync=false")
	p.Calm()
	if err := p.gst.SetState(gst.StatePlaying); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.gst.SetState(gst.StateNull) }()
	testbed.Await(t, "calm threads", 10*time.Second, func() error {
		calm := 0
		for tid, name := range threads(t) {
			level, err := unix.Getpriority(unix.PRIO_PROCESS, tid)
			if err != nil || !strings.Contains(name, ":s") {
				continue
			}
			if attr, err := unix.SchedGetAttr(tid, 0); err == nil && attr.Policy == unix.SCHED_NORMAL && 20-level == 0 {
				calm++
			}
		}
		if calm < 2 {
			return fmt.Errorf("%d of 2 threads", calm)
		}
		return nil
	})
}

// threads are the names of this process's threads.
func threads(t *testing.T) map[int]string {
	t.Helper()
	all := make(map[int]string)
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		tid, _ := strconv.Atoi(e.Name())
		name, _ := os.ReadFile("/proc/self/task/" + e.Name() + "/comm")
		all[tid] = string(name)
	}
	return all
}
