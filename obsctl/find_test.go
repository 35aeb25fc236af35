// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// machine is a home directory and a /proc for Find to look at. In file names,
// environments and wanted sources "~" is the home directory.
type machine struct {
	files     map[string]string
	links     map[string]string
	processes map[int]fakeProcess
}

type fakeProcess struct {
	comm string
	args []string // with the program's name
	env  []string
}

func (m machine) build(t *testing.T) FindOptions {
	t.Helper()
	root := t.TempDir()
	home, proc := filepath.Join(root, "home"), filepath.Join(root, "proc")
	expand := func(s string) string { return strings.ReplaceAll(s, "~", home) }
	write := func(path, content string) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(proc, "uptime"), "1 1")
	write(filepath.Join(home, ".profile"), "")
	for path, content := range m.files {
		write(expand(path), content)
	}
	for from, to := range m.links {
		if err := os.Symlink(to, expand(from)); err != nil {
			t.Fatal(err)
		}
	}
	for pid, p := range m.processes {
		dir := filepath.Join(proc, strconv.Itoa(pid))
		write(filepath.Join(dir, "comm"), p.comm+"\n")
		write(filepath.Join(dir, "cmdline"), strings.Join(p.args, "\x00")+"\x00")
		write(filepath.Join(dir, "environ"), expand(strings.Join(p.env, "\x00"))+"\x00")
	}
	return FindOptions{Home: home, ProcRoot: proc}
}

const (
	native  = "~/.config/obs-studio/"
	flatpak = "~/.var/app/com.obsproject.Studio/config/obs-studio/"
	snap    = "~/snap/obs-studio/117/.config/obs-studio/"
	jsonIn  = "plugin_config/obs-websocket/config.json"
)

func ini(port int, password string) string {
	return "[General]\nServerPort=1\n\n[OBSWebSocket]\nFirstLoad=false\nServerEnabled=true\nServerPort=" + strconv.Itoa(port) +
		"\nAlertsEnabled=false\nAuthRequired=true\nServerPassword=" + password + "\n\n[Basic]\nServerPassword=x\n"
}

