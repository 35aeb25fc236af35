// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// couple is two friends on air with each other, the first of whom asks doctor.
type couple struct {
	binary     string
	alice, bob *e2e.Person
	companion  *e2e.Companion
}

// doctor runs Alice's doctor and returns its report and exit code.
func (c *couple) doctor(t *testing.T, args ...string) (report doctor.Report, code int) {
	t.Helper()
	args = append([]string{"doctor", "--json", "--route=portable", "--listen=" + c.alice.Address}, args...)
	cmd := exec.CommandContext(t.Context(), c.binary, args...)
	// Without the cache, GStreamer looks at all its plugins at each start.
	cache, _ := os.UserCacheDir()
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "XDG_CACHE_HOME=" + cache, "COSTREAM_PEER=" + c.bob.Address}, c.alice.Env()...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if jsonErr := json.Unmarshal(stdout.Bytes(), &report); jsonErr != nil {
		t.Fatalf("%v (%v), it wrote %q and %q", jsonErr, err, stdout.String(), stderr.String())
	}
	return report, cmd.ProcessState.ExitCode()
}

// finds tells whether a check finds something with this text.
func finds(report doctor.Report, id, text string) bool {
	return slices.ContainsFunc(report.Checks, func(f doctor.Finding) bool { return f.ID == id && strings.Contains(f.Detail, text) })
}

// await returns when a check finds something with this text, or nothing where the text is empty.
func (c *couple) await(t *testing.T, id, text string) {
	t.Helper()
	testbed.Await(t, fmt.Sprintf("%s finds %q", id, text), 15*time.Second, func() error {
		report, _ := c.doctor(t, "--only", id)
		i := slices.IndexFunc(report.Checks, func(f doctor.Finding) bool { return f.ID == id })
		if i < 0 {
			return fmt.Errorf("no finding in %+v", report)
		}
		f := report.Checks[i]
		if wrong := f.Status == doctor.Warn || f.Status == doctor.Fail; wrong != (text != "") || !strings.Contains(f.Detail, text) {
			return fmt.Errorf("got %s %q", f.Status, f.Detail)
		}
		return nil
	})
}

// allWell holds doctor to finding nothing wrong while both are on air.
func (c *couple) allWell(t *testing.T, args ...string) {
	t.Helper()
	const latency = "audio.latency"
	began := time.Now()
	report, code := c.doctor(t, args...)
	t.Logf("doctor took %v", time.Since(began).Round(time.Millisecond))
	late := false
	for _, f := range report.Checks {
		switch {
		case f.Status != doctor.Warn && f.Status != doctor.Fail:
		case f.ID == latency:
			late = true
		default:
			t.Errorf("nothing wrong: got %+v", f)
		}
	}
	if !report.Ready || code != exitOK {
		t.Errorf("nothing wrong: got ready %t and exit code %d, want true and 0", report.Ready, code)
	}
	if !late {
		return
	}
	// OBS plays late where the machine is short of computing time; costream-obs resets that within a minute.
	testbed.Await(t, "costream-obs to reset the delay of OBS's monitoring", 90*time.Second, func() error {
		if report, _ := c.doctor(t, "--only", latency); report.Counts.OK != 1 {
			return fmt.Errorf("doctor said %+v", report)
		}
		return nil
	})
	t.Logf("OBS's monitoring was late, and no more after %v", time.Since(began).Round(time.Millisecond))
}

