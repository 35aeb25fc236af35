// SPDX-License-Identifier: Apache-2.0

package pairing

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "costream-obs", "pair.json")
	if _, err := Load(path); !errors.Is(err, ErrNotPaired) {
		t.Errorf("no file: got %v, want ErrNotPaired", err)
	}
	if err := Forget(path); !errors.Is(err, ErrNotPaired) {
		t.Errorf("no file to forget: got %v, want ErrNotPaired", err)
	}
	for _, want := range []*Pair{{Role: Inviter, Invite: fixedInvite()}, {Role: Guest, Invite: Invite{Secret: NewSecret()}},
		{Role: Guest, Invite: Invite{Secret: NewSecret(), Auto: true}, Auto: true}, {Role: Guest, Invite: Invite{Secret: NewSecret(), Auto: true}}} {
		if err := Save(path, want); err != nil {
			t.Fatal(err)
		}
		got, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-saved +loaded):\n%s", diff)
		}
	}
	for at, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(at)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: got mode %04o, want %04o", filepath.Base(at), got, want)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("got %v (%v), want nothing beside the file", entries, err)
	}
	if err := Forget(path); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); !errors.Is(err, ErrNotPaired) {
		t.Errorf("after Forget: got %v, want ErrNotPaired", err)
	}
}

func TestFileRefused(t *testing.T) {
	line := fixedInvite().Line()
	for _, test := range []struct {
		name, text string
		mode       os.FileMode
		want       string
	}{
		{"open to the group", `{"role":"guest","invite":"` + line + `"}`, 0o640, "mode 0640"},
		{"no JSON", "role=guest", 0o600, "damaged"},
		{"no role", `{"invite":"` + line + `"}`, 0o600, `no role ""`},
		{"half a line", `{"role":"guest","invite":"` + line[:50] + `"}`, 0o600, "missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "pair.json")
			if err := os.WriteFile(path, []byte(test.text), test.mode); err != nil {
				t.Fatal(err)
			}
			_, err := Load(path)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want an error with %q and the path", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), line[20:40]) {
				t.Errorf("the error holds the secret: %v", err)
			}
		})
	}
	if _, err := Load(t.TempDir()); err == nil {
		t.Error("a directory: got no error, want one")
	}
}

// TestFileOfBefore: a file that was written before there was a question is one that says no.
func TestFileOfBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pair.json")
	if err := os.WriteFile(path, []byte(`{"role":"guest","invite":"`+goldenLine+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&Pair{Role: Guest, Invite: fixedInvite()}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.Agreed() {
		t.Error("got that both agreed, want not")
	}
}

func TestAgreed(t *testing.T) {
	for _, inviter := range []bool{false, true} {
		for _, own := range []bool{false, true} {
			p := Pair{Role: Guest, Invite: Invite{Auto: inviter}, Auto: own}
			if got, want := p.Agreed(), inviter && own; got != want {
				t.Errorf("inviter %t, guest %t: got %t, want %t", inviter, own, got, want)
			}
		}
	}
}