func TestFind(t *testing.T) {
	secret := func(s string) *Secret { v := Secret(s); return &v }
	obs := func(args ...string) fakeProcess {
		return fakeProcess{comm: "obs", args: append([]string{"/usr/bin/obs"}, args...), env: []string{"LANG=C", "HOME=~"}}
	}
	tests := []struct {
		name    string
		machine machine
		options FindOptions
		want    Endpoint // Host is localhost unless given
		wantErr error
	}{
		{
			name:    "native, up to OBS 30.1",
			machine: machine{files: map[string]string{native + "global.ini": ini(4461, "pw")}},
			want:    Endpoint{Port: 4461, Password: "pw", AuthRequired: true, Enabled: true, Source: native + "global.ini"},
		},
		{
			name: "native, from OBS 30.2",
			machine: machine{files: map[string]string{
				native + "global.ini": "[General]\nFirstRun=true\n\n[OBSWebSocket]\n\n[Basic]\n",
				native + jsonIn: `{"first_load":false,"server_enabled":true,"server_port":4462,"alerts_enabled":false,` +
					`"auth_required":false,"server_password":"new"}`,
			}},
			want: Endpoint{Port: 4462, Password: "new", Enabled: true, Source: native + jsonIn},
		},
		{
			name: "an older OBS after one from 30.2 on: its section counts, and the newer one would move it into the JSON",
			machine: machine{files: map[string]string{
				native + "global.ini": ini(4461, "old"),
				native + jsonIn:       `{"server_enabled":true,"server_port":4462,"auth_required":false,"server_password":"stale"}`,
			}},
			want: Endpoint{Port: 4461, Password: "old", AuthRequired: true, Enabled: true, Source: native + "global.ini"},
		},
		{
			name:    "JSON with the defaults left out",
			machine: machine{files: map[string]string{native + jsonIn: `{}`}},
			want:    Endpoint{Port: 4455, AuthRequired: true, Enabled: true, Source: native + jsonIn},
		},
		{
			name:    "Flatpak",
			machine: machine{files: map[string]string{flatpak + jsonIn: `{"server_enabled":true,"server_port":4463}`}},
			want:    Endpoint{Port: 4463, AuthRequired: true, Enabled: true, Source: flatpak + jsonIn},
		},
		{
			name: "Snap, running",
			machine: machine{
				files: map[string]string{snap + jsonIn: `{"server_enabled":true,"server_port":4464}`},
				links: map[string]string{"~/snap/obs-studio/current": "117"},
				processes: map[int]fakeProcess{70: {comm: "obs", args: []string{"/snap/obs-studio/117/usr/bin/obs"},
					env: []string{"HOME=~/snap/obs-studio/117", "SNAP_NAME=obs-studio"}}},
			},
			want: Endpoint{Port: 4464, AuthRequired: true, Enabled: true, PID: 70,
				Source: "~/snap/obs-studio/current/.config/obs-studio/" + jsonIn},
		},
		{
			name: "the running Flatpak goes before a native OBS that does not run",
			machine: machine{
				files: map[string]string{
					native + "global.ini": ini(4461, "pw"),
					flatpak + jsonIn:      `{"server_enabled":true,"server_port":4463,"server_password":"fp"}`,
				},
				processes: map[int]fakeProcess{81: {comm: "obs", args: []string{"obs"},
					env: []string{"HOME=~", "XDG_CONFIG_HOME=~/.var/app/com.obsproject.Studio/config", "FLATPAK_ID=com.obsproject.Studio"}}},
			},
			want: Endpoint{Port: 4463, Password: "fp", AuthRequired: true, Enabled: true, PID: 81, Source: flatpak + jsonIn},
		},
		{
			name: "arguments of the running OBS",
			machine: machine{
				files: map[string]string{native + "global.ini": strings.Replace(ini(4461, "pw"), "AuthRequired=true", "AuthRequired=false", 1)},
				processes: map[int]fakeProcess{
					90: {comm: "obs-ffmpeg-mux", args: []string{"/usr/bin/obs-ffmpeg-mux"}, env: []string{"HOME=~"}},
					91: obs("--multi", "--websocket_port", "4470", "--websocket_password=arg"),
				},
			},
			want: Endpoint{Port: 4470, Password: "arg", AuthRequired: true, Enabled: true, PID: 91,
				Source: native + "global.ini, --websocket_port of process 91, --websocket_password of process 91"},
		},
		{
			name: "arguments that OBS ignores",
			machine: machine{
				files:     map[string]string{native + "global.ini": ini(4461, "pw")},
				processes: map[int]fakeProcess{91: obs("--websocket_port", "70000", "--websocket_password", "")},
			},
			want: Endpoint{Port: 4461, Password: "pw", AuthRequired: true, Enabled: true, PID: 91, Source: native + "global.ini"},
		},
		{
			name: "another user's directories are not taken while ours exist",
			machine: machine{
				files: map[string]string{
					native + "global.ini":            ini(4461, "pw"),
					"~/other/obs-studio/global.ini":  ini(4480, "other"),
					"~/second/obs-studio/global.ini": ini(4481, "second"),
				},
				processes: map[int]fakeProcess{
					60: {comm: "obs", args: []string{"obs"}, env: []string{"HOME=~", "XDG_CONFIG_HOME=~/other"}},
					61: {comm: "obs", args: []string{"obs"}, env: []string{"HOME=~", "XDG_CONFIG_HOME=~/second"}},
				},
			},
			want: Endpoint{Port: 4461, Password: "pw", AuthRequired: true, Enabled: true, Source: native + "global.ini"},
		},
		{
			name: "but they are when the port says so",
			machine: machine{
				files: map[string]string{
					native + "global.ini":            ini(4461, "pw"),
					"~/other/obs-studio/global.ini":  ini(4480, "other"),
					"~/second/obs-studio/global.ini": ini(4481, "second"),
				},
				processes: map[int]fakeProcess{
					60: {comm: "obs", args: []string{"obs"}, env: []string{"HOME=~", "XDG_CONFIG_HOME=~/other"}},
					61: {comm: "obs", args: []string{"obs"}, env: []string{"HOME=~", "XDG_CONFIG_HOME=~/second"}},
				},
			},
			options: FindOptions{Port: 4481},
			want: Endpoint{Port: 4481, Password: "second", AuthRequired: true, Enabled: true, PID: 61,
				Source: "~/second/obs-studio/global.ini"},
		},
		{
			name: "and when there is nothing else",
			machine: machine{
				files: map[string]string{"~/other/obs-studio/global.ini": ini(4480, "other")},
				processes: map[int]fakeProcess{
					60: {comm: "obs", args: []string{"obs"}, env: []string{"HOME=~", "XDG_CONFIG_HOME=~/other"}}},
			},
			want: Endpoint{Port: 4480, Password: "other", AuthRequired: true, Enabled: true, PID: 60, Source: "~/other/obs-studio/global.ini"},
		},
		{
			name:    "our own XDG_CONFIG_HOME",
			machine: machine{files: map[string]string{native + "global.ini": ini(4461, "pw"), "~/mine/obs-studio/global.ini": ini(4490, "mine")}},
			options: FindOptions{XDGConfigHome: "~/mine"},
			want:    Endpoint{Port: 4490, Password: "mine", AuthRequired: true, Enabled: true, Source: "~/mine/obs-studio/global.ini"},
		},
		{
			name:    "flags",
			machine: machine{files: map[string]string{native + "global.ini": ini(4461, "pw")}},
			options: FindOptions{Host: "localhost", Port: 4500, Password: secret("flag")},
			want: Endpoint{Host: "localhost", Port: 4500, Password: "flag", AuthRequired: true, Enabled: true,
				Source: native + "global.ini, --obs-port, the password that was given"},
		},
		{
			name:    "an empty password is one that was given",
			machine: machine{files: map[string]string{native + "global.ini": ini(4461, "pw")}},
			options: FindOptions{Password: secret("")},
			want: Endpoint{Port: 4461, AuthRequired: true, Enabled: true,
				Source: native + "global.ini, the password that was given"},
		},
		{
			name:    "another machine does not get our password",
			machine: machine{files: map[string]string{native + "global.ini": ini(4461, "pw")}},
			options: FindOptions{Host: "192.0.2.7"},
			want:    Endpoint{Host: "192.0.2.7", Port: 4455, AuthRequired: true, Enabled: true, Source: "--obs-host"},
		},
		{
			name:    "switched off",
			machine: machine{files: map[string]string{native + jsonIn: `{"server_enabled":false}`}},
			want:    Endpoint{Port: 4455, AuthRequired: true, Source: native + jsonIn},
			wantErr: ErrServerDisabled,
		},
		{
			name:    "switched off, ini",
			machine: machine{files: map[string]string{native + "global.ini": "[OBSWebSocket]\r\nServerEnabled=0\r\nServerPort=4461\r\n"}},
			want:    Endpoint{Port: 4461, AuthRequired: true, Source: native + "global.ini"},
			wantErr: ErrServerDisabled,
		},
		{
			name:    "a Snap that does not run",
			machine: machine{files: map[string]string{snap + jsonIn: `{"server_port":4464}`}, links: map[string]string{"~/snap/obs-studio/current": "117"}},
			want: Endpoint{Port: 4464, AuthRequired: true, Enabled: true,
				Source: "~/snap/obs-studio/current/.config/obs-studio/" + jsonIn},
		},
		{
			name: "the port of a Flatpak beside a native OBS",
			machine: machine{files: map[string]string{
				native + "global.ini": ini(4461, "pw"),
				flatpak + jsonIn:      `{"server_port":4463,"server_password":"fp"}`,
			}},
			options: FindOptions{Port: 4463},
			want:    Endpoint{Port: 4463, Password: "fp", AuthRequired: true, Enabled: true, Source: flatpak + jsonIn},
		},
		{
			name:    "nothing at all",
			want:    Endpoint{Port: 4455, AuthRequired: true, Enabled: true, Source: "the default port"},
			wantErr: ErrNoConfig,
		},
		{
			name: "an OBS without obs-websocket",
			machine: machine{files: map[string]string{native + "global.ini": "[General]\nFirstRun=true\n"},
				processes: map[int]fakeProcess{91: obs()}},
			want:    Endpoint{Port: 4455, AuthRequired: true, Enabled: true, PID: 91, Source: "the default port"},
			wantErr: ErrNoWebSocket,
		},
		{
			name: "a zombie and a stranger are no OBS",
			machine: machine{processes: map[int]fakeProcess{
				50: {comm: "obs"},
				51: {comm: "vim", args: []string{"vim", "obs"}, env: []string{"HOME=~"}},
			}},
			want:    Endpoint{Port: 4455, AuthRequired: true, Enabled: true, Source: "the default port"},
			wantErr: ErrNoConfig,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			options := tt.machine.build(t)
			expand := func(s string) string { return strings.ReplaceAll(s, "~", options.Home) }
			options.Host, options.Port, options.Password = tt.options.Host, tt.options.Port, tt.options.Password
			options.XDGConfigHome = expand(tt.options.XDGConfigHome)
			want := tt.want
			want.Source = expand(want.Source)
			if want.Host == "" {
				want.Host = "localhost"
			}

			got, err := Find(options)
			if !errors.Is(err, tt.wantErr) {
				t.Errorf("got error %v, want %v", err, tt.wantErr)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("endpoint (-want +got):\n%s", diff)
			}
			if got.Password.Reveal() != want.Password.Reveal() {
				t.Errorf("password: got %q, want %q", got.Password.Reveal(), want.Password.Reveal())
			}
		})
	}
}

