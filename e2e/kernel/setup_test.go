// SPDX-License-Identifier: Apache-2.0

package kernel_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/internal/v4l2"
)

const (
	optionsFile = "/etc/modprobe.d/zz-costream-obs.conf"
	loadFile    = "/etc/modules-load.d/costream-obs.conf"
)

// user is a person of the guest who may use sudo and is in no group.
type user struct {
	t    *testing.T
	name string
}

func newUser(t *testing.T, name string) user {
	t.Helper()
	command(t, "useradd", "--create-home", "--shell", "/bin/bash", name)
	if err := os.WriteFile(filepath.Join("/etc/sudoers.d", name), []byte(name+" ALL=(ALL) NOPASSWD: ALL\n"), 0o440); err != nil {
		t.Fatal(err)
	}
	return user{t: t, name: name}
}

// answer is what a program left behind.
type answer struct {
	code int
	text string // of both outputs
}

// runLimit bounds each program.
const runLimit = 60 * time.Second

// run runs a program after a fresh login. Each of the answers is typed when it
// asks.
func (u user) run(answers []string, args ...string) answer {
	u.t.Helper()
	u.t.Logf("%s$ %s", u.name, strings.Join(args, " "))
	ctx, cancel := context.WithTimeout(u.t.Context(), runLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "runuser", append([]string{"-u", u.name, "--", "env", "-i",
		"PATH=" + os.Getenv("PATH"), "HOME=/home/" + u.name, "LC_ALL=C.UTF-8"}, args...)...)
	cmd.WaitDelay = time.Second
	var typist typist
	cmd.Stdout, cmd.Stderr = &typist, &typist
	if answers != nil {
		keys, err := cmd.StdinPipe()
		if err != nil {
			u.t.Fatal(err)
		}
		typist.keys, typist.answers = keys, answers
	}
	err := cmd.Run()
	u.t.Log(typist.seen.String())
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		u.t.Fatalf("%v (%v)", err, ctx.Err())
	}
	return answer{code: cmd.ProcessState.ExitCode(), text: typist.seen.String()}
}

// A typist reads what a program prints and answers its questions, one by one:
// what is typed ahead is taken by the commands that run in between.
type typist struct {
	seen    bytes.Buffer
	asked   int
	keys    io.Writer
	answers []string
}

func (y *typist) Write(b []byte) (int, error) {
	y.seen.Write(b)
	if n := strings.Count(y.seen.String(), "[y/N]"); n > y.asked && len(y.answers) > 0 {
		y.asked = n
		_, _ = io.WriteString(y.keys, y.answers[0]+"\n")
		y.answers = y.answers[1:]
	}
	return len(b), nil
}

// setup runs costream-obs setup without a terminal.
func (u user) setup(args ...string) answer {
	u.t.Helper()
	return u.run(nil, append([]string{binary, "setup"}, args...)...)
}

// setupAt runs it at a terminal, where somebody answers.
func (u user) setupAt(answers ...string) answer {
	u.t.Helper()
	return u.run(answers, "script", "-qec", binary+" setup", "/dev/null")
}

func (a answer) check(t *testing.T, code int, contains ...string) {
	t.Helper()
	if a.code != code {
		t.Errorf("exit code: got %d, want %d", a.code, code)
	}
	// A terminal's lines are broken where it suits.
	text := strings.Join(strings.Fields(a.text), " ")
	for _, want := range contains {
		if !strings.Contains(text, want) {
			t.Errorf("got no %q in what it printed", want)
		}
	}
}

// devices are the loopback nodes with their labels and directions.
func devices(t *testing.T) map[string]string {
	t.Helper()
	nodes, err := v4l2.System{}.Nodes()
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for _, n := range nodes {
		found[n.Path] = n.Label
		if n.Output && n.Capture {
			found[n.Path] += " (both ways)"
		}
	}
	return found
}

func checkDevices(t *testing.T, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, devices(t)); diff != "" {
		t.Errorf("video devices: -want +got:\n%s", diff)
	}
}

func ours() map[string]string {
	return map[string]string{videoOut: "costream-topeer", videoIn: "costream-frompeer"}
}

