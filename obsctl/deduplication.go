// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/andreykaipov/goobs/api/events"
)

// OutputCaptureKind is the kind of the inputs that capture what a PulseAudio
// sink plays, such as Desktop Audio.
const OutputCaptureKind = "pulse_output_capture"

// ProbeInput is the input, of OutputCaptureKind, that stops OBS's deduplication. Events about it are
// not delivered.
const ProbeInput = "costream-obs probe"

// probeTries and probePause are how often, and how far apart, we try to make the probe.
const (
	probeTries = 50
	probePause = 20 * time.Millisecond
)

// Deduplicates reports whether OBS removes the inputs that it monitors from the stream while an input captures the
// monitoring device (32.0.0 and later). OBS calls that deduplication. It assumes that the capture has their sound, which is
// wrong if their streams were moved at the sound server.
func (v Version) Deduplicates() bool { return v.has(deduplicates) }

// DeduplicationStops reports whether StopDeduplication works (32.0.4 and
// later). Before, OBS looked for such captures 47 times a second, in the
// programme's scenes and among its own Desktop Audio inputs; sure says whether this version is known to behave so, or is
// newer than what was read and tried, so that only OBS's log proves it.
func (v Version) DeduplicationStops() (stops, sure bool) {
	return v.has(deduplicatesOneCapture), v.OBS.Major <= 32
}

// StopDeduplication makes OBS mix the inputs that it monitors into the stream again, until an input that captures the
// monitoring device is made, shown, or gets another device. Nothing else changes.
//
// OBS remembers one capture of the monitoring device, the one that came last
// (obs_source_audio_output_capture_device_changed), and forgets it when its
// device changes. So an input that captures the device is made in scene,
// hidden, and then has its capture ended. It stays until RemoveProbe. Measured
// on 32.2.2: a recording at -91 dB has the microphone at its own -17 dB again.
// It takes some 0.3 s.
func (c *Client) StopDeduplication(ctx context.Context, scene string) error {
	device, err := c.MonitoringDevice(ctx)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // Each request has a timeout, and nothing may stay half done.
	if err := c.createProbe(ctx, scene, device.capturedBy(c.version)); err != nil {
		return err
	}
	c.awaitMixer()
	err = c.EndCapture(ctx, ProbeInput)
	c.awaitMixer()
	return err
}

// mixerTime is several times what OBS's mixer takes for a round: 21 ms at 48 kHz.
const mixerTime = 150 * time.Millisecond

// awaitMixer gives OBS's mixer time to learn which capture OBS remembers, in its next round (OBS_TASK_AUDIO in
// libobs/obs.c). Nothing reports that. If the probe's capture ended before that, OBS would not forget it.
func (c *Client) awaitMixer() {
	select {
	case <-time.After(mixerTime):
	case <-c.done:
	}
}

// createProbe makes the probe, or points the existing one at the device. OBS keeps one that was just removed for a moment.
func (c *Client) createProbe(ctx context.Context, scene, device string) (err error) {
	settings := map[string]any{"device_id": device}
	for tries := range probeTries {
		if tries > 0 {
			time.Sleep(probePause)
		}
		_, err = c.CreateInput(ctx, scene, ProbeInput, OutputCaptureKind, settings, false)
		if IsCode(err, CodeAlreadyExists) {
			err = c.SetInputSettings(ctx, ProbeInput, settings, true)
		}
		if !IsCode(err, CodeNotFound) {
			return err
		}
	}
	return err
}

// RemoveProbe removes what StopDeduplication made, wherever it is. Its items must be removed, too, or the input would stay
// in scenes that are not shown.
func (c *Client) RemoveProbe(ctx context.Context) error {
	if err := c.EndCapture(ctx, ProbeInput); err != nil {
		if IsCode(err, CodeNotFound) {
			return nil
		}
		return err
	}
	scenes, err := c.Scenes(ctx)
	if err != nil {
		return err
	}
	for _, scene := range scenes {
		items, err := c.rawItems(ctx, named(scene))
		if IsCode(err, CodeNotFound) {
			continue // It went since the list was made.
		}
		if err != nil {
			return err
		}
		for _, item := range items {
			if item.SourceName != ProbeInput {
				continue
			}
			if err := c.RemoveSceneItem(ctx, scene, item.SceneItemID); err != nil && !IsCode(err, CodeNotFound) {
				return err
			}
		}
	}
	return c.removeIfThere(ctx, ProbeInput)
}

// removeIfThere removes an input. OBS itself removes one with its last item.
func (c *Client) removeIfThere(ctx context.Context, input string) error {
	err := c.RemoveInput(ctx, input)
	if IsCode(err, CodeNotFound) {
		return nil
	}
	return err
}

