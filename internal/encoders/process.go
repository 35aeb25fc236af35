// SPDX-License-Identifier: Apache-2.0

package encoders

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/media"
)

// TrialCommand is the word with which the program runs one trial and prints what it found out, as JSON. It is not for users.
const TrialCommand = "encoder-trial"

const (
	// hardwareWithin and softwareWithin limit a trial with its process. On an idle machine it takes 0.2 to 0.5 s, and a device that
	// sleeps may need a second or two to open. A software encoder does not hang, and there is none better to try, so a busy machine
	// has longer for it.
	hardwareWithin = 3 * time.Second
	softwareWithin = 4 * time.Second
	// toReport is what is left of that after the trial itself, whose answer says more than a timeout.
	toReport = 100 * time.Millisecond
)

// within limits the trial of an encoder.
func (c *Chooser) within(name string) time.Duration {
	if media.HardwareEncoder(name) {
		return c.hardwareWithin
	}
	return softwareWithin
}

// RunTrial is the program with TrialCommand: it tries one encoder, with the arguments of its command line.
func RunTrial(args []string, stdout io.Writer) error {
	if len(args) != 7 {
		return fmt.Errorf("%s needs 7 arguments", TrialCommand)
	}
	var n [6]int
	for i, arg := range args[1:] {
		v, err := strconv.Atoi(arg)
		if err != nil {
			return fmt.Errorf("%s: %w", TrialCommand, err)
		}
		n[i] = v
	}
	f := media.VideoFormat{W: n[0], H: n[1], FPSNum: n[2], FPSDen: n[3]}
	// A driver that hangs keeps what called it from returning, and whoever started us may be gone.
	limit := time.Duration(n[5]) * time.Millisecond
	time.AfterFunc(2*limit, func() { os.Exit(1) })
	if err := media.Init(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit-toReport)
	defer cancel()
	return json.NewEncoder(stdout).Encode(media.TryEncoder(ctx, args[0], f, n[4]))
}

// trial tries one encoder in a process of its own.
func (c *Chooser) trial(ctx context.Context, name string, f media.VideoFormat) media.EncoderTrial {
	args := []string{TrialCommand, name}
	limit := c.within(name)
	for _, n := range []int{f.W, f.H, f.FPSNum, f.FPSDen, c.o.BitrateKbps, int(limit.Milliseconds())} {
		args = append(args, strconv.Itoa(n))
	}
	cmd := exec.Command(c.o.Program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second
	if err := startCalm(cmd); err != nil {
		return media.EncoderTrial{Fault: err.Error(), Failed: true}
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	expired := time.NewTimer(limit)
	defer expired.Stop()
	select {
	case err := <-ended:
		return outcome(err, stdout.Bytes(), stderr.String())
	case <-ctx.Done():
	case <-expired.C:
	}
	// A process that a driver holds in the kernel does not end, so nobody waits for that.
	_ = cmd.Process.Kill()
	return media.EncoderTrial{Fault: fmt.Sprintf("its trial did not end within %v", limit), Slow: true}
}

// startCalm starts a process that is not before others where this one is: a trial is not as urgent as a call. A process has the
// nice level of the thread that starts it.
func startCalm(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // The thread ends with this goroutine, since it may not have its level back.
		// The system call returns 20 less the level (getpriority(2)).
		if level, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err == nil && level > 20 {
			_ = unix.Setpriority(unix.PRIO_PROCESS, 0, 0)
		}
		started <- cmd.Start()
	}()
	return <-started
}

// outcome is what the process of a trial says by its end and its output.
func outcome(err error, stdout []byte, stderr string) media.EncoderTrial {
	var exit *exec.ExitError
	var result media.EncoderTrial
	switch {
	case errors.As(err, &exit) && !exit.Exited():
		return media.EncoderTrial{Fault: "its driver crashed: " + exit.String()}
	case err != nil:
		return media.EncoderTrial{Fault: strings.TrimSpace(err.Error() + " " + lastLine(stderr)), Failed: true}
	}
	if err := json.Unmarshal(stdout, &result); err != nil {
		return media.EncoderTrial{Fault: "its trial printed something else: " + err.Error(), Failed: true}
	}
	return result
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
