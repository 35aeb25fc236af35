// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
)

// TestOneFamily: an OBS that listens on one kind of addresses is found at "localhost".
func TestOneFamily(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		t.Run(host, func(t *testing.T) {
			listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
			if err != nil {
				t.Skipf("this machine has no %s: %v", host, err)
			}
			endpoint := endpointOf((&fakeobs.Server{Password: "pw"}).StartAt(t, listener))
			endpoint.Host = "localhost"
			c, err := Dial(t.Context(), endpoint, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			if got := c.Endpoint().Host; got != host {
				t.Errorf("got host %q, want %q", got, host)
			}
			shots, err := DialScreenshots(t.Context(), endpoint, Options{})
			if err != nil {
				t.Fatal(err)
			}
			_ = shots.Close()

			other := map[string]string{"127.0.0.1": "::1", "::1": "127.0.0.1"}[host]
			endpoint.Host = other
			if _, err := Dial(t.Context(), endpoint, Options{}); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "leave out --obs-host") {
				t.Errorf("at %s: got %v, want it refused, with what to do", other, err)
			}
		})
	}
}

// inProc makes a /proc with one OBS that has mapped files, on a distribution.
func inProc(t *testing.T, release string, mapped ...string) string {
	t.Helper()
	proc := t.TempDir()
	maps := "55d0c0000000-55d0c0001000 r--p 00000000 08:01 1234                       /usr/bin/obs\n" +
		"7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \n"
	for _, file := range mapped {
		maps += "7f1234560000-7f1234570000 r-xp 00001000 08:01 1235                       " + file + "\n"
	}
	for name, text := range map[string]string{"91/maps": maps, "91/root/etc/os-release": release, "self/root/etc/os-release": release, "net/if_inet6": ""} {
		path := filepath.Join(proc, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return proc
}

func TestRefused(t *testing.T) {
	const plugins = "/usr/lib/x86_64-linux-gnu/obs-plugins/"
	loaded := []string{"/usr/lib/x86_64-linux-gnu/libobs.so.30", plugins + "linux-v4l2.so", plugins + "rtmp-services.so"}
	for _, tt := range []struct {
		name, release string
		mapped        []string
		want          string
	}{
		{"it has the server", "ID=debian\n", append(loaded, plugins+"obs-websocket.so"), "Enable WebSocket server"},
		{"it still loads", "ID=debian\n", loaded[:2], "Enable WebSocket server"},
		{"Debian", "NAME=\"Debian GNU/Linux\"\nID=debian\n", loaded, "sudo apt install obs-studio"},
		{"Linux Mint", "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", loaded, "ppa:obsproject/obs-studio"},
		{"EndeavourOS", "ID=\"endeavouros\"\nID_LIKE=\"arch\"\n", loaded, "obs-studio-with-websockets"},
		{"Fedora", "ID=fedora\n", loaded, "sudo dnf upgrade obs-studio"},
		{"Gentoo", "ID=gentoo\n", loaded, "media-video/obs-studio websocket"},
		{"another", "ID=void\n", loaded, "flatpak install flathub com.obsproject.Studio"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := refused(inProc(t, tt.release, tt.mapped...), Endpoint{Host: "localhost", Port: 4455, PID: 91, Source: "a file"})
			if !strings.Contains(got, tt.want) || !strings.Contains(got, "process 91") {
				t.Errorf("got %q, want it to name process 91 and %q", got, tt.want)
			}
		})
	}
	t.Run("no IPv6", func(t *testing.T) {
		proc := inProc(t, "")
		if err := os.Remove(filepath.Join(proc, "net/if_inet6")); err != nil {
			t.Fatal(err)
		}
		if got := refused(proc, Endpoint{Host: "localhost", Port: 4455, PID: 91}); !strings.Contains(got, "--websocket_ipv4_only") {
			t.Errorf("got %q, want it to name --websocket_ipv4_only", got)
		}
	})
}

// TestListensElsewhere: what listens for IPv4 alone is named to who asked for it by IPv6, and the box that is ticked is not.
func TestListensElsewhere(t *testing.T) {
	server := endpointOf((&fakeobs.Server{}).Start(t))
	server.Host, server.Source = "::1", "--obs-port"
	_, err := Dial(t.Context(), server, Options{})
	var failed *ConnectError
	if !errors.As(err, &failed) || failed.Elsewhere != "127.0.0.1" {
		t.Fatalf("got %v, want an error that names 127.0.0.1", err)
	}
	want := fmt.Sprintf("nothing listens at [::1]:%d (--obs-port), but something does at 127.0.0.1:%[1]d: leave out --obs-host, or give --obs-host 127.0.0.1", server.Port)
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	for _, host := range []string{"127.0.0.1", "localhost", "192.0.2.1", "example.org"} {
		server.Host = host
		if got := listensElsewhere(server); got != "" {
			t.Errorf("%s: got %q, want nothing", host, got)
		}
	}
}

// TestMappedHere looks at this test's own process.
func TestMappedHere(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	got := loadedFile("", os.Getpid(), filepath.Base(self))
	if want, _ := os.Stat(self); got == "" {
		t.Errorf("%s is not found among the mapped files", self)
	} else if have, err := os.Stat(got); err != nil || !os.SameFile(want, have) {
		t.Errorf("got %s (%v), want %s", got, err, self)
	}
	if got := loadedFile("", os.Getpid(), "obs-websocket.so"); got != "" {
		t.Errorf("got %s, want nothing", got)
	}
}