func TestFindBrokenFile(t *testing.T) {
	tests := []struct{ name, file, content, want string }{
		{"JSON cut short", jsonIn, `{"server_port":44`, "unexpected end"},
		{"port out of range", jsonIn, `{"server_port":445500}`, "port 445500"},
		{"port is no number", "global.ini", "[OBSWebSocket]\nServerPort=abc\n", "ServerPort=abc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			options := machine{files: map[string]string{native + tt.file: tt.content}}.build(t)
			_, err := Find(options)
			if err == nil {
				t.Fatal("got no error")
			}
			for _, want := range []string{tt.want, filepath.Join(options.Home, ".config/obs-studio", tt.file), "--obs-port"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got message %q, want it to contain %q", err, want)
				}
			}
		})
	}
}

func TestINIValues(t *testing.T) {
	e, err := parseServerINI([]byte("\ufeff[OBSWebSocket]\r\n ServerPassword=  a=b\\\\c \r\nServerEnabled=TRUE\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := e.Password.Reveal(), `  a=b\c `; got != want || !e.Enabled {
		t.Errorf("got password %q, enabled %v, want %q, true", got, e.Enabled, want)
	}
}

// TestFindRecorded reads what each version of OBS wrote, without a setting of ours but FirstRun: when it ran alone, after
// it found the settings of both forms, and when an older version followed it.
func TestFindRecorded(t *testing.T) {
	for _, tt := range []struct {
		dir, file, password string
		port                int
		enabled             bool
	}{
		{"29.0.2", "global.ini", "generated-29.0.2", 4455, false},
		{"30.2.3", jsonIn, "generated-30.2.3", 4455, false},
		{"32.2.2", jsonIn, "generated-32.2.2", 4455, false},
		{"30.2.3-migrated", jsonIn, "older", 4471, true},
		{"32.2.2-migrated", jsonIn, "older", 4471, true},
		{"29.0.2-after-32.2.2", "global.ini", "generated-29.0.2", 4455, false},
	} {
		for _, home := range []string{native, flatpak, "~/snap/obs-studio/current/.config/obs-studio/"} {
			t.Run(tt.dir+" in "+home, func(t *testing.T) {
				options := machine{}.build(t)
				dir := strings.ReplaceAll(home, "~", options.Home)
				copyRecorded(t, tt.dir, dir)
				got, err := Find(options)
				if disabled := errors.Is(err, ErrServerDisabled); disabled == tt.enabled || err != nil && !disabled {
					t.Errorf("got error %v, want the server enabled: %t", err, tt.enabled)
				}
				want := Endpoint{Host: "localhost", Port: tt.port, Password: Secret(tt.password), AuthRequired: true, Enabled: tt.enabled,
					Source: filepath.Join(dir, tt.file)}
				if diff := cmp.Diff(want, got); diff != "" || got.Password.Reveal() != tt.password {
					t.Errorf("password %q, endpoint (-want +got):\n%s", got.Password.Reveal(), diff)
				}
			})
		}
	}
}

// copyRecorded puts a recording into an obs-studio directory.
func copyRecorded(t *testing.T, name, dir string) {
	t.Helper()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "recorded", name))); err != nil {
		t.Fatal(err)
	}
}

func TestEndpointListens(t *testing.T) {
	for _, test := range []struct {
		host, addr string
		want       bool
	}{
		{"127.0.0.1", "localhost:4455", true},
		{"localhost", "[::1]:4455", true},
		{"127.0.0.1", "localhost:4456", false},
		{"192.0.2.7", "192.0.2.7:4455", true},
		{"192.0.2.7", "localhost:4455", false},
		{"127.0.0.1", "nonsense", false},
	} {
		if got := (Endpoint{Host: test.host, Port: 4455}).Listens(test.addr); got != test.want {
			t.Errorf("OBS at %s, port 4455, listens at %s: got %t, want %t", test.host, test.addr, got, test.want)
		}
	}
}