// TestRealDoctorOnAir: doctor beside two friends who are on air, with nothing wrong and then with faults made by hand.
func TestRealDoctorOnAir(t *testing.T) {
	testbed.Need(t)
	c := &couple{binary: filepath.Join(t.TempDir(), "costream-obs")}
	if out, err := exec.Command("go", "build", "-o", c.binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	display := testbed.NewDisplay(t)
	alice := e2e.Alice()
	alice.Voice = testbed.Tone{Hz: 1000} // without the pauses, in which a microphone made of software is silent
	c.alice, c.bob = e2e.NewPerson(t, alice, display), e2e.NewPerson(t, e2e.Bob(), display)
	c.companion = c.alice.Run(c.binary, c.bob)
	bobs := c.bob.Run(c.binary, c.alice)
	c.companion.Await(e2e.Ready, time.Minute)
	bobs.Await(e2e.Ready, time.Minute)
	obs := c.alice.OBS
	obs.StartStream()
	c.bob.OBS.StartStream()
	c.companion.Await(e2e.OnAirWithPeer, time.Minute)

	c.allWell(t)

	const mic = "Mic/Aux"
	obs.Request("SetInputMute", testbed.D{"inputName": mic, "inputMuted": true}, nil)
	c.await(t, "audio.mute", "Mic/Aux is muted in OBS")
	obs.Request("SetInputMute", testbed.D{"inputName": mic, "inputMuted": false}, nil)
	c.await(t, "audio.mute", "")

	// costream-obs itself puts right what concerns the sound: doctor sees it well again.
	obs.Request("SetInputAudioMonitorType", testbed.D{"inputName": "Desktop Audio", "monitorType": "OBS_MONITORING_TYPE_MONITOR_AND_OUTPUT"}, nil)
	c.await(t, "audio.monitor.peer", "")
	obs.Request("SetInputAudioMonitorType", testbed.D{"inputName": mic, "monitorType": "OBS_MONITORING_TYPE_NONE"}, nil)
	c.await(t, "audio.monitor.inputs", "")

	obs.Request("SetProfileParameter", testbed.D{"parameterCategory": "Audio", "parameterName": "MonitoringDeviceId", "parameterValue": "gone.monitor"}, nil)
	c.await(t, "audio.monitor.device", "is not there")
	if report, code := c.doctor(t, "--only", "audio.monitor.device", "--fix", "--yes"); code != exitOK || len(report.Mended) != 1 || report.Mended[0].Error != "" || report.Counts.Warn != 0 {
		t.Errorf("monitoring device: got %+v, exit code %d, want it mended", report, code)
	}

	obs.Request("RemoveInput", testbed.D{"inputName": e2e.PeerInput}, nil)
	c.await(t, "obs.source", "the peer is in none of your scenes")
	if report, code := c.doctor(t, "--only", "obs.source", "--fix", "--yes"); code != exitOK || len(report.Mended) != 1 || report.Mended[0].Error != "" || report.Counts.Warn != 0 {
		t.Errorf("peer source: got %+v, exit code %d, want it mended", report, code)
	}
	testbed.Await(t, "Alice sees Bob again", 20*time.Second, func() error { return c.alice.SeesPeer(c.bob) })

	obs.Request("SetProfileParameter", testbed.D{"parameterCategory": "Audio", "parameterName": "SampleRate", "parameterValue": "44100"}, nil)
	c.await(t, "obs.rate", "44100 Hz")
	obs.Request("SetProfileParameter", testbed.D{"parameterCategory": "Audio", "parameterName": "SampleRate", "parameterValue": "48000"}, nil)
	c.await(t, "obs.rate", "")

	wrong := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(wrong, []byte("not that one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if report, code := c.doctor(t, "--only", "obs.ws", "--obs-password-file", wrong); code != exitFailure || !finds(report, "obs.ws.connect", "does not accept the password") {
		t.Errorf("wrong password: got %+v, exit code %d, want it found", report, code)
	}

	// As OBS's dialog leaves it, in the file of this version.
	switchServer := func(from, to string) {
		t.Helper()
		changed := 0
		for _, file := range []string{"global.ini", "plugin_config/obs-websocket/config.json"} {
			file = filepath.Join(obs.Config, "obs-studio", file)
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			now := regexp.MustCompile(`(ServerEnabled=|"server_enabled": ?)`+from).ReplaceAllString(string(text), "${1}"+to)
			if now == string(text) {
				continue
			}
			changed++
			if err := os.WriteFile(file, []byte(now), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if changed == 0 {
			t.Fatalf("no file of OBS has the WebSocket server's switch at %s", from)
		}
	}
	switchServer("true", "false")
	c.await(t, "obs.ws.config", "WebSocket server is switched off")
	switchServer("false", "true")
	c.await(t, "obs.ws.config", "")

	// A companion that hangs does not keep doctor from looking.
	pid := companionPID(t, c.binary, c.alice.Address)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	c.await(t, "svc.run", "runs but does not answer")
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	c.await(t, "svc.run", "")

	// Without the clean feed the friends who show each other get themselves back.
	c.companion.Stop()
	c.companion = c.alice.Run(c.binary, c.bob, "--no-clean-feed")
	c.companion.Await(e2e.OnAirWithPeer, time.Minute)
	c.await(t, "obs.loop", "your programme is what the peer gets")

	// Off air, Desktop Audio is as it was left by hand, and nobody but doctor looks after it.
	c.companion.Stop()
	c.await(t, "audio.monitor.peer", "Desktop Audio is monitored")
	if report, code := c.doctor(t, "--only", "svc.run,audio", "--fix", "--yes"); code != exitOK || len(report.Mended) != 1 || report.Counts.Warn != 0 {
		t.Errorf("companion stopped: got %+v, exit code %d, want Desktop Audio mended and all well", report, code)
	}
}

// companionPID finds the costream-obs run that listens on an address.
func companionPID(t *testing.T, binary, listen string) int {
	t.Helper()
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		line, err := os.ReadFile(file)
		args := strings.Split(string(line), "\x00")
		if err == nil && args[0] == binary && slices.Contains(args, "run") && slices.Contains(args, "--listen="+listen) {
			var pid int
			if _, err := fmt.Sscanf(file, "/proc/%d/cmdline", &pid); err == nil {
				return pid
			}
		}
	}
	t.Fatal("the companion is not found among the processes")
	return 0
}
