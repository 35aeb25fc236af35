// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/companion"
	"github.com/costream-obs/costream-obs/internal/doctor"
)

// Daemon is the costream-obs run that this user has going, if any.
type Daemon struct {
	Running bool             `json:"running"`
	PID     int              `json:"pid"`
	Report  companion.Report `json:"report"`
}

// daemonLimit is how long the control socket is waited for; it answers within
// milliseconds when all is well.
const daemonLimit = 2 * time.Second

// askDaemon asks for the last report. No socket, or one that nobody listens
// on, is no error.
func askDaemon(ctx context.Context, socket string) (Daemon, error) {
	ctx, cancel := context.WithTimeout(ctx, daemonLimit)
	defer cancel()
	d := Daemon{Running: true}
	err := askControl(ctx, socket, http.MethodGet, "/status", &d.Report, &d.PID)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return Daemon{}, nil
	}
	return d, err
}

// askControl asks a running costream-obs. pid, where it is not nil, gets its process id.
func askControl(ctx context.Context, socket, method, path string, into any, pid *int) error {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
		if err == nil && pid != nil {
			*pid = peerOf(conn)
		}
		return conn, err
	}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, method, "http://costream-obs"+path, nil)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return fmt.Errorf("control socket %s: %w", socket, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10)) // The status alone would do.
		return fmt.Errorf("the costream-obs that runs says: %s", cmp.Or(strings.TrimSpace(string(said)), response.Status))
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("control socket %s: %w", socket, err)
	}
	return nil
}

// peerOf is the process at the other end of a socket, 0 where it is not known.
func peerOf(conn net.Conn) (pid int) {
	socket, ok := conn.(*net.UnixConn)
	if !ok {
		return 0
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) { // A socket that was just opened.
		if who, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			pid = int(who.Pid)
		}
	})
	return pid
}

// config is svc.config.
func (m *Machine) config(context.Context) doctor.Result {
	if m.SettingsError != nil {
		return doctor.Result{
			Status: doctor.Fail,
			Detail: m.SettingsError.Error() + ".",
			Why:    "costream-obs does not start with settings that it does not understand, and doctor cannot know what to look at.",
			Next:   "Mend that line; `costream-obs run --help` lists all settings.",
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
			Why:    "It hangs or is about to end, and cannot be trusted to go on air.",
			Next:   "Stop it with Ctrl-C where it was started, or with `kill $(pidof costream-obs)`, and start it again.",
		}
	case !d.Running:
		return doctor.Fine("it does not run now")
	case len(d.Report.Problems) > 0:
		return doctor.Result{
			Status: doctor.Warn,
			Detail: fmt.Sprintf("It is %s and reports: %s.", d.Report.State, strings.Join(d.Report.Problems, "; ")),
			Why:    "It tries again and again, but this part of the co-stream does not work until it succeeds.",
			Next:   "Do what the report says; if a check below fails as well, begin with that one.",
		}
	}
	if d.Report.Detail == "" {
		return doctor.Fine("%s", d.Report.State)
	}
	return doctor.Fine("%s: %s", d.Report.State, d.Report.Detail)
}

// tilde shortens the paths in the user's home.
func (m *Machine) tilde(path string) string {
	if rest, ok := strings.CutPrefix(path, m.Home+"/"); ok && m.Home != "" {
		return "~/" + rest
	}
	return path
}
