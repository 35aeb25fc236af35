// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Elevation is how commands get root's rights: nothing if we are root, or a program such as sudo with its arguments.
type Elevation []string

// ErrNoElevation means that we cannot get root's rights.
var ErrNoElevation = errors.New("this needs root, and there is neither sudo nor pkexec; as root, run: costream-obs setup")

// Elevate chooses how to become root. If nobody can be asked for a password, the program must fail instead of waiting.
func Elevate(interactive bool) (Elevation, error) {
	if os.Geteuid() == 0 {
		return nil, nil
	}
	for _, e := range []Elevation{{"sudo", "-n"}, {"pkexec", "--disable-internal-agent"}} {
		if _, err := exec.LookPath(e[0]); err != nil {
			continue
		}
		if interactive {
			e = e[:1]
		}
		return e, nil
	}
	return nil, ErrNoElevation
}

// Program is the name of the program, or "".
func (e Elevation) Program() string {
	if len(e) == 0 {
		return ""
	}
	return e[0]
}

// Streams are what the commands of a plan read and write.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Apply carries out a plan, one command after the other, until one fails or ctx ends. It asks for root's rights once.
func (p Plan) Apply(ctx context.Context, e Elevation, s Streams) error {
	if p.Empty() {
		return nil
	}
	args := append(append([]string{}, e...), "sh", "-c", p.Script())
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.In, s.Out, s.Err
	// This ends the shell, so no more commands start, but not the running command: a package manager that is killed leaves a
	// mess behind.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("stopped before the end: %w; run it again to continue", ctx.Err())
	case !errors.As(err, &exit):
		return fmt.Errorf("run %s: %w", args[0], err)
	}
	if step, ok := p.Failed(exit.ExitCode()); ok {
		return &StepError{Step: step}
	}
	return fmt.Errorf("%s did not run the commands (%w); to see them: costream-obs setup --print", strings.Join(args[:max(1, len(e))], " "), err)
}

// StepError means that a step of a plan failed; its messages are in the output. The steps before it are done.
type StepError struct{ Step Step }

func (e *StepError) Error() string {
	text := "failed: " + e.Step.What
	if e.Step.Hint != "" {
		text += ". " + e.Step.Hint
	}
	return text
}
