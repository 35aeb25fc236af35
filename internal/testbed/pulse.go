// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Names of the sound nodes that every private sound server has.
const (
	// Headphones is the default sink: what its user hears.
	Headphones = "default_out"
	// MicrophoneSink is the sink to play into when the user speaks.
	MicrophoneSink = "fakemic"
	// Microphone is the default source, which carries MicrophoneSink. It is
	// no monitor source, since OBS makes its Mic/Aux only when there is a
	// source that is none (measured, 29.0.2).
	Microphone = "mic"
)

// Pulse is a private sound server that speaks PulseAudio's protocol:
// PulseAudio itself, or PipeWire.
type Pulse struct {
	Server     string // for PULSE_SERVER
	RuntimeDir string // for XDG_RUNTIME_DIR
	PipeWire   bool

	tb      TB
	dir     string
	script  string // of PulseAudio
	start   func()
	process *Process
}

// newPulse makes a server that does not run yet.
func newPulse(tb TB) *Pulse {
	tb.Helper()
	dir := shortDir(tb)
	run := filepath.Join(dir, "run")
	socket := filepath.Join(run, "pulse", "native")
	if err := os.MkdirAll(filepath.Dir(socket), 0o700); err != nil {
		tb.Fatalf("%v", err)
	}
	return &Pulse{Server: "unix:" + socket, RuntimeDir: run, tb: tb, dir: dir, script: filepath.Join(dir, "default.pa")}
}

// nodes are the commands that make the nodes that every server has; options
// are for the sinks.
func nodes(options string) []string {
	card := " rate=48000" + options + " sink_properties=device.description="
	return []string{
		"load-module module-null-sink sink_name=" + Headphones + card + "DefaultOut",
		"load-module module-null-sink sink_name=" + MicrophoneSink + card + "FakeMic",
		"load-module module-remap-source master=" + MicrophoneSink + ".monitor source_name=" + Microphone,
		"set-default-sink " + Headphones,
		"set-default-source " + Microphone,
	}
}

// NewPulse starts a private PulseAudio, or PipeWire where PulseAudio cannot be
// installed. Each extra line is added to its start script, for example
// "load-module module-null-sink sink_name=other".
func NewPulse(tb TB, extra ...string) *Pulse {
	tb.Helper()
	if noPulseAudio() != "" {
		return NewPipeWire(tb, extra...)
	}
	requirePrograms(tb, "pulseaudio", "pactl", "pacat")
	p := newPulse(tb)
	p.start = p.startPulse
	// Without norewinds a null sink hands its first sound over in one piece
	// of two seconds; with it in pieces of 50 ms (measured, 16.1).
	lines := append(nodes(" norewinds=1"), extra...)
	// Last, so that the server answers only when everything else is there.
	lines = append(lines, "load-module module-native-protocol-unix socket="+p.socket()+" auth-anonymous=1")
	writeFile(tb, p.script, strings.Join(lines, "\n")+"\n")
	p.start()
	return p
}

// noPulseAudio names the package because of which PulseAudio is not installed
// on a desktop whose sound server is PipeWire. .ci/install-deps leaves it out
// for the same reason.
func noPulseAudio() string {
	if _, err := exec.LookPath("pulseaudio"); err == nil {
		return ""
	}
	if _, err := exec.LookPath("pipewire-pulse"); err != nil {
		return ""
	}
	const query = "${db:Status-Status} ${Package} ${Conflicts},\n"
	list, err := exec.Command("dpkg-query", "-W", "-f", query).Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "pipewire-pulse" // Arch's and Fedora's conflict with PulseAudio
	}
	for _, line := range strings.Split(string(list), "\n") {
		words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == ',' })
		if len(words) > 2 && words[0] == "installed" && slices.Contains(words[2:], "pulseaudio") {
			return words[1]
		}
	}
	return ""
}

// NeedPulseAudio skips a test of what PipeWire has no likeness of where
// PulseAudio cannot be installed.
func NeedPulseAudio(t testing.TB) {
	t.Helper()
	if name := noPulseAudio(); name != "" {
		t.Skipf("needs PulseAudio itself, which the package %s on this machine conflicts with; run it in a root: make test-systems", name)
	}
}

func (p *Pulse) socket() string { return strings.TrimPrefix(p.Server, "unix:") }

func (p *Pulse) startPulse() {
	p.tb.Helper()
	realtime := "no"
	if mayHurry() {
		realtime = "yes" // as on a desktop, where this user may
	}
	p.process = Start(p.tb, Command{
		Path: "pulseaudio",
		// PulseAudio 16.1 can crash over memory that it shares with a client that goes away ("Assertion
		// 'pa_hashmap_remove(import->blocks" in memblock.c; pulseaudio#824), so it shares none.
		Args: []string{"-n", "-F", p.script, "--disable-shm=yes", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1",
			"--disallow-exit=yes", "--high-priority=" + realtime, "--realtime=" + realtime, "--log-target=stderr"},
		Env: append(baseEnv(), "HOME="+p.dir, "XDG_RUNTIME_DIR="+p.RuntimeDir),
	})
	Await(p.tb, "PulseAudio answers", soundLimit, func() error {
		c, err := net.DialTimeout("unix", p.socket(), time.Second)
		if err != nil {
			return err
		}
		return c.Close()
	})
}

// Env is the environment that leads a child to this server.
func (p *Pulse) Env() []string {
	return []string{"PULSE_SERVER=" + p.Server, "XDG_RUNTIME_DIR=" + p.RuntimeDir}
}

// PID is the server's process id.
func (p *Pulse) PID() int { return p.process.PID() }

// Kill kills the server.
func (p *Pulse) Kill() { p.process.Kill() }

// Restart kills the server, if it runs, and starts it again on the same
// socket. Nodes that were loaded after its start are gone.
func (p *Pulse) Restart() {
	p.tb.Helper()
	p.Kill()
	p.start()
}

// Pactl runs pactl on this server and returns what it printed.
func (p *Pulse) Pactl(args ...string) string {
	p.tb.Helper()
	cmd := exec.CommandContext(p.tb.Context(), "pactl", args...)
	cmd.Env = append(baseEnv(), p.Env()...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.tb.Fatalf("pactl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}
