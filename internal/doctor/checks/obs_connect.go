// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/obsctl"
)

const (
	whyWebSocket = "costream-obs learns from OBS's WebSocket server when you go on air, and sets up everything in OBS through it."
	enableServer = "In OBS open Tools → WebSocket Server Settings, tick \"Enable WebSocket server\" and click OK."
)

// serverConfig is obs.ws.config.
func (m *Machine) serverConfig(ctx context.Context) doctor.Result {
	endpoint, err := m.Endpoint(ctx)
	bad := func(detail, next string) doctor.Result {
		return doctor.Result{Status: doctor.Fail, Detail: detail, Why: whyWebSocket, Next: next}
	}
	switch {
	case err == nil:
		return doctor.Fine("%s (%s)", endpoint.Addr(), m.tildes(endpoint.Source))
	case errors.Is(err, obsctl.ErrServerDisabled):
		next := enableServer
		if endpoint.PID == 0 {
			next = "Start OBS. " + next
		}
		return bad(fmt.Sprintf("OBS's WebSocket server is switched off (%s).", m.tildes(endpoint.Source)), next)
	case errors.Is(err, obsctl.ErrNoConfig) && endpoint.PID == 0 && !m.hasOBS(ctx):
		return bad("OBS is not installed, or was never started.",
			"Install OBS 28 or newer (`sudo apt install obs-studio`) and start it once. "+enableServer)
	case errors.Is(err, obsctl.ErrNoWebSocket):
		return bad("This OBS has no WebSocket server: it is older than 28, or was built without obs-websocket.",
			obsctl.WebSocketHint(m.path("proc"), endpoint.PID))
	case errors.Is(err, obsctl.ErrNoConfig):
		return bad("OBS has no settings for a WebSocket server yet.",
			"Start OBS 28 or newer once. "+enableServer)
	}
	return bad(m.tildes(err.Error())+".", "Close OBS and fix or delete that file, or give --obs-port and --obs-password-file.")
}

// tildes shortens the user's home everywhere in a text.
func (m *Machine) tildes(text string) string {
	if m.Home == "" || m.Home == "/" {
		return text
	}
	return strings.ReplaceAll(text, m.Home+"/", "~/")
}

// hasOBS reports whether an OBS is installed, as far as we can see.
func (m *Machine) hasOBS(ctx context.Context) bool {
	for _, dir := range []string{
		"var/lib/flatpak/app/" + flatpakApp, filepath.Join(m.Home, ".local/share/flatpak/app", flatpakApp),
		"snap/obs-studio", "var/lib/snapd/snap/obs-studio",
	} {
		if _, err := os.Stat(m.path(dir)); err == nil {
			return true
		}
	}
	_, err := m.Exec(ctx, "obs", "--version")
	return err == nil
}

// flatpakApp is the name of OBS's Flatpak.
const flatpakApp = "com.obsproject.Studio"

