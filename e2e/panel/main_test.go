// SPDX-License-Identifier: Apache-2.0

// Package panel_test works the panel as a person does, in a real Chromium beside two real OBS.
package panel_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the costream-obs that the tests run, which TestMain has built.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if testing.Short() {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "costream-panel")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "costream-obs")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/costream-obs").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build costream-obs: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}
