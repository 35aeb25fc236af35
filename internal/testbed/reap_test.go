// SPDX-License-Identifier: Apache-2.0

package testbed_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

const orphanVariable = "TESTBED_TEST_ORPHAN"

// TestRealReaped kills a program that uses the testbed: its children must die
// with it.
func TestRealReaped(t *testing.T) {
	testbed.Need(t)
	if os.Getenv(orphanVariable) != "" {
		pulse, display := testbed.NewPulse(t), testbed.NewDisplay(t)
		fmt.Println("children", pulse.PID(), strings.TrimPrefix(display.Name, ":"))
		select {}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestRealReaped$")
	cmd.Env = append(os.Environ(), orphanVariable+"=1", "TMPDIR="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pulse, display int
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if n, _ := fmt.Sscanf(lines.Text(), "children %d %d", &pulse, &display); n == 2 {
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if pulse == 0 {
		t.Fatal("the program did not start its children")
	}
	testbed.Await(t, "PulseAudio has died", 5*time.Second, func() error { return gone("/proc/" + strconv.Itoa(pulse)) })
	testbed.Await(t, "the display is free", 5*time.Second, func() error { return gone(fmt.Sprintf("/tmp/.X%d-lock", display)) })
}

func gone(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is still there", path)
	}
	return nil
}
