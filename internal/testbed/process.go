// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Command says what [Start] starts.
type Command struct {
	Name string   // in messages; the program's name when empty
	Path string   // program, looked up in PATH
	Args []string // without the program itself
	Env  []string // nil: the caller's, without what leads to the user's session
	Dir  string
	// Stdin and Stdout may be nil. The end of what goes to standard error, and
	// to standard output when Stdout is nil, is kept for messages.
	Stdin      io.Reader
	Stdout     io.Writer
	ExtraFiles []*os.File // file descriptors 3 and up
	// DeathSignal is what the child gets when this process dies; 0 is SIGKILL.
	DeathSignal syscall.Signal
	// Measures says that the child is an instrument: it gets real-time priority where this user may, so that it shows what
	// other programs do on a busy machine and not how late it is itself.
	Measures bool
}

// ahead is a real-time priority below that of sound servers.
const ahead = 4

// mayHurry reports whether real-time priority leaves processors to others. A guest with one, which is slower than sound, stands
// still with it.
func mayHurry() bool { return runtime.NumCPU() > 1 }

// Process is a running child in a process group of its own. It is killed at
// the end of the test, and its last output is shown when the test failed.
type Process struct {
	name string
	cmd  *exec.Cmd
	log  *tail
	done chan struct{}
	err  error // of Wait; valid once done is closed
}

// logTail is how many lines of a process's output are looked at.
const logTail = 80

// Start starts a child or fails.
func Start(tb TB, c Command) *Process {
	tb.Helper()
	p, err := start(c)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	tb.Cleanup(func() {
		p.Kill()
		if tb.Failed() {
			tb.Logf("--- last output of %s ---\n%s", p.name, p.log.last(logTail))
		}
	})
	return p
}

func start(c Command) (*Process, error) {
	if c.Name == "" {
		c.Name = c.Path
	}
	if c.DeathSignal == 0 {
		c.DeathSignal = syscall.SIGKILL
	}
	if c.Env == nil {
		c.Env = baseEnv()
	}
	// Children inherit it. OBS with huge pages stands still for seconds, once for 154, where the processors are busy: see
	// pipe.Init. A kernel that knows none refuses.
	_ = unix.Prctl(unix.PR_SET_THP_DISABLE, 1, 0, 0, 0)
	log := &tail{}
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Env, cmd.Dir, cmd.Stdin, cmd.ExtraFiles = c.Env, c.Dir, c.Stdin, c.ExtraFiles
	cmd.Stdout, cmd.Stderr = c.Stdout, log
	if c.Stdout == nil {
		cmd.Stdout = log
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: c.DeathSignal}
	cmd.WaitDelay = time.Second

	p := &Process{name: c.Name, cmd: cmd, log: log, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel sends the death signal when the thread that forked ends,
		// not the process (prctl(2)): keep the thread for the child's life.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	if c.Measures && mayHurry() {
		_ = unix.SchedSetAttr(p.PID(), &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: ahead}, 0)
	}
	return p, nil
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended and been reaped.
func (p *Process) Done() <-chan struct{} { return p.done }

// Kill kills the whole process group and waits for the end of the process.
func (p *Process) Kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// Interrupt sends SIGINT to the process and does not wait.
func (p *Process) Interrupt() { p.signal(syscall.SIGINT) }

// Terminate sends SIGTERM to the process and does not wait.
func (p *Process) Terminate() { p.signal(syscall.SIGTERM) }

// Quit ends a program written in Go that hangs, and waits for that. Output then
// tells what its goroutines were at.
func (p *Process) Quit() {
	p.signal(syscall.SIGQUIT)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		p.Kill()
	}
}

func (p *Process) signal(sig syscall.Signal) {
	select {
	case <-p.done:
		return // the id may belong to another process by now
	default:
	}
	target := p.PID()
	if sig == syscall.SIGKILL {
		target = -target
	}
	// An error means that it has ended meanwhile, which done will tell.
	_ = syscall.Kill(target, sig)
}

// Wait waits for the end of the process and returns its exit code, or an
// error when ctx ends first. A process that a signal ended has code -1.
func (p *Process) Wait(ctx context.Context) (int, error) {
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		return 0, fmt.Errorf("%s still runs: %w", p.name, ctx.Err())
	}
}

// Output is the end of what the process has written so far.
func (p *Process) Output() string { return p.log.last(0) }

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 512 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if over := len(t.buf) - tailSize; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(b), nil
}

// last returns the last n lines, or everything kept when n is 0.
func (t *tail) last(n int) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.SplitAfter(string(t.buf), "\n")
	if n > 0 && len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return strings.Join(lines, "")
}
