// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// applied are the two lines of one message in the log of OBS 32.2.2.
const applied = `11:16:02.504: Device for 'Audio Output Capture' source Desktop Audio is also used for audio monitoring.
11:16:02.504: Deduplication logic is being applied to all monitored sources.
`

func TestDeduplicationLog(t *testing.T) {
	proc := t.TempDir()
	log := filepath.Join(proc, "home", ".config", "obs-studio", "logs", "2026-11-30 11-16-01.txt")
	fd := filepath.Join(proc, "4711", "fd")
	for _, dir := range []string{filepath.Dir(log), fd} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"0": "/dev/null", "17": log} {
		if err := os.Symlink(target, filepath.Join(fd, name)); err != nil {
			t.Fatal(err)
		}
	}
	l := DeduplicationLog{PID: 4711, ProcRoot: proc}
	text := ""
	for _, step := range []struct {
		name  string
		added string
		want  Deduplication
	}{
		{"a start", "11:16:01.000: OBS 32.2.2\n", DeduplicationUnmentioned},
		{"applied", applied, DeduplicationOn},
		{"nothing new", "11:16:03.000: adding 21 milliseconds of audio buffering\n", DeduplicationOn},
		{"half a line", "11:16:04.000: Deduplication lo", DeduplicationOn},
		{"the rest of it", "gic stopped.\n", DeduplicationOff},
		{"a source of that name", "11:16:04.000: [rtmp] " + strings.TrimSpace(logDeduplicates) + "\n", DeduplicationOff},
		{"applied again", applied, DeduplicationOn},
		{"stopped and applied", "11:16:05.000: Deduplication logic stopped.\n" + applied, DeduplicationOn},
	} {
		text += step.added
		if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := l.Read(); got != step.want || err != nil {
			t.Errorf("%s: got %v, %v, want %v, nil", step.name, got, err, step.want)
		}
	}

	gone := DeduplicationLog{PID: 4712, ProcRoot: proc}
	if _, err := gone.Read(); err == nil {
		t.Error("log of a process that is not there: got no error")
	}
}
