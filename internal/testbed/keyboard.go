// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"os/exec"
	"time"
)

// fingerTime is how long a finger is off a key at least. OBS asks for the keys
// that are down every 25 ms (libobs/obs-hotkey.c) and takes a shorter release
// for none.
const fingerTime = 100 * time.Millisecond

// Hold presses a key of the display's keyboard, named as xdotool has it (F9,
// ctrl+alt+p), and keeps it down until release is called: await what the key
// does before that.
func (d *Display) Hold(key string) (release func()) {
	d.tb.Helper()
	requirePrograms(d.tb, "xdotool")
	d.xdotool("keydown", key)
	return func() {
		d.tb.Helper()
		d.xdotool("keyup", key)
		time.Sleep(fingerTime)
	}
}

func (d *Display) xdotool(args ...string) {
	d.tb.Helper()
	cmd := exec.CommandContext(d.tb.Context(), "xdotool", args...)
	cmd.Env = append(baseEnv(), d.Env()...)
	if out, err := cmd.CombinedOutput(); err != nil {
		d.tb.Fatalf("xdotool %v: %v\n%s", args, err, out)
	}
}
