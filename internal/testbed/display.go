// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Display is a private X display without a screen to look at.
type Display struct {
	Name          string // for DISPLAY, for example ":3"
	Width, Height int

	tb TB
}

// NewDisplay starts an Xvfb of 1280x800 on a free display.
func NewDisplay(tb TB) *Display {
	tb.Helper()
	requirePrograms(tb, "Xvfb")
	const width, height = 1280, 800
	r, w, err := os.Pipe()
	if err != nil {
		tb.Fatalf("%v", err)
	}
	defer r.Close()
	process := Start(tb, Command{
		Path: "Xvfb",
		Args: []string{"-displayfd", "3", "-screen", "0", fmt.Sprintf("%dx%dx24", width, height),
			"-nolisten", "tcp", "-noreset"},
		ExtraFiles: []*os.File{w},
		// Killed, it would leave its lock file behind.
		DeathSignal: syscall.SIGTERM,
	})
	_ = w.Close()
	tb.Cleanup(func() {
		process.Terminate()
		select {
		case <-process.Done():
		case <-time.After(3 * time.Second):
		}
	})
	if err := r.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		tb.Fatalf("%v", err)
	}
	// Xvfb writes its number once it accepts connections.
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		tb.Fatalf("Xvfb did not tell its display: %v", err)
	}
	return &Display{Name: ":" + strings.TrimSpace(number), Width: width, Height: height, tb: tb}
}

// Env is the environment that leads a child to this display.
func (d *Display) Env() []string { return []string{"DISPLAY=" + d.Name} }

// Screenshot returns what the display shows.
func (d *Display) Screenshot() image.Image {
	d.tb.Helper()
	requirePrograms(d.tb, "ffmpeg")
	cmd := exec.CommandContext(d.tb.Context(), "ffmpeg", "-nostdin", "-loglevel", "error",
		"-f", "x11grab", "-draw_mouse", "0", "-video_size", fmt.Sprintf("%dx%d", d.Width, d.Height), "-i", d.Name,
		"-frames:v", "1", "-c:v", "png", "-f", "image2pipe", "-")
	cmd.Env = append(baseEnv(), d.Env()...)
	var out, msg bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &msg
	if err := cmd.Run(); err != nil {
		d.tb.Fatalf("screenshot of display %s: %v\n%s", d.Name, err, msg.String())
	}
	img, err := png.Decode(&out)
	if err != nil {
		d.tb.Fatalf("screenshot of display %s: %v", d.Name, err)
	}
	return img
}
