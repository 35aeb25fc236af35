// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/doctor"
)

// Daemon is the costream-obs run of this user, if any.
type Daemon struct {
	Running bool           `json:"running"`
	PID     int            `json:"pid"`
	Report  control.Report `json:"report"`
	// Closed are the inputs that it keeps OBS from monitoring, because the viewers do not hear them.
	Closed []string `json:"closed,omitempty"`
	// Encoder is that of our picture, while it works.
	Encoder *call.Encoder `json:"encoder,omitempty"`
}

// askDaemon asks for the last report. It is no error if none runs.
func askDaemon(ctx context.Context, socket string) (Daemon, error) {
	status, pid, err := control.Client{Path: socket}.Status(ctx)
	if errors.Is(err, control.ErrNotRunning) {
		return Daemon{}, nil
	}
	d := Daemon{Running: true, PID: pid, Report: status.Report, Closed: status.Closed}
	if status.Figures != nil {
		d.Encoder = status.Figures.Encoder
	}
	return d, err
}

// config is svc.config.
func (m *Machine) config(context.Context) doctor.Result {
	if m.SettingsError != nil {
		return doctor.Result{
			Status: doctor.Fail,
			Detail: m.SettingsError.Error() + ".",
			Why:    "costream-obs does not start with settings that it cannot read, and doctor does not know what to check.",
			Next:   "Fix the setting or the file that it names; `costream-obs run --help` lists all settings.",
		}
	}
	if _, err := os.Stat(m.SettingsFile); m.SettingsFile == "" || err != nil {
		return doctor.Fine("no configuration file, which is fine")
	}
	return doctor.Fine("%s", m.tilde(m.SettingsFile))
}

// running is svc.run.
func (m *Machine) running(ctx context.Context) doctor.Result {
	d, err := m.Daemon(ctx)
	switch {
	case err != nil:
		return doctor.Result{
			Status: doctor.Fail,
			Detail: fmt.Sprintf("costream-obs runs but does not answer (%v).", err),
			Why:    "It hangs or is ending, so it may not go on air.",
			Next:   "Stop it with Ctrl-C where it was started, or with `kill $(pidof costream-obs)`, and start it again.",
		}
	case !d.Running:
		return doctor.Fine("it does not run now")
	case len(d.Report.Problems) > 0:
		return doctor.Result{
			Status: doctor.Warn,
			Detail: fmt.Sprintf("It is %s and reports: %s.", d.Report.State, strings.Join(d.Report.Problems, "; ")),
			Why:    "It tries again and again, but this part of the co-stream does not work until it succeeds.",
			Next:   "Do what the report says; if a check below fails as well, start with that one.",
		}
	}
	if d.Report.Detail == "" {
		return doctor.Fine("%s", d.Report.State)
	}
	return doctor.Fine("%s: %s", d.Report.State, d.Report.Detail)
}

// changesUndone is obs.changes.
func (m *Machine) changesUndone(ctx context.Context) doctor.Result {
	d, err := m.Daemon(ctx)
	switch {
	case err != nil:
		return doctor.Skipped("costream-obs runs but does not answer (%v)", err)
	case d.Running:
		return doctor.Fine("costream-obs undoes its changes when it ends")
	}
	obs, err := m.OBS(ctx)
	switch {
	case err != nil:
		return unknownOBS(err)
	case obs.LeftError != "":
		return doctor.Skipped("OBS does not say what costream-obs changed (%s)", obs.LeftError)
	case len(obs.Left) == 0:
		return doctor.Fine("")
	}
	return doctor.Result{
		Status: doctor.Warn,
		Detail: fmt.Sprintf("costream-obs ended before it could undo its changes in OBS: %s.", strings.Join(obs.Left, ", ")),
		Why:    "OBS is still set up for a co-stream: for example, you may hear your own microphone.",
		Next:   "Run `costream-obs run` once, and stop it with Ctrl-C when it is connected to OBS.",
	}
}

// tilde shortens the paths in the user's home.
func (m *Machine) tilde(path string) string {
	if rest, ok := strings.CutPrefix(path, m.Home+"/"); ok && m.Home != "" {
		return "~/" + rest
	}
	return path
}
