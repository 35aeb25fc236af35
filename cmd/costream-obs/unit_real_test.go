// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// userManager is a real systemd for one user.
type userManager struct {
	t   *testing.T
	env []string
}

// The service is to have its share of the processors. As a scheduler's group of its own it may not: while another group
// keeps all of them busy, Linux 6.18 can let it run for no more than 6 to 50 ms in each second, with ten of its threads
// ready to run.
const (
	// noWeights: a slice with a weight is a group, and so is all else on the machine, since a systemd that finds itself at
	// the root of the control groups moves it into one.
	noWeights = "[Slice]\nCPUWeight=\n"
	// firstOfSessions: without weights each session is a group (sched(7), autogroup), and systemd makes each service a
	// session. It cannot join another's group, but its own can come first.
	firstOfSessions = "[Service]\nExecStartPost=-/bin/sh -c 'echo -20 >/proc/$MAINPID/autogroup'\n"
)

// startUserManager starts one whose services get the environment. It believes to be on a machine that systemd has booted
// by what it sees in a mount namespace of its own.
func startUserManager(t *testing.T, env []string) *userManager {
	t.Helper()
	const program = "/usr/lib/systemd/systemd"
	if _, err := os.Stat(program); err != nil || os.Geteuid() != 0 {
		t.Skipf("needs root and %s", program)
	}
	m := &userManager{t: t, env: append(env, "PATH="+os.Getenv("PATH"), "LC_ALL=C.UTF-8")}
	testbed.Start(t, testbed.Command{
		Name: "systemd", Path: "unshare",
		Args: []string{"--mount", "sh", "-c", "mkdir -p /run/systemd && mount -t tmpfs none /run/systemd && mkdir /run/systemd/system && exec " + program + " --user --log-target=console"},
		Env:  m.env,
	})
	// Killed, it leaves its services behind: this one would join the OBS of each test that comes later.
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if out, err := m.ctl(ctx, "kill", "--signal=KILL", "costream-obs"); err != nil && t.Failed() {
			t.Logf("the service was not killed: %v: %s", err, out)
		}
	})
	testbed.Await(t, "systemd", 20*time.Second, func() error {
		out, err := m.ctl(t.Context(), "is-active", "default.target")
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	return m
}

func (m *userManager) ctl(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "systemctl", append([]string{"--user"}, args...)...)
	cmd.Env = m.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (m *userManager) must(args ...string) string {
	m.t.Helper()
	out, err := m.ctl(m.t.Context(), args...)
	if err != nil {
		m.t.Fatalf("systemctl --user %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out)
}

// TestRealService installs the service with make and lets a real systemd run it beside a real OBS: with all that it
// forbids two friends co-stream, and it comes back after a crash.
func TestRealService(t *testing.T) {
	testbed.Need(t)
	prefix := filepath.Join(t.TempDir(), "usr")
	binary := filepath.Join(prefix, "bin", "costream-obs")
	root := filepath.Join("..", "..")
	for _, args := range [][]string{
		{"go", "build", "-o", filepath.Join(root, "build", "costream-obs"), "."},
		{"make", "-C", root, "install", "PREFIX=" + prefix},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", args, err, out)
		}
	}
	unit, err := os.ReadFile(filepath.Join(prefix, "lib", "systemd", "user", "costream-obs.service"))
	if err != nil {
		t.Fatal(err)
	}

	display := testbed.NewDisplay(t)
	alice := e2e.Alice()
	alice.Voice = testbed.Tone{Hz: 1000} // without pauses, as doctor listens to it
	c := &couple{binary: binary, alice: e2e.NewPerson(t, alice, display), bob: e2e.NewPerson(t, e2e.Bob(), display)}
	c.alice.PairWith(binary, c.bob)
	config := envValue(t, c.alice.Env(), "XDG_CONFIG_HOME")
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	units := filepath.Join(config, "systemd", "user")
	write(filepath.Join(units, "costream-obs.service"), string(unit))
	// There is no journal to read here.
	output := filepath.Join(t.TempDir(), "output")
	write(filepath.Join(units, "costream-obs.service.d", "output.conf"), fmt.Sprintf("[Service]\nStandardOutput=append:%[1]s\nStandardError=append:%[1]s\n", output))
	t.Cleanup(func() {
		if said, err := os.ReadFile(output); t.Failed() {
			t.Logf("--- output of the service (%v) ---\n%s", err, said)
		}
	})
	write(filepath.Join(units, "costream-obs.service.d", "session.conf"), firstOfSessions)
	write(filepath.Join(units, "slice.d", "weight.conf"), noWeights)
	settings := filepath.Join(config, "costream-obs", "config.toml")
	write(settings, "nonsense = 1\n")

	m := startUserManager(t, c.alice.Env())
	if out, err := m.ctl(t.Context(), "start", "costream-obs"); err != nil {
		t.Logf("start with wrong settings: %s", out)
	}
	c.await(t, "svc.unit", "its settings are wrong")
	write(settings, fmt.Sprintf("listen = %q\npeer = %q\nroute = \"portable\"\n", c.alice.Address, c.bob.Address))
	m.must("enable", "--now", "costream-obs")
	c.await(t, "svc.unit", "")
	// Only then does doctor leave the port alone and ask the service.
	testbed.Await(t, "the service to be ready", 30*time.Second, func() error {
		if report, _ := c.doctor(t, "--only", "svc.run"); !finds(report, "svc.run", e2e.Ready) {
			return fmt.Errorf("doctor said %+v", report)
		}
		return nil
	})

	bobs := c.bob.Run(binary, c.alice)
	bobs.Await(e2e.Ready, time.Minute)
	if report, code := c.doctor(t, "--only", "net.probe"); code != exitOK || report.Counts.OK != 1 {
		t.Errorf("before anybody is on air: got %+v, exit code %d, want Bob's answers", report, code)
	}
	c.alice.OBS.StartStream()
	c.bob.OBS.StartStream()
	bobs.Await(e2e.OnAirWithPeer, time.Minute)
	testbed.Await(t, "Alice sees Bob", 30*time.Second, func() error { return c.alice.SeesPeer(c.bob) })
	testbed.Await(t, "Bob sees Alice", 30*time.Second, func() error { return c.bob.SeesPeer(c.alice) })
	c.allWell(t, "--peer")

	// A crash.
	pid, err := strconv.Atoi(m.must("show", "--property=MainPID", "--value", "costream-obs"))
	if err != nil || pid == 0 {
		t.Fatalf("process %d, %v", pid, err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.await(t, "svc.unit", "does not stay up (signal")
	testbed.Await(t, "the service to be there again", 30*time.Second, func() error {
		if now := m.must("show", "--property=MainPID", "--value", "costream-obs"); now == "0" || now == strconv.Itoa(pid) {
			return fmt.Errorf("process %s", now)
		}
		return c.alice.SeesPeer(c.bob)
	})

	// An update.
	if err := os.Rename(binary, binary+".old"); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", binary+".old", binary).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Remove(binary + ".old"); err != nil {
		t.Fatal(err)
	}
	c.await(t, "svc.unit", "from before the last update")
	m.must("disable", "--now", "costream-obs")
	c.await(t, "svc.unit", "")
}

// envValue is the last value of a variable in an environment.
func envValue(t *testing.T, env []string, name string) (value string) {
	t.Helper()
	for _, v := range env {
		if key, rest, _ := strings.Cut(v, "="); key == name {
			value = rest
		}
	}
	if value == "" {
		t.Fatalf("the environment %q has no %s", env, name)
	}
	return value
}
