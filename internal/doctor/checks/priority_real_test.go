// SPDX-License-Identifier: Apache-2.0

package checks_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/doctor/checks"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestRealPriority takes a real PipeWire's sound threads their priority and gives it back.
func TestRealPriority(t *testing.T) {
	testbed.Need(t)
	pulse := testbed.NewPipeWire(t)
	t.Setenv("PULSE_SERVER", pulse.Server)
	server := soundProcesses(t, pulse.RuntimeDir)
	look := func() doctor.Finding {
		t.Helper()
		r := doctor.Run(t.Context(), checks.All(checks.New(checks.Options{})), []string{"audio.priority"}, nil)
		return r.Checks[len(r.Checks)-1]
	}
	named := func(f doctor.Finding) bool { return strings.Contains(f.Detail, fmt.Sprint("process ", server[0])) }
	schedule := func(attr unix.SchedAttr) {
		t.Helper()
		attr.Size = unix.SizeofSchedAttr
		for _, pid := range server {
			threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
			if err != nil {
				t.Fatal(err)
			}
			for _, thread := range threads {
				tid, _ := strconv.Atoi(thread.Name())
				if err := unix.SchedSetAttr(tid, &attr, 0); err != nil {
					t.Skipf("this user may not give a thread priority, which is needed to compare: %v", err)
				}
			}
		}
	}
	schedule(unix.SchedAttr{Policy: unix.SCHED_RR, Priority: 1})
	if f := look(); named(f) {
		t.Errorf("with priority: got %s %q, want process %d not named", f.Status, f.Detail, server[0])
	}
	schedule(unix.SchedAttr{Policy: unix.SCHED_NORMAL})
	if f := look(); f.Status != doctor.Warn || !named(f) {
		t.Errorf("without: got %s %q, want a warning about process %d", f.Status, f.Detail, server[0])
	}
}

// soundProcesses are the processes of the PipeWire that has a runtime directory. Other tests may run others.
func soundProcesses(t *testing.T, runtimeDir string) []int {
	t.Helper()
	var found []int
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		dir := filepath.Dir(file)
		comm, _ := os.ReadFile(filepath.Join(dir, "comm"))
		environ, _ := os.ReadFile(file)
		if strings.HasPrefix(string(comm), "pipewire") && strings.Contains(string(environ), "XDG_RUNTIME_DIR="+runtimeDir+"\x00") {
			pid, _ := strconv.Atoi(filepath.Base(dir))
			found = append(found, pid)
		}
	}
	if len(found) != 2 {
		t.Fatalf("got processes %v, want pipewire and pipewire-pulse", found)
	}
	return found
}
