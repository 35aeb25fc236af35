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
	if code, found := functionKeys[key]; found {
		key = code
	}
	d.xdotool("keydown", key)
	return func() {
		d.tb.Helper()
		d.xdotool("keyup", key)
		time.Sleep(fingerTime)
	}
}

// functionKeys are the key codes of the keys that xdotool presses with Alt when
// it is given their names and the keyboard's tables are those of xkb-data 2.48.
var functionKeys = map[string]string{
	"F1": "67", "F2": "68", "F3": "69", "F4": "70", "F5": "71", "F6": "72", "F7": "73", "F8": "74", "F9": "75", "F10": "76",
}

func (d *Display) xdotool(args ...string) {
	d.tb.Helper()
	cmd := exec.CommandContext(d.tb.Context(), "xdotool", args...)
	cmd.Env = append(baseEnv(), d.Env()...)
	if out, err := cmd.CombinedOutput(); err != nil {
		d.tb.Fatalf("xdotool %v: %v\n%s", args, err, out)
	}
}