// unload takes v4l2loopback away.
func unload(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/sys/module/v4l2loopback"); err == nil {
		command(t, "modprobe", "-r", "v4l2loopback")
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestGuestSetup is costream-obs setup on a bare machine and on machines with
// every kind of history, by a user who is not root.
func TestGuestSetup(t *testing.T) {
	needGuest(t, "alone")
	alice := newUser(t, "alice")

	t.Run("asks nobody", func(t *testing.T) {
		alice.t = t
		alice.setup().check(t, 1, "sudo modprobe v4l2loopback video_nr=10,11", "nothing was changed, because there is no terminal to ask on; add --yes")
		checkDevices(t, map[string]string{})
	})
	t.Run("prints", func(t *testing.T) {
		alice.t = t
		alice.setup("--print").check(t, 0, "sudo modprobe v4l2loopback video_nr=10,11", optionsFile)
		checkDevices(t, map[string]string{})
		if exists(optionsFile) {
			t.Errorf("%s is there", optionsFile)
		}
	})
	t.Run("is told no", func(t *testing.T) {
		alice.t = t
		alice.setupAt("n").check(t, 0, "Do it? [y/N]", "Nothing was changed.")
		checkDevices(t, map[string]string{})
	})
	t.Run("is told yes", func(t *testing.T) {
		alice.t = t
		// The second question is about the group.
		alice.setupAt("y", "y").check(t, 0, "Do it? [y/N]", "sudo usermod -aG video alice", "log out and in again", "Done. costream-obs doctor checks the result")
		checkDevices(t, ours())
		if got := command(t, "id", "-nG", "alice"); !strings.Contains(got, "video") {
			t.Errorf("groups of alice: got %s, want video among them", got)
		}
	})
	t.Run("has nothing to do", func(t *testing.T) {
		alice.t = t
		alice.setup().check(t, 0, "This machine is already set up.")
	})
	t.Run("after a restart", func(t *testing.T) {
		alice.t = t
		unload(t)
		// What systemd-modules-load does with it.
		for line := range strings.Lines(readFile(t, loadFile)) {
			if !strings.HasPrefix(line, "#") {
				command(t, "modprobe", strings.TrimSpace(line))
			}
		}
		command(t, "udevadm", "settle")
		checkDevices(t, ours())
	})
	t.Run("undo keeps what is loaded", func(t *testing.T) {
		alice.t = t
		alice.setup("--undo", "--yes").check(t, 0, "/dev/video10 and /dev/video11 stay until the machine restarts")
		checkDevices(t, ours())
		if exists(optionsFile) || exists(loadFile) {
			t.Error("the files are still there")
		}
		if got := command(t, "id", "-nG", "alice"); strings.Contains(got, "video") {
			t.Errorf("groups of alice: got %s, want video no more", got)
		}
		alice.setup("--undo").check(t, 0, "There is nothing to undo.")
		unload(t)
	})
	t.Run("other numbers and labels, then undo", func(t *testing.T) {
		alice.t = t
		alice.setup("--yes", "--video-out=/dev/video4", "--video-in=/dev/video7", "--label-out=mine", "--label-in=yours").check(t, 0, "Done.")
		checkDevices(t, map[string]string{"/dev/video4": "mine", "/dev/video7": "yours"})
		alice.setup("--undo", "--yes", "--restart").check(t, 0, "Done: what setup did is undone.")
		checkDevices(t, map[string]string{})
		if exists(optionsFile) || exists("/sys/module/v4l2loopback") {
			t.Error("something is left")
		}
	})
	t.Run("other devices, one in use", func(t *testing.T) {
		alice.t = t
		loadLoopback(t, "video_nr=20", "card_label=droidcam", "exclusive_caps=1")
		holder := hold(t, "/dev/video20")
		alice.setup("--yes", "--restart").check(t, 1, "not possible while it is used", "fuser")
		rootSetup(t, "--yes", "--restart").check(t, 1, "sleep (process", "has /dev/video20 open")
		holder()
		alice.setup("--yes").check(t, 1, "add --restart to allow that", `removes /dev/video20 ("droidcam")`)
		checkDevices(t, map[string]string{"/dev/video20": "droidcam"})
		alice.setup("--yes", "--restart").check(t, 0, "Done.")
		checkDevices(t, ours())
		undo(t)
	})
	t.Run("exclusive_caps for the first alone", func(t *testing.T) {
		alice.t = t
		loadLoopback(t, "video_nr=10,11", "card_label=costream-topeer,costream-frompeer", "exclusive_caps=1")
		if got := devices(t)[videoIn]; got != "costream-frompeer (both ways)" {
			t.Errorf("%s before: got %q, want both ways", videoIn, got)
		}
		rootSetup(t, "--yes", "--restart").check(t, 0, "without exclusive_caps for /dev/video11", "Done.")
		checkDevices(t, ours())
		undo(t)
	})
	t.Run("a smaller number", func(t *testing.T) {
		alice.t = t
		loadLoopback(t, "video_nr=3,10,11", "card_label=droidcam,costream-topeer,costream-frompeer", "exclusive_caps=1,1,1")
		rootSetup(t, "--yes").check(t, 0, `/dev/video3 ("droidcam") is a loopback device, too, and has a smaller number than /dev/video10`)
		undo(t)
	})
	t.Run("options of somebody else", func(t *testing.T) {
		alice.t = t
		const other = "/etc/modprobe.d/v4l2loopback.conf"
		if err := os.WriteFile(other, []byte("options v4l2loopback video_nr=5 card_label=other\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.Remove(other) }()
		rootSetup(t, "--yes").check(t, 0, other+" asks for video_nr=5")
		unload(t)
		loadLoopback(t)
		checkDevices(t, ours())
		undo(t)
	})
	t.Run("loopback sound card", func(t *testing.T) {
		alice.t = t
		alice.setup("--yes", "--audio=aloop").check(t, 0, "snd-aloop", "Done.")
		if got := readFile(t, "/proc/asound/cards"); !strings.Contains(got, "10 [alooptopeer") {
			t.Errorf("sound cards: got %q, want card 10", got)
		}
		pulse := testbed.NewPulse(t, "load-module module-udev-detect")
		testbed.Await(t, "PulseAudio has the card under its name", 20*time.Second, func() error {
			sinks := pulse.Pactl("list", "sinks")
			return orNil(strings.Contains(sinks, "Description: costream-topeer (loopback)"), "got the sinks %s", sinks)
		})
		pulse.Kill()
		undo(t)
		if exists("/sys/module/snd_aloop") {
			t.Error("snd-aloop is still loaded")
		}
	})
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// rootSetup runs costream-obs setup as root.
func rootSetup(t *testing.T, args ...string) answer {
	t.Helper()
	return user{t: t, name: "root"}.setup(args...)
}

func undo(t *testing.T) {
	t.Helper()
	rootSetup(t, "--undo", "--yes", "--restart").check(t, 0)
	unload(t)
	checkDevices(t, map[string]string{})
}

// hold has a program of root keep a device open, until the returned function
// is called.
func hold(t *testing.T, path string) (release func()) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.CommandContext(t.Context(), "sleep", "300")
	cmd.ExtraFiles = []*os.File{f}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}
