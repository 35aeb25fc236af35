// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/golden"
	"github.com/costream-obs/costream-obs/internal/terminal"
	"github.com/costream-obs/costream-obs/media"
)

func TestDoctorUsage(t *testing.T) {
	home := isolate(t)
	taken := filepath.Join(home, "taken.tar.gz")
	if err := os.WriteFile(taken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ args, want string }{
		{"--only svc.confg", `there is no check "svc.confg"; did you mean svc.config? (costream-obs doctor --list shows all)`},
		{"--yes", "--yes needs --fix"},
		{"--fix --json", "--fix cannot ask with --json; add --yes"},
		{"--only svc --bundle " + taken, "--bundle: " + taken + " exists already; choose another name"},
		{"everything", `unexpected argument "everything"`},
	} {
		got := runCLI(t.Context(), append([]string{"doctor"}, strings.Fields(test.args)...)...)
		want := "costream-obs doctor: " + test.want + "\nSee: costream-obs doctor --help\n"
		if got.Code != exitUsage || got.Stderr != want {
			t.Errorf("%s: got %+v, want exit code 2 and %q", test.args, got, want)
		}
	}
}

func TestDoctorList(t *testing.T) {
	isolate(t)
	got := runCLI(t.Context(), "doctor", "--list")
	if got.Code != exitOK || got.Stderr != "" {
		t.Errorf("got %+v, want exit code 0 and no errors", got)
	}
	golden.Check(t, "testdata/doctor-list.txt", got.Stdout)
}

// A broken configuration file is a finding, and what does not depend on it is looked at all the same.
func TestDoctorBrokenSettings(t *testing.T) {
	home := isolate(t)
	file := filepath.Join(home, "broken.toml")
	if err := os.WriteFile(file, []byte("peer = 'bob'\ncolour = 'red'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := runCLI(t.Context(), "doctor", "--config", file, "--only", "svc,host,net")
	want := `costream-obs
  fail  svc.config: ` + file + `:2: unknown setting "colour".
        why: costream-obs does not start with settings that it cannot read, and doctor does not know what to check.
        next: Fix the setting or the file that it names; ` + "`costream-obs run --help`" + ` lists all settings.
  ok    svc.run: costream-obs itself: it does not run now
  skip  svc.unit: systemd does not run here

This machine
  ok    host.gst: GStreamer has all needed elements: version ` + media.GStreamerVersion() + `
  skip  host.user: waits for svc.config

Network and peer
  skip  net.ports, net.addr, net.rmem: waits for svc.config

Not ready: one problem. Start with the first one; that may fix the others.
`
	if got.Code != exitFailure || got.Stderr != "" || got.Stdout != want {
		t.Errorf("got exit code %d, errors %q and\n%s\nwant 1, none and\n%s", got.Code, got.Stderr, got.Stdout, want)
	}
	got = runCLI(t.Context(), "doctor", "--config", file, "--only", "svc.config", "--json")
	if got.Code != exitFailure || !strings.HasPrefix(got.Stdout, `{"version":1,"ready":false`) {
		t.Errorf("as JSON: got %+v, want exit code 1 and JSON", got)
	}
}

func TestDoctorJSON(t *testing.T) {
	isolate(t)
	got := runCLI(t.Context(), "doctor", "--json", "--only", "svc", "--fix", "--yes")
	var report doctor.Report
	if err := json.Unmarshal([]byte(got.Stdout), &report); err != nil {
		t.Fatalf("%v: %s", err, got.Stdout)
	}
	if got.Code != exitOK || strings.Count(got.Stdout, "\n") != 1 || report.Version != doctor.SchemaVersion || !report.Ready || report.Counts.OK != 2 {
		t.Errorf("got %+v, want one line with a report of two checks that are well", got)
	}
}

func TestDoctorBundle(t *testing.T) {
	home := isolate(t)
	file := filepath.Join(home, "report.tar.gz")
	got := runCLI(t.Context(), "doctor", "--only", "svc", "--bundle", file)
	if got.Code != exitOK || !strings.Contains(got.Stdout, "Written to "+file) {
		t.Errorf("got %+v, want exit code 0 and where it was written to", got)
	}
	data, err := os.ReadFile(file)
	if err != nil || !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		t.Errorf("got error %v and %d bytes, want an archive", err, len(data))
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v, want a file that others cannot read", info.Mode(), err)
	}
}

// openTerminal returns both ends of a pseudo-terminal: what a person types and reads, and what the program has.
func openTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	return person, program
}

// TestDoctorUntried: what was tried once is not tried again, so that --fix comes to an end.
func TestDoctorUntried(t *testing.T) {
	list := []doctor.Finding{{ID: "a.one", Fix: "Shut the door."}, {ID: "a.one", Fix: "Lock the door."}, {ID: "b.one", Fix: "Shut the door."}}
	mended := []doctor.Mended{{ID: "a.one", What: "Shut the door.", Error: "it is stuck"}}
	var got []string
	for _, f := range untried(list, mended) {
		got = append(got, f.ID+" "+f.Fix)
	}
	if want := []string{"a.one Lock the door.", "b.one Shut the door."}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestDoctorMend: nothing is mended without a yes.
func TestDoctorMend(t *testing.T) {
	mended := 0
	table := []doctor.Check{{ID: "door.open", Group: "House", Title: "the door is shut", Run: func(context.Context) doctor.Result {
		return doctor.Result{Status: doctor.Fail, Detail: "The door is open.", Why: "It is cold.", Next: "Shut it.",
			Fix: &doctor.Fix{What: "Shut the door.", Do: func(context.Context) error { mended++; return nil }}}
	}}}
	list := doctor.Run(t.Context(), table, []string{"door.open"}, nil).Fixable()
	for _, test := range []struct {
		answer string // empty: no terminal
		yes    bool
		want   int
		says   string
	}{
		{"y\n", false, 1, "Do it? [y/N] "},
		{"YES\n", false, 1, "Do it? [y/N] "},
		{"\n", false, 0, "Nothing was changed.\n"},
		{"no\n", false, 0, "Nothing was changed.\n"},
		{"", true, 1, "Checked again:"},
		{"", false, 0, ""},
	} {
		t.Run(fmt.Sprintf("%q %t", test.answer, test.yes), func(t *testing.T) {
			mended = 0
			var stdout bytes.Buffer
			c := &invocation{stdin: strings.NewReader("y\n"), stdout: &stdout}
			if test.answer != "" {
				person, program := openTerminal(t)
				if _, err := person.WriteString(test.answer); err != nil {
					t.Fatal(err)
				}
				c.stdin = program
			}
			done, err := doctorFlags{yes: &test.yes}.mend(t.Context(), c, doctor.NewPrinter(&stdout, terminal.Style{}), list, false)
			if mended != test.want || len(done) != test.want {
				t.Errorf("mended %d and told %d, want %d", mended, len(done), test.want)
			}
			if refused := test.answer == "" && !test.yes; (err != nil) != refused {
				t.Errorf("error: got %v, want one: %t", err, refused)
			}
			if out := stdout.String(); !strings.Contains(out, "Shut the door. (door.open)") || !strings.Contains(out, test.says) {
				t.Errorf("got %q, want the plan and %q", out, test.says)
			}
		})
	}
}
