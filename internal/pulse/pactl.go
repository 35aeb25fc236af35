// SPDX-License-Identifier: Apache-2.0

package pulse

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/internal/standstill"
)

var (
	// ErrNoPactl means that the program pactl is not installed.
	ErrNoPactl = errors.New("pactl is not installed; install it with: sudo apt install pulseaudio-utils")
	// ErrOldPactl means that pactl is older than 16.0 and cannot print JSON.
	ErrOldPactl = errors.New("pactl is too old, costream-obs needs version 16 or newer; see: pactl --version")
	// ErrNoServer means that no sound server answers.
	ErrNoServer = errors.New("no sound server answers; start it with: systemctl --user start pipewire-pulse.service || pulseaudio --start")
	// ErrHangs means that a sound server is there and does not answer in time. It is an ErrNoServer, too.
	ErrHangs error = hangs{}
	// ErrNotFound means that a sink, module or stream does not exist (any more).
	ErrNotFound = errors.New("no such sound node, module or stream")
)

type hangs struct{}

func (hangs) Error() string {
	return "the sound server is too busy, or hangs; if it stays so, restart it with: systemctl --user restart pipewire-pulse.service || { pulseaudio --kill; pulseaudio --start; }"
}

func (hangs) Is(target error) bool { return target == ErrNoServer }

// pactlTimeout bounds each question to the sound server, which answers within
// milliseconds when it is well.
const pactlTimeout = 5 * time.Second

// Client asks a sound server that speaks PulseAudio's protocol: PulseAudio
// itself or PipeWire's pipewire-pulse. It is asked by way of pactl, which
// speaks to both; pacmd does not exist on PipeWire. The zero value is the
// user's own server.
type Client struct {
	// Server is its address in the form of PULSE_SERVER. Empty: the one that
	// the environment leads to.
	Server string
}

// environ is the environment for pactl. The C locale keeps its numbers valid
// JSON (a decimal comma is not) and its messages in the language that this
// package knows.
func (c Client) environ() []string {
	env := append(os.Environ(), "LC_ALL=C")
	if c.Server != "" {
		env = append(env, "PULSE_SERVER="+c.Server)
	}
	return env
}

// pactl runs one pactl command and returns its standard output.
func (c Client) pactl(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := standstill.WithTimeout(ctx, pactlTimeout)
	defer cancel()
	keepFiles()
	cmd := exec.CommandContext(ctx, "pactl", args...)
	cmd.Env = c.environ()
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, c.pactlError(ctx, args, stderr.String(), err)
	}
	return stdout.Bytes(), nil
}

// query runs one pactl command that prints JSON.
func (c Client) query(ctx context.Context, into any, args ...string) error {
	out, err := c.pactl(ctx, append([]string{"-f", "json"}, args...)...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("understand the answer of pactl %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

// pactlError turns what pactl said into an error that tells what to do. pactl
// has one exit code for everything, so that its words must be read; they are
// the same from 13 to 17 and on PipeWire.
func (c Client) pactlError(ctx context.Context, args []string, stderr string, err error) error {
	what := "pactl " + strings.Join(args, " ")
	said := strings.Join(strings.Fields(stderr), " ")
	at := ""
	if c.Server != "" {
		at = " (PULSE_SERVER=" + c.Server + ")"
	}
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return ErrNoPactl
	case errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return fmt.Errorf("%s: no answer within %v%s: %w", what, pactlTimeout, at, ErrHangs)
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", what, ctx.Err())
	case strings.Contains(said, "invalid option"):
		return ErrOldPactl
	case strings.Contains(said, "No such entity"):
		return fmt.Errorf("%s: %w", what, ErrNotFound)
	case strings.Contains(said, "Connection refused"), strings.Contains(said, "Connection failure"),
		strings.Contains(said, "pa_context_connect() failed"), strings.Contains(said, "Connection terminated"):
		return fmt.Errorf("%s: %s%s: %w", what, said, at, ErrNoServer)
	}
	return fmt.Errorf("%s: %s: %w", what, said, err)
}