// connect is obs.ws.connect.
func (m *Machine) connect(ctx context.Context) doctor.Result {
	obs, err := m.OBS(ctx)
	if err == nil {
		return doctor.Fine("OBS %s at %s", obs.Version.OBS, obs.Address)
	}
	endpoint, _ := m.Endpoint(ctx)
	bad := func(detail, next string, args ...any) doctor.Result {
		return doctor.Result{Status: doctor.Fail, Detail: detail, Why: whyWebSocket, Next: fmt.Sprintf(next, args...)}
	}
	const showPassword = "OBS shows the password under Tools → WebSocket Server Settings → Show Connect Info. Put it into a file that only you can read and give `--obs-password-file FILE`, or remove the settings that contain another password (obs-password, obs-password-file, COSTREAM_OBS_PASSWORD)."
	running, _ := m.Processes(ctx)
	var failed *obsctl.ConnectError
	switch {
	case errors.As(err, &failed) && failed.Elsewhere != "":
		return bad(fmt.Sprintf("Nothing listens at %s, but something does at the same port of %s.", endpoint.Addr(), failed.Elsewhere),
			"Leave out --obs-host, or give `--obs-host %s`.", failed.Elsewhere)
	case errors.Is(err, obsctl.ErrRefused) && !m.RemoteOBS && len(running) == 0 && endpoint.PID == 0:
		return doctor.Skipped("OBS does not run; start it and run doctor again")
	case errors.Is(err, obsctl.ErrRefused) && m.RemoteOBS:
		return bad(fmt.Sprintf("Nothing listens at %s.", endpoint.Addr()), "Start OBS there, and compare the port. %s", enableServer)
	case errors.Is(err, obsctl.ErrNoWebSocket):
		return bad("OBS runs without its WebSocket server.",
			"If it is in safe mode, restart it in normal mode. Else it was built without the server. %s", obsctl.WebSocketHint(m.path("proc"), endpoint.PID))
	case errors.Is(err, obsctl.ErrRefused):
		return bad(fmt.Sprintf("OBS runs, but nothing listens at %s (%s).", endpoint.Addr(), m.tildes(endpoint.Source)),
			"%s If it is ticked, compare the port there; another OBS may have it, or OBS was started with other settings.", enableServer)
	case errors.Is(err, obsctl.ErrAuth) && endpoint.Password == "":
		return bad(fmt.Sprintf("OBS at %s asks for a password and none was found (%s).", endpoint.Addr(), m.tildes(endpoint.Source)), showPassword)
	case errors.Is(err, obsctl.ErrAuth):
		return bad(fmt.Sprintf("OBS at %s does not accept the password (%s).", endpoint.Addr(), m.tildes(endpoint.Source)), showPassword)
	case errors.Is(err, obsctl.ErrTooOld):
		return bad(err.Error()+".", "Update OBS: see https://obsproject.com/download for newer ones than your distribution has.")
	case errors.Is(err, obsctl.ErrNotOBS):
		return bad(fmt.Sprintf("What listens at %s is not OBS (%s).", endpoint.Addr(), m.tildes(endpoint.Source)),
			"Compare the port with the one under Tools → WebSocket Server Settings in OBS; `ss -ltnp 'sport = :%d'` shows who has it.", endpoint.Port)
	case errors.Is(err, obsctl.ErrUnreachable):
		return bad(fmt.Sprintf("%s cannot be reached: %v.", endpoint.Addr(), err), "Check --obs-host and --obs-port, and the firewall between the machines.")
	case errors.Is(err, obsctl.ErrNoAnswer), errors.Is(err, context.DeadlineExceeded):
		return bad(fmt.Sprintf("OBS at %s does not answer in time.", endpoint.Addr()),
			"Look at its window: answer the question if it asks one; restart OBS if it is frozen.")
	}
	return bad(m.tildes(err.Error())+".", "Run doctor again: OBS may have been changing its scenes just now. If it stays so, restart OBS.")
}

// authentication is obs.ws.auth.
func (m *Machine) authentication(ctx context.Context) doctor.Result {
	obs, err := m.OBS(ctx)
	if err != nil {
		return unknownOBS(err)
	}
	if obs.Password {
		return doctor.Fine("")
	}
	return doctor.Result{
		Status: doctor.Fail,
		Detail: "OBS's WebSocket server asks for no password.",
		Why:    "It listens on all networks: whoever reaches this machine can watch and control your OBS.",
		Next:   "In OBS open Tools → WebSocket Server Settings and tick \"Enable Authentication\". costream-obs reads the password from OBS's own files.",
	}
}

// unknownOBS is the result if OBS has gone since.
func unknownOBS(err error) doctor.Result { return doctor.Skipped("OBS does not tell (%v)", err) }

