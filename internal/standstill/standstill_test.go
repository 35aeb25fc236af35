// SPDX-License-Identifier: Apache-2.0

package standstill

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// helper names the part of this test that is stopped.
const helper = "STANDSTILL_HELPER"

// TestStoppedProcess: while a process is stopped none of its timeouts lapses, and it knows afterwards.
func TestStoppedProcess(t *testing.T) {
	if os.Getenv(helper) != "" {
		stopped()
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestStoppedProcess$")
	cmd.Env = append(os.Environ(), helper+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	lines := bufio.NewScanner(out)
	await := func(want string) {
		t.Helper()
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("got %q, want %q", lines.Text(), want)
		}
	}
	await("begins")
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(longest + step) // that nothing comes meanwhile is not to be seen from here
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	await("stood still")
	await("timeout: context deadline exceeded")
}

// stopped prints what happens, in the order in which it does.
func stopped() {
	const timeout = 2 * time.Second // that it runs
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	begin := sinceBoot()
	fmt.Println("begins")
	limited, end := WithTimeout(ctx, timeout)
	defer end()
	go watch(ctx, begin, func(time.Duration) { fmt.Println("stood still") })
	<-limited.Done()
	fmt.Println("timeout:", context.Cause(limited))
	<-ctx.Done()
}

func TestTimerStops(t *testing.T) {
	timer := AfterFunc(time.Millisecond, func() { t.Error("a timer that was stopped calls its function") })
	timer.Stop()
	done := make(chan struct{})
	AfterFunc(0, func() { close(done) })
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("a timer does not call its function")
	}
	ctx, cancel := WithTimeout(t.Context(), time.Hour)
	cancel()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}