// capturedBy is the device id with which an input captures the monitoring device.
func (d MonitoringDevice) capturedBy(v Version) string {
	if sink := d.Sink(v); sink != "" {
		return sink + monitorSuffix
	}
	return defaultDevice
}

// MonitoringCaptures returns the settings of the inputs that capture the monitoring device, by name.
func (c *Client) MonitoringCaptures(ctx context.Context, inputs []Input, defaultSink string) (map[string]map[string]any, error) {
	device, err := c.MonitoringDevice(ctx)
	if err != nil {
		return nil, err
	}
	source := func(id string) string {
		if id == defaultDevice || id == "" {
			return defaultSink + monitorSuffix
		}
		return id
	}
	captures := make(map[string]map[string]any)
	for _, in := range inputs {
		if in.UnversionedKind != OutputCaptureKind {
			continue
		}
		settings, err := c.InputSettings(ctx, in.Name)
		if IsCode(err, CodeNotFound) {
			continue // It went since the list was made.
		}
		if err != nil {
			return nil, err
		}
		id, _ := settings["device_id"].(string)
		if source(id) == source(device.capturedBy(c.version)) {
			captures[in.Name] = settings
		}
	}
	return captures, nil
}

// ResumeDeduplication undoes StopDeduplication. OBS checks a capture again when its device changes, so the input captures
// nothing for some milliseconds. The input and its settings are from MonitoringCaptures.
func (c *Client) ResumeDeduplication(ctx context.Context, input string, settings map[string]any) error {
	ctx = context.WithoutCancel(ctx)
	return errors.Join(c.EndCapture(ctx, input), c.SetInputSettings(ctx, input, settings, false))
}

// ofProbe reports whether an event of goobs is about the probe.
func ofProbe(raw any) bool {
	switch e := raw.(type) {
	case *events.InputCreated:
		return e.InputName == ProbeInput
	case *events.InputRemoved:
		return e.InputName == ProbeInput
	case *events.SceneItemCreated:
		return e.SourceName == ProbeInput
	case *events.SceneItemRemoved:
		return e.SourceName == ProbeInput
	case *events.InputActiveStateChanged:
		return e.InputName == ProbeInput
	}
	return false
}

// What OBS's log says about deduplication (libobs/obs-source.c, 32.0.4 to 32.2.2), after the time. The first is the second
// line of a message.
const (
	logDeduplicates = "Deduplication logic is being applied to all monitored sources."
	logStopped      = "Deduplication logic stopped."
	logTime         = "15:04:05.000: "
)

// DeduplicationLog reads in OBS's log whether OBS deduplicates, because there is no request for that. It must not be used by
// two goroutines at the same time.
type DeduplicationLog struct {
	// PID is OBS's process.
	PID int
	// ProcRoot replaces /proc when not empty.
	ProcRoot string

	file string
	read int64
	last Deduplication
}

// Deduplication is what OBS's log last said about deduplication.
type Deduplication int

// The states of deduplication.
const (
	DeduplicationUnmentioned Deduplication = iota
	DeduplicationOn
	DeduplicationOff
)

// Read returns the last state in the log. It fails if the log cannot be read, for example if OBS runs on another machine.
func (l *DeduplicationLog) Read() (Deduplication, error) {
	if l.file == "" {
		file, err := openLog(l.PID, l.ProcRoot)
		if err != nil {
			return DeduplicationUnmentioned, err
		}
		l.file = file
	}
	f, err := os.Open(l.file)
	if err != nil {
		l.file = ""
		return DeduplicationUnmentioned, fmt.Errorf("OBS's log: %w", err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(l.read, io.SeekStart); err != nil {
		return DeduplicationUnmentioned, fmt.Errorf("OBS's log: %w", err)
	}
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return l.last, nil // An incomplete line is read the next time.
		}
		if err != nil {
			return DeduplicationUnmentioned, fmt.Errorf("OBS's log: %w", err)
		}
		l.read += int64(len(line))
		switch text := strings.TrimRight(line[min(len(line), len(logTime)):], "\r\n"); text {
		case logDeduplicates:
			l.last = DeduplicationOn
		case logStopped:
			l.last = DeduplicationOff
		}
	}
}

// openLog finds the log that a process writes, through /proc, which also leads into a sandbox.
func openLog(pid int, procRoot string) (string, error) {
	dir := filepath.Join(orProc(procRoot), strconv.Itoa(pid), "fd")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("OBS's log: %w", err)
	}
	for _, entry := range entries {
		link := filepath.Join(dir, entry.Name())
		target, err := os.Readlink(link)
		if err == nil && strings.Contains(target, "/obs-studio/logs/") {
			return link, nil
		}
	}
	return "", fmt.Errorf("OBS's log: process %d has none open", pid)
}
