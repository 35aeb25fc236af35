// SPDX-License-Identifier: Apache-2.0

package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "file.json")
	for _, text := range []string{"one", "the second"} {
		if err := Write(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != text {
			t.Errorf("got %q and error %v, want %q", got, err, text)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("got mode %o, want 600", got)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("got %v in the directory, want the file alone", left)
	}
}

func TestWriteFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.MkdirAll(filepath.Join(path, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("x")); err == nil {
		t.Error("got no error for a path that is a directory")
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("got %v left over, want nothing new", left)
	}
}

func TestJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "value.json")
	got := map[string]int{"before": 1}
	if found, err := ReadJSON(path, &got); found || err != nil || got["before"] != 1 {
		t.Errorf("without a file: got %t, %v and %v, want nothing read", found, err, got)
	}
	if err := WriteJSON(path, map[string]int{"now": 2}); err != nil {
		t.Fatal(err)
	}
	if found, err := ReadJSON(path, &got); !found || err != nil || got["now"] != 2 {
		t.Errorf("got %t, %v and %v, want what was written", found, err, got)
	}
	if err := os.WriteFile(path, []byte(`{"now":`), 0o600); err != nil {
		t.Fatal(err)
	}
	var damaged *DamagedError
	if _, err := ReadJSON(path, &got); !errors.As(err, &damaged) || damaged.Path != path {
		t.Errorf("half a file: got error %v, want a DamagedError", err)
	}
}

func TestReplaceRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := Write(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	no := errors.New("no")
	temp := filepath.Join(filepath.Dir(path), "temp")
	err := Replace(path, []byte("new"), Options{Mode: 0o644, Temp: temp, Ready: func(written string) error {
		if text, err := os.ReadFile(written); written != temp || string(text) != "new" {
			t.Errorf("asked about %s with %q (%v), want %s with the new text", written, text, err, temp)
		}
		return no
	}})
	if !errors.Is(err, no) {
		t.Errorf("got error %v, want %v", err, no)
	}
	if text, _ := os.ReadFile(path); string(text) != "old" {
		t.Errorf("got %q, want the old text", text)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("got %v in the directory, want the file alone", left)
	}
}
