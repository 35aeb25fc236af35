// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/costream-obs/costream-obs/internal/xdg"
)

// Find says where OBS's websocket server is to be expected: what the user
// chose, else the --websocket_* arguments of a running OBS, else OBS's own
// files, native, Flatpak or Snap. A running OBS goes before one that is not,
// and one that uses this user's usual directories before any other.
//
// With ErrServerDisabled the endpoint is what OBS would use; with ErrNoConfig
// it is the default. Any other error is about a file that cannot be read.
func Find(o FindOptions) (Endpoint, error) {
	o = o.withDefaults()
	if !isThisMachine(o.Host) {
		// The password in the files is for this machine's OBS alone.
		return o.override(Endpoint{Host: o.Host, Port: DefaultPort, AuthRequired: true, Enabled: true, Source: "--obs-host"}), nil
	}

	endpoint, chosen, err := o.search()
	if err != nil {
		return Endpoint{}, err
	}
	endpoint.Host = o.Host
	endpoint = o.override(endpoint)
	switch {
	case o.Port != 0:
		return endpoint, nil
	case !chosen:
		return endpoint, o.noConfig()
	case !endpoint.Enabled:
		return endpoint, fmt.Errorf("%w (%s): %s", ErrServerDisabled, endpoint.Source, enableHint)
	}
	return endpoint, nil
}

// noConfig says why no settings of obs-websocket were found: no OBS ever ran, or one without it did.
func (o FindOptions) noConfig() error {
	for _, place := range o.places() {
		ran := filepath.Join(place.configHome, "obs-studio", "global.ini")
		if _, err := os.Stat(ran); err != nil {
			continue
		}
		pid := 0
		if place.process != nil {
			pid = place.process.PID
		}
		return fmt.Errorf("%w: %w (%s): it is older than 28 or was built without it. %s",
			ErrNoConfig, ErrNoWebSocket, ran, WebSocketHint(o.ProcRoot, pid))
	}
	return fmt.Errorf("%w in %s: start OBS 28 or newer once, then %s",
		ErrNoConfig, filepath.Join(o.XDGConfigHome, "obs-studio"), enableHint)
}

// search returns the best place's endpoint, or that of the place whose port is
// the one that the user chose; chosen is false when there is no place at all.
func (o FindOptions) search() (best Endpoint, chosen bool, err error) {
	best = Endpoint{Port: DefaultPort, AuthRequired: true, Enabled: true, Source: "the default port"}
	for _, place := range o.places() {
		candidate, err := place.read()
		if errors.Is(err, ErrNoConfig) {
			if !chosen && best.PID == 0 {
				best.PID = candidate.PID
			}
			continue
		}
		if err != nil {
			return Endpoint{}, false, err
		}
		if o.Port == 0 || candidate.Port == o.Port {
			return candidate, true, nil
		}
		if !chosen {
			// Perhaps a tunnel to it: the password may be right, the
			// process is not known to be.
			best, chosen = candidate, true
			best.PID = 0
		}
	}
	return best, chosen, nil
}

func (o FindOptions) withDefaults() FindOptions {
	if o.Host == "" {
		o.Host = localhost
	}
	config := o.XDGConfigHome
	if o.Home == "" {
		o.Home, _ = xdg.Home()
		if config == "" {
			config = os.Getenv("XDG_CONFIG_HOME")
		}
	}
	o.XDGConfigHome = configHome(config, o.Home)
	o.ProcRoot = orProc(o.ProcRoot)
	return o
}

func (o FindOptions) override(e Endpoint) Endpoint {
	if o.Port != 0 && o.Port != e.Port {
		e.Port = o.Port
		e.Source = join(e.Source, "--obs-port")
	}
	if o.Password != nil {
		e.Password = *o.Password
		e.Source = join(e.Source, "the password that was given")
	}
	return e
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + ", " + b
}

func isThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == localhost || ip != nil && ip.IsLoopback()
}

// place is a directory in which OBS may keep its configuration, and the OBS
// that runs on it, if one does.
type place struct {
	configHome string
	process    *Process
}

// places lists where to look, best first.
func (o FindOptions) places() []place {
	usual := []string{
		o.XDGConfigHome,
		filepath.Join(o.Home, ".var/app/com.obsproject.Studio/config"),
		filepath.Join(o.Home, "snap/obs-studio/current/.config"),
	}
	processes := FindProcesses(o.ProcRoot)
	var running, idle, strange []place
	known := make(map[int]bool)
	for _, dir := range usual {
		for _, p := range processes {
			if sameDir(p.ConfigHome, dir) {
				running = append(running, place{dir, &p})
				known[p.PID] = true
			}
		}
		idle = append(idle, place{configHome: dir})
	}
	for _, p := range processes {
		if !known[p.PID] {
			strange = append(strange, place{p.ConfigHome, &p})
		}
	}
	return append(append(running, idle...), strange...)
}

func sameDir(a, b string) bool {
	if a == b {
		return true
	}
	// Snap's "current" is a link to the revision that the process names.
	realA, errA := filepath.EvalSymlinks(a)
	realB, errB := filepath.EvalSymlinks(b)
	return errA == nil && errB == nil && realA == realB
}

// read returns the endpoint of a place, or ErrNoConfig.
func (p place) read() (Endpoint, error) {
	e, err := readServerConfig(filepath.Join(p.configHome, "obs-studio"))
	if err != nil && !errors.Is(err, ErrNoConfig) || p.process == nil {
		return e, err
	}
	e.PID = p.process.PID
	port, portErr := strconv.ParseUint(p.process.option("websocket_port"), 10, 16)
	password := p.process.option("websocket_password")
	if portErr == nil && port > 0 {
		e.Port = int(port)
		e.Source = join(e.Source, fmt.Sprintf("--websocket_port of process %d", e.PID))
	}
	if password != "" {
		e.Password, e.AuthRequired = Secret(password), true
		e.Source = join(e.Source, fmt.Sprintf("--websocket_password of process %d", e.PID))
	}
	if errors.Is(err, ErrNoConfig) && (portErr == nil || password != "") {
		e.Enabled = true
		return e, nil
	}
	return e, err
}

// readServerConfig reads obs-websocket's settings from an obs-studio
// directory. The section in global.ini goes before config.json (obs-websocket
// 5.5, OBS 30.2 and later): older versions know nothing else, and newer ones
// move the section's values over those of config.json when they start
// (measured, 29.0.2, 30.2.3 and 32.2.2).
func readServerConfig(dir string) (Endpoint, error) {
	for _, file := range []struct {
		name  string
		parse func([]byte) (Endpoint, error)
	}{
		{"global.ini", parseServerINI},
		{"plugin_config/obs-websocket/config.json", parseServerJSON},
	} {
		path := filepath.Join(dir, file.name)
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var e Endpoint
		if err == nil {
			e, err = file.parse(data)
		}
		if errors.Is(err, ErrNoConfig) {
			continue
		}
		if err != nil {
			return Endpoint{}, fmt.Errorf("OBS's websocket settings cannot be read from %s: %w: "+
				"fix the file with OBS closed, or give --obs-port and --obs-password-file", path, err)
		}
		e.Source = path
		return e, nil
	}
	return Endpoint{Port: DefaultPort, AuthRequired: true}, ErrNoConfig
}
