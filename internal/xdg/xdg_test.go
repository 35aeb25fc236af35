// SPDX-License-Identifier: Apache-2.0

package xdg

import (
	"os/user"
	"path/filepath"
	"testing"
)

func TestDirectories(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, home, variable, want string }{
		{"set", "/home/me", "/srv/config", "/srv/config"},
		{"with a slash at the end", "/home/me", "/srv/config/", "/srv/config"},
		{"not set", "/home/me", "", "/home/me/.config"},
		{"relative", "/home/me", "config", "/home/me/.config"},
		{"no home", "", "", filepath.Join(me.HomeDir, ".config")},
		{"no home is needed", "", "/srv/config", "/srv/config"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("HOME", tt.home)
			t.Setenv("XDG_CONFIG_HOME", tt.variable)
			if got, err := ConfigHome(); got != tt.want || err != nil {
				t.Errorf("got %q and error %v, want %q", got, err, tt.want)
			}
		})
	}
	t.Setenv("HOME", "/home/me")
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("XDG_DATA_HOME", "")
	for want, dir := range map[string]func() (string, error){"/home/me/.local/state": StateHome, "/home/me/.local/share": DataHome} {
		if got, err := dir(); got != want || err != nil {
			t.Errorf("got %q and error %v, want %q", got, err, want)
		}
	}
}
