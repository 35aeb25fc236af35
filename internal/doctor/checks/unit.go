// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/costream-obs/costream-obs/internal/doctor"
)

// unitName is the user unit that `make install` installs.
const unitName = "costream-obs.service"

// unit is svc.unit. A service that is not enabled is no fault: costream-obs can be started by hand.
func (m *Machine) unit(ctx context.Context) doctor.Result {
	text, err := m.Exec(ctx, "systemctl", "--user", "show", unitName,
		"--property=LoadState,UnitFileState,ActiveState,SubState,Result,ExecMainStatus,MainPID,NeedDaemonReload")
	if err != nil {
		return doctor.Skipped("systemd does not run here")
	}
	is := make(map[string]string)
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		is[key] = value
	}
	bad := func(next, format string, args ...any) doctor.Result {
		return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf(format, args...), Next: next,
			Why: "A co-stream would not start by itself when OBS streams, or not correctly."}
	}
	daemon, _ := m.Daemon(ctx) // svc.run reports one that does not answer.
	enabled := is["UnitFileState"] == "enabled"
	active := is["ActiveState"] == "active"
	const look = "`journalctl --user -u costream-obs -n 20`"
	switch {
	case is["LoadState"] == "not-found":
		return doctor.Skipped("it is not installed as a service")
	case is["LoadState"] != "loaded":
		return bad("See what is wrong with it: `systemctl --user status costream-obs`.", "systemd cannot read the service: %s.", is["LoadState"])
	case is["NeedDaemonReload"] == "yes":
		return bad("`systemctl --user daemon-reload && systemctl --user try-restart costream-obs`", "The service was changed on disk, and systemd has not noticed.")
	case active && m.replaced(is["MainPID"]):
		return bad("When you are off air: `systemctl --user restart costream-obs`.", "The service still runs the version from before the last update.")
	case active && enabled:
		return doctor.Fine("runs, and starts at each login")
	case active:
		return doctor.Fine("runs; `systemctl --user enable costream-obs` lets it start at each login")
	case daemon.Running && is["SubState"] == "auto-restart":
		return bad("Stop the other one with Ctrl-C; the service then takes its place within 10 s.", "The service cannot start because another costream-obs runs, started by hand.")
	case daemon.Running:
		return doctor.Fine("does not run, since costream-obs was started by hand")
	case is["ExecMainStatus"] == "2" && is["ActiveState"] == "failed":
		return bad("See what it says: "+look+"; fix it, then `systemctl --user restart costream-obs`.", "The service has stopped because its settings are wrong, or because there is no pair and no peer yet.")
	case is["SubState"] == "auto-restart" || is["ActiveState"] == "failed":
		return bad("See what it says: "+look+".", "The service does not stay up (%s, status %s).", is["Result"], is["ExecMainStatus"])
	case enabled:
		return bad("`systemctl --user start costream-obs`", "The service is switched on but does not run.")
	}
	return doctor.Fine("not switched on; `systemctl --user enable --now costream-obs` does that")
}

// replaced reports whether the program on disk is another one than the one that a process runs.
func (m *Machine) replaced(pid string) bool {
	exe, err := os.Readlink(m.path("proc", pid, "exe"))
	return err == nil && strings.HasSuffix(exe, " (deleted)")
}
