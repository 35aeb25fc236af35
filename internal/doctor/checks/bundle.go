// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/setup"
)

// logEnd is how much of OBS's log goes into a bundle, in bytes.
const logEnd = 256 << 10

// Bundle writes what a bug report needs as tar.gz: the report, the state that the checks looked at, the settings and the end
// of OBS's log, without passwords, stream keys, names and public addresses. about, such as the program's version, comes
// first.
func (m *Machine) Bundle(ctx context.Context, w io.Writer, about string, report doctor.Report) error {
	redact := m.redactor(ctx)
	zip := gzip.NewWriter(w)
	archive := tar.NewWriter(zip)
	now := time.Now()
	add := func(name, text string) error {
		text = redact.Replace(text)
		header := &tar.Header{Name: "costream-obs-report/" + name, Mode: 0o600, Size: int64(len(text)), ModTime: now}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		_, err := io.WriteString(archive, text)
		return err
	}
	for _, part := range []struct {
		name string
		text func() (string, error)
	}{
		{"about.txt", func() (string, error) { return about + "\n" + m.system(), nil }},
		{"report.json", func() (string, error) { return asJSON(report, nil) }},
		{"daemon.json", func() (string, error) { d, err := m.Daemon(ctx); return asJSON(d, err) }},
		{"devices.json", func() (string, error) { n, err := m.Nodes(ctx); return asJSON(n, err) }},
		{"sound.json", func() (string, error) { s, err := m.Sound(ctx); return asJSON(s, err) }},
		{"obs.json", func() (string, error) { o, err := m.OBS(ctx); return asJSON(o, err) }},
		{"modprobe.txt", func() (string, error) { return m.bootText(), nil }},
		{"config.toml", func() (string, error) { return m.settingsText() }},
		{"obs.log", func() (string, error) { return m.obsLog(ctx) }},
	} {
		text, err := part.text()
		if err != nil {
			text = "not there: " + err.Error() + "\n"
		}
		if err := add(part.name, text); err != nil {
			return fmt.Errorf("bundle: %s: %w", part.name, err)
		}
	}
	if err := errors.Join(archive.Close(), zip.Close()); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	return nil
}

func asJSON(v any, err error) (string, error) {
	if err != nil {
		return "", err
	}
	text, err := json.MarshalIndent(v, "", "  ")
	return string(text) + "\n", err
}

// system names this system.
func (m *Machine) system() string {
	text := "Linux " + m.Kernel + "\n"
	if release, err := os.ReadFile(m.path("etc/os-release")); err == nil {
		text += string(release)
	}
	if version, is := m.loaded(); is {
		text += "v4l2loopback " + version + "\n"
		files, _ := filepath.Glob(m.path("sys/module/v4l2loopback/parameters/*"))
		for _, f := range files {
			if value, err := os.ReadFile(f); err == nil {
				text += filepath.Base(f) + "=" + string(value)
			}
		}
	}
	return text
}

func (m *Machine) bootText() string {
	boot := setup.Machine{Root: m.Root}.Boot()
	files := []string{boot.LoadedBy}
	for _, f := range boot.Options {
		files = append(files, f.Path)
	}
	text := ""
	for _, f := range files {
		if data, err := os.ReadFile(m.path(f)); err == nil && f != "" {
			text += "# " + f + "\n" + string(data) + "\n"
		}
	}
	return text
}

// aboutSecret finds lines of the configuration file that may contain a secret, or begin one: OBS's password, or a relay.
var aboutSecret = regexp.MustCompile(`password|relay|turns?:`)

// settingsText is the configuration file without its secrets. redactor may know another password than the one in the file.
func (m *Machine) settingsText() (string, error) {
	data, err := os.ReadFile(m.SettingsFile)
	if err != nil {
		return "", err
	}
	var kept []string
	inside := "" // the quotes of a text over several lines that holds a secret
	for line := range strings.Lines(string(data)) {
		switch {
		case inside != "":
			if strings.Contains(line, inside) {
				inside = ""
			}
			continue
		case aboutSecret.MatchString(line):
			for _, quotes := range []string{`"""`, "'''"} {
				if strings.Count(line, quotes)%2 == 1 {
					inside = quotes
				}
			}
			line = "# (a line about a secret)\n"
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, ""), nil
}

// obsDirs are the obs-studio directories of the running OBS, or else the usual ones.
func (m *Machine) obsDirs(ctx context.Context) []string {
	var dirs []string
	processes, _ := m.Processes(ctx)
	for _, p := range processes {
		dirs = append(dirs, filepath.Join(m.path(p.ConfigHome), "obs-studio"))
	}
	for _, home := range obsctl.ConfigHomes(obsctl.FindOptions{Home: m.Home, XDGConfigHome: os.Getenv("XDG_CONFIG_HOME"), ProcRoot: m.path("proc")}) {
		dirs = append(dirs, filepath.Join(m.path(home.Dir), "obs-studio"))
	}
	return dirs
}

// obsLog is the end of OBS's newest log.
func (m *Machine) obsLog(ctx context.Context) (string, error) {
	for _, dir := range m.obsDirs(ctx) {
		// Logs are named by their time, so the newest is the last.
		logs, _ := filepath.Glob(filepath.Join(dir, "logs", "*.txt"))
		if len(logs) == 0 {
			continue
		}
		data, err := os.ReadFile(logs[len(logs)-1])
		if err != nil {
			return "", err
		}
		if len(data) > logEnd {
			// Begin with the next whole line, because a secret is recognised by the text before it.
			_, data, _ = bytes.Cut(data[len(data)-logEnd:], []byte("\n"))
		}
		return withoutPasswordOption(string(data)), nil
	}
	return "", os.ErrNotExist
}
