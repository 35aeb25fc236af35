// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// NewPipeWire starts a private PipeWire with pipewire-pulse and WirePlumber,
// which has the same nodes as NewPulse's PulseAudio. Each extra line is a
// command for pactl.
func NewPipeWire(tb TB, extra ...string) *Pulse {
	tb.Helper()
	requirePrograms(tb, "pipewire", "pw-cli", "pipewire-pulse", "wireplumber", "dbus-run-session", "pactl", "pacat")
	p := newPulse(tb)
	p.PipeWire = true
	p.start = func() { p.startPipeWire(append(nodes(""), extra...)) }
	// It leaves the machine's own devices alone.
	config := filepath.Join(p.dir, ".config", "wireplumber")
	// WirePlumber 0.5 reads nothing else.
	writeFile(tb, filepath.Join(config, "wireplumber.conf.d", "51-none.conf"), noDevices)
	// WirePlumber 0.4.
	writeFile(tb, filepath.Join(config, "main.lua.d", "51-none.lua"), "alsa_monitor.enabled = false\nv4l2_monitor.enabled = false\nlibcamera_monitor.enabled = false\n")
	writeFile(tb, filepath.Join(config, "bluetooth.lua.d", "51-none.lua"), "bluez_monitor.enabled = false\n")
	p.start()
	return p
}

const noDevices = `wireplumber.profiles = {
  main = {
    hardware.audio = disabled
    hardware.bluetooth = disabled
    hardware.video-capture = disabled
  }
}
`

// pipeWire starts the three, each to end with the shell, the others once PipeWire
// answers: WirePlumber ends at once where it does not. Nor does it start without a
// message bus.
const pipeWire = "setpriv --pdeathsig KILL pipewire & until pw-cli info 0 >/dev/null 2>&1; do sleep 0.05; done; " +
	"setpriv --pdeathsig KILL wireplumber & setpriv --pdeathsig KILL pipewire-pulse & wait"

func (p *Pulse) startPipeWire(lines []string) {
	p.tb.Helper()
	p.process = Start(p.tb, Command{
		Name: "PipeWire", Path: "dbus-run-session",
		Args: []string{"--", "setpriv", "--pdeathsig", "KILL", "sh", "-c", pipeWire},
		Env:  append(baseEnv(), "HOME="+p.dir, "XDG_RUNTIME_DIR="+p.RuntimeDir),
	})
	Await(p.tb, "PipeWire answers, with WirePlumber", soundLimit, func() error {
		cmd := exec.CommandContext(p.tb.Context(), "pactl", "get-default-sink")
		cmd.Env = append(baseEnv(), p.Env()...)
		out, err := cmd.CombinedOutput()
		if err == nil && strings.HasPrefix(string(out), "@") {
			return errors.New("WirePlumber has not chosen a sink yet")
		}
		return err
	})
	for _, line := range lines {
		p.Pactl(strings.Fields(line)...)
	}
	Await(p.tb, "the default devices", soundLimit, func() error {
		if got := p.Pactl("get-default-sink") + " " + p.Pactl("get-default-source"); got != Headphones+" "+Microphone {
			return errors.New("they are " + got)
		}
		return nil
	})
}

// soundLimit is for a sound server on a busy machine.
const soundLimit = 20 * time.Second
