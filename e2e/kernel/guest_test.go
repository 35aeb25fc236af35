// SPDX-License-Identifier: Apache-2.0

package kernel_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/internal/v4l2"
)

// binary is the program under test, in the directory that the guest shares
// with its host.
const binary = "/host/costream-obs"

// The nodes of the devices route.
const (
	videoOut = "/dev/video10"
	videoIn  = "/dev/video11"
)

// needGuest skips the test outside of a guest. The kinds of guests are "alone",
// and "a" and "b" for the two that are joined.
func needGuest(t *testing.T, kinds ...string) (kind string) {
	t.Helper()
	kind = os.Getenv("GUEST")
	if kind == "" {
		t.Skip("runs in a guest of user-mode Linux only; see: make test-kernel")
	}
	if !slices.Contains(kinds, kind) {
		t.Fatalf("this guest is %q, and the test needs one of %q", kind, kinds)
	}
	return kind
}

// command runs a program that must succeed and returns what it printed.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// loadLoopback loads the module with parameters of its own and returns when
// udev has made the nodes.
func loadLoopback(t *testing.T, parameters ...string) {
	t.Helper()
	command(t, "modprobe", append([]string{"v4l2loopback"}, parameters...)...)
	command(t, "udevadm", "settle", "--timeout=20")
}

// written tells whether a program writes to a loopback node.
func written(t *testing.T, path string) bool {
	t.Helper()
	nodes, err := v4l2.System{}.Nodes()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		if n.Path == path {
			return n.Written()
		}
	}
	t.Fatalf("there is no %s; there are %+v", path, nodes)
	return false
}

// await is testbed.Await, which also tells how long it took.
func await(t *testing.T, what string, limit time.Duration, check func() error) time.Duration {
	t.Helper()
	began := time.Now()
	testbed.Await(t, what, limit, check)
	took := time.Since(began).Round(10 * time.Millisecond)
	t.Logf("%s: after %v", what, took)
	return took
}

// keepLogs copies what OBS logged, with its times, to where the host finds it.
func keepLogs(t *testing.T, obs *testbed.OBS) {
	t.Helper()
	target := filepath.Join("/host/logs", t.Name()+"-"+os.Getenv("GUEST"))
	if err := os.CopyFS(target, os.DirFS(filepath.Join(obs.Config, "obs-studio", "logs"))); err != nil {
		t.Log(err)
	}
}

func orNil(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}