// version is obs.version.
func (m *Machine) version(ctx context.Context) doctor.Result {
	obs, err := m.OBS(ctx)
	if err != nil {
		return unknownOBS(err)
	}
	v := obs.Version.OBS
	if v.AtLeast(ver(29, 1, 0)) && !v.AtLeast(ver(30, 0, 0)) && obs.Monitoring.Sink(obs.Version) == "" {
		// It looks for a sink with the name of a source: 405277539, fixed in 30.0.0.
		return doctor.Result{
			Status: doctor.Fail,
			Detail: fmt.Sprintf("OBS %s cannot monitor while its monitoring device is \"Default\".", v),
			Why:    "The peer gets the microphone through OBS's monitoring, and would hear nothing.",
			Next:   "Update OBS to 30.0 or newer. Or in OBS open Settings → Audio → Advanced and choose your headphones by name as Monitoring Device.",
		}
	}
	return doctor.Fine("%s, obs-websocket %s", v, obs.Version.WebSocket)
}

// flatpak is obs.flatpak.
func (m *Machine) flatpak(ctx context.Context) doctor.Result {
	processes, _ := m.Processes(ctx)
	sandboxed := false
	for _, p := range processes {
		if strings.Contains(p.ConfigHome, "/snap/obs-studio/") {
			return m.snap(ctx)
		}
		sandboxed = sandboxed || strings.Contains(p.ConfigHome, "/.var/app/"+flatpakApp+"/")
	}
	if !sandboxed {
		return doctor.Fine("OBS is neither a Flatpak nor a Snap")
	}
	said, err := m.Exec(ctx, "flatpak", "info", "--show-permissions", flatpakApp)
	if err != nil {
		return doctor.Skipped("flatpak does not show the permissions (%v)", err)
	}
	granted := make(map[string][]string)
	for line := range strings.Lines(said) {
		key, values, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok {
			granted[key] = strings.Split(values, ";")
		}
	}
	for _, need := range []struct{ key, value, option, detail, why string }{
		{"devices", "all", "--device=all", "The Flatpak of OBS may not use video devices.", "OBS then has neither a virtual camera nor the peer's device."},
		{"shared", "network", "--share=network", "The Flatpak of OBS may not use the network.", "Its WebSocket server then cannot be reached, and it cannot stream either."},
		{"sockets", "pulseaudio", "--socket=pulseaudio", "The Flatpak of OBS may not use the sound server.", "OBS then has no microphone and monitors nothing, so the peer hears nothing."},
	} {
		found := false
		for _, v := range granted[need.key] {
			found = found || v == need.value
		}
		if !found {
			return doctor.Result{Status: doctor.Fail, Detail: need.detail, Why: need.why,
				Next: fmt.Sprintf("Allow it: `flatpak override --user %s %s`, then restart OBS.", need.option, flatpakApp)}
		}
	}
	return doctor.Fine("Flatpak with all permissions that are needed")
}

// snap checks the interfaces of OBS's Snap; some are not connected automatically.
func (m *Machine) snap(ctx context.Context) doctor.Result {
	said, err := m.Exec(ctx, "snap", "connections", "obs-studio")
	if err != nil {
		return doctor.Skipped("snap does not show the connections (%v)", err)
	}
	connected := make(map[string]bool)
	for line := range strings.Lines(said) { // interface, plug, slot, notes; no slot is "-"
		if f := strings.Fields(line); len(f) >= 3 && f[2] != "-" {
			connected[f[1]] = true
		}
	}
	for _, need := range []struct{ plug, detail, why string }{
		{"camera", "The Snap of OBS may not use video devices.", "OBS then has neither a virtual camera nor the peer's device."},
		{"kernel-module-observe", "The Snap of OBS may not see which kernel modules are loaded.", "OBS then has no virtual camera."},
		{"audio-record", "The Snap of OBS may not record sound.", "OBS then has no microphone, so the peer hears nothing."},
	} {
		if plug := "obs-studio:" + need.plug; !connected[plug] {
			return doctor.Result{Status: doctor.Fail, Detail: need.detail, Why: need.why,
				Next: fmt.Sprintf("Allow it: `sudo snap connect %s`, then restart OBS.", plug)}
		}
	}
	return doctor.Fine("Snap with all connections that are needed")
}
