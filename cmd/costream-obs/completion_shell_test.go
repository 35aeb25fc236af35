// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// completed are lines as a user types them, with Tab, and the command line that the shell then runs.
var completed = []struct {
	typed, want string
}{
	{"costream-obs gra\t", "graph"},
	{"costream-obs peer lay\tpi\t --corn\ttop-l\t", "peer layout pip --corner top-left"},
	{"costream-obs run --peer bob --peer-a\tsour\t", "run --peer bob --peer-audio source"},
	{"costream-obs run --lin\tsec\t --verb\t", "run --link secure --verbose"},
	{"costream-obs run --route=port\t", "run --route=portable"},
	{"costream-obs run --clean\t--layout side\t", "run --clean-feed --layout side-by-side"},
	{"costream-obs setup cl\t--al\t", "setup clean-feed --all"},
	{"costream-obs setup --audio al\t --pri\t", "setup --audio aloop --print"},
	{"costream-obs doctor --json --only host.g\t --peer --fi\t", "doctor --json --only host.gst --peer --fix"},
	{"costream-obs run --config set\t", "run --config settings.toml"},
	{"costream-obs help setup hot\t", "help setup hotkeys"},
	{"costream-obs hel\tpeer stat\t", "help peer status"},
	// Nothing to complete: a name is free, and so is the peer's address.
	{"costream-obs peer layout use se\t", "peer layout use se"},
	{"costream-obs run --peer se\t", "run --peer se"},
}

// What the terminal shows after a command, and when the shell waits for the next line. Neither is ever typed.
const (
	done   = "<done>"
	prompt = "<ready>"
)

// shells are the shells with completions: how each is started so that it reads nobody's settings, and what it is told
// first. %s is the directory of the completions.
var shells = []struct {
	name  string
	args  []string
	setup string
}{
	{"bash", []string{"--norc", "--noprofile", "-i"}, "PS1='<''ready>'; source %s/costream-obs.bash; echo '<''done>'"},
	{"zsh", []string{"-f", "-i"}, "PS1='<''ready>'; fpath+=(%s); autoload -U compinit; compinit -u -D; echo '<''done>'"},
	{"fish", []string{"--no-config", "--interactive"}, "function fish_prompt; printf '<''ready>'; end; source %s/costream-obs.fish; echo '<''done>'"},
}

// TestRealCompletion types at real shells, on a terminal, and looks at what they run.
func TestRealCompletion(t *testing.T) {
	testbed.Need(t)
	dir, err := filepath.Abs(completionDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, shell := range shells {
		t.Run(shell.name, func(t *testing.T) {
			t.Parallel()
			path, err := exec.LookPath(shell.name)
			if err != nil {
				t.Fatalf("%s is not installed; install it with: sudo apt install %s", shell.name, shell.name)
			}
			home := t.TempDir()
			program := filepath.Join(home, "bin", "costream-obs")
			ran := filepath.Join(home, "ran")
			for file, text := range map[string]string{
				program:                              "#!/bin/sh\necho \"$*\" >>" + ran + "\necho '" + done + "'\n",
				filepath.Join(home, "settings.toml"): "",
			} {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			terminal := startShell(t, home, path, shell.args...)
			terminal.enter(fmt.Sprintf(shell.setup, dir))
			for _, line := range completed {
				terminal.enter(line.typed)
			}
			data, err := os.ReadFile(ran)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Split(string(data), "\n")
			for i, line := range completed {
				// zsh writes --flag=value where it completes the flag.
				if i >= len(got) || strings.ReplaceAll(got[i], "=", " ") != strings.ReplaceAll(line.want, "=", " ") {
					t.Errorf("%q: got %q, want %q", line.typed, got[min(i, len(got)-1)], line.want)
				}
			}
			if len(got) != len(completed)+1 {
				t.Errorf("got %d lines, want %d:\n%s", len(got)-1, len(completed), data)
			}
		})
	}
}

// A terminalSession is a shell on a terminal, as a person has it.
type terminalSession struct {
	t      *testing.T
	person *os.File

	mu    sync.Mutex
	shown strings.Builder
	more  chan struct{} // has an entry when more is shown
}

func startShell(t *testing.T, home, program string, args ...string) *terminalSession {
	t.Helper()
	person, side := openTerminal(t)
	if err := unix.IoctlSetWinsize(int(person.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: 200}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = home
	cmd.Env = []string{"HOME=" + home, "PATH=" + filepath.Join(home, "bin") + ":" + os.Getenv("PATH"), "TERM=dumb", "LC_ALL=C.UTF-8"}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = side, side, side
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	session := &terminalSession{t: t, person: person, more: make(chan struct{}, 1)}
	go session.read()
	return session
}

func (t *terminalSession) read() {
	buffer := make([]byte, 4096)
	for {
		n, err := t.person.Read(buffer)
		t.mu.Lock()
		t.shown.Write(buffer[:n])
		t.mu.Unlock()
		select {
		case t.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// enter types a line, in which a command says done, and waits for the prompt after that.
func (t *terminalSession) enter(line string) {
	t.t.Helper()
	t.mu.Lock()
	t.shown.Reset()
	t.mu.Unlock()
	if _, err := t.person.WriteString(line + "\n"); err != nil {
		t.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.t.Context(), 20*time.Second)
	defer cancel()
	for {
		t.mu.Lock()
		shown := t.shown.String()
		t.mu.Unlock()
		// A shell may draw its prompt again while the line is edited.
		if _, after, ok := strings.Cut(shown, done); ok && strings.Contains(after, prompt) {
			return
		}
		select {
		case <-t.more:
		case <-ctx.Done():
			t.t.Fatalf("after %q the command did not run, or no prompt came; the terminal shows:\n%q", line, shown)
		}
	}
}
