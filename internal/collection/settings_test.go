// SPDX-License-Identifier: Apache-2.0

package collection

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSetINI(t *testing.T) {
	for _, test := range []struct{ name, old, value, want string }{
		{"new key", "[A]\nx=1\n\n[B]\ny=2\n\n[C]\nz=3\n", `v\w`, "[A]\nx=1\n\n[B]\ny=2\nk=v\\\\w\n\n[C]\nz=3\n"},
		{"new key at the end", "[B]\ny=2", "v", "[B]\ny=2\nk=v\n"},
		{"empty section", "[B]\n[C]\nk=3\n", "v", "[B]\nk=v\n[C]\nk=3\n"},
		{"new section", "[A]\nk=1\n", "v", "[A]\nk=1\n\n[B]\nk=v\n"},
		{"new section after no line's end", "[A]\nk=1", "v", "[A]\nk=1\n\n[B]\nk=v\n"},
		{"empty file", "", "v", "[B]\nk=v\n"},
		{"changed", "\ufeff[B]\nk=1\nk2=2\n[A]\nk=1\n", "line\nline", "\ufeff[B]\nk=line\\nline\nk2=2\n[A]\nk=1\n"},
		{"twice: the last counts", "[B]\nk=1\nk=2\n", "v", "[B]\nk=1\nk=v\n"},
		{"taken out", "[B]\nk=1\ny=2\n", "", "[B]\ny=2\n"},
		{"nothing to take out", "[A]\nk=1\n", "", "[A]\nk=1\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := string(setINI([]byte(test.old), "B", "k", test.value))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if read := parseINI(got).get("B", "k"); read != test.value {
				t.Errorf("read back: got %q, want %q", read, test.value)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	m := newMachine(t)
	const users = "[General]\nx=1\n\n[BasicWindow]\ngeometry=abc\n"
	m.put(t, "global.ini", obs31)
	m.put(t, "user.ini", users)
	settings, err := m.dir(t).Settings()
	if err != nil {
		t.Fatal(err)
	}
	if settings.Path() != m.path("user.ini") {
		t.Errorf("OBS 31: got %s", settings.Path())
	}
	put := func(value string) error {
		return settings.Edit("BasicWindow", "k", func(string) (string, error) { return value, nil })
	}
	if err := put("v"); err != nil {
		t.Fatal(err)
	}
	if got, err := settings.Get("BasicWindow", "k"); got != "v" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if got, _ := os.ReadFile(settings.Backup()); string(got) != users {
		t.Errorf("backup: got %q", got)
	}
	if info, err := os.Stat(settings.Path()); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode: got %v, %v; want that of before", info.Mode(), err)
	}
	refused := errors.New("refused")
	if err := settings.Edit("BasicWindow", "k", func(string) (string, error) { return "x", refused }); !errors.Is(err, refused) {
		t.Errorf("a change that is refused: got %v", err)
	}
	if err := put(""); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(settings.Path()); string(got) != users {
		t.Errorf("undone: got %q, want the file of before", got)
	}
}

func TestAllSettings(t *testing.T) {
	m := newMachine(t)
	elsewhere := t.TempDir()
	paths := func() (all []string) {
		settings, err := m.dir(t).AllSettings()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range settings {
			all = append(all, s.Path())
		}
		return all
	}
	want := []string{m.path("global.ini")}
	if got := paths(); !slices.Equal(got, want) {
		t.Errorf("OBS 29: got %q", got)
	}
	m.put(t, "user.ini", "")
	want = append(want, m.path("user.ini"))
	if got := paths(); !slices.Equal(got, want) {
		t.Errorf("OBS 31: got %q", got)
	}
	m.put(t, "global.ini", obs31+"\n[Locations]\nConfiguration="+elsewhere+"\n")
	moved := filepath.Join(elsewhere, "obs-studio", "user.ini")
	if err := errors.Join(os.Mkdir(filepath.Dir(moved), 0o700), os.WriteFile(moved, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if got := paths(); !slices.Equal(got, append(want, moved)) {
		t.Errorf("moved: got %q", got)
	}
}
