// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/golden"
)

// result is what one run of the program left behind.
type result struct {
	Code           int
	Stdout, Stderr string
}

// isolate gives the test a home of its own, so that no settings, OBS or costream-obs of this machine's user are found.
func isolate(t *testing.T) (home string) {
	t.Helper()
	home = t.TempDir()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "COSTREAM_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
	t.Setenv("XDG_DATA_HOME", filepath.Join(home, "data"))
	t.Setenv("XDG_RUNTIME_DIR", filepath.Join(home, "run"))
	return home
}

func runCLI(ctx context.Context, args ...string) result {
	var stdout, stderr bytes.Buffer
	code := Run(ctx, args, strings.NewReader(""), &stdout, &stderr)
	return result{Code: code, Stdout: stdout.String(), Stderr: stderr.String()}
}

// leaves calls f for each command, the deeper ones after those that lead to them.
func leaves(path []*command, f func(path []*command)) {
	f(path)
	for _, s := range path[len(path)-1].subs {
		if s.bind != nil || len(s.subs) > 0 {
			leaves(append(path[:len(path):len(path)], s), f)
		}
	}
}

func TestGoldenHelp(t *testing.T) {
	isolate(t)
	leaves([]*command{root()}, func(path []*command) {
		name := pathName(path)
		t.Run(name, func(t *testing.T) {
			words := strings.Fields(name)[1:]
			got := runCLI(t.Context(), append(words, "--help")...)
			if got.Code != exitOK || got.Stderr != "" {
				t.Errorf("got exit code %d and errors %q, want 0 and none", got.Code, got.Stderr)
			}
			golden.Check(t, filepath.Join("testdata", "help", strings.Join(append([]string{"costream-obs"}, words...), "-")+".txt"), got.Stdout)
			for line := range strings.Lines(got.Stdout) {
				if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > usageWidth {
					t.Errorf("line is longer than %d letters: %s", usageWidth, line)
				}
			}
			for _, other := range [][]string{append([]string{"help"}, words...), append(words, "-h"), append(words, "-help")} {
				if diff := cmp.Diff(got, runCLI(t.Context(), other...)); diff != "" {
					t.Errorf("%q answers otherwise than --help:\n%s", other, diff)
				}
			}
		})
	})
}

// What a flag takes is never read as a flag, and the rest may have one dash or two.
func TestForPflag(t *testing.T) {
	for _, test := range []struct{ args, want []string }{
		{[]string{"-scene", "-scene", "-wait"}, []string{"--scene", "-scene", "--wait"}},
		{[]string{"--scene", "-wait", "-wait"}, []string{"--scene", "-wait", "--wait"}},
		{[]string{"--scene", "--key", "F9"}, []string{"--scene", "--key", "F9"}},
		{[]string{"--scene", "--", "-wait"}, []string{"--scene", "--", "--wait"}},
		{[]string{"--scene=-scene", "-scene=-x", "-wait=false"}, []string{"--scene=-scene", "--scene=-x", "--wait=false"}},
		{[]string{"-key", "F9", "-key", "-wait"}, []string{"--key=F9", "--key", "--wait"}},
		{[]string{"-wait", "-", "-unknown", "-h", "-help"}, []string{"--wait", "-", "-unknown", "-h", "--help"}},
		{[]string{"--", "-scene", "--key", "F9"}, []string{"--", "-scene", "--key", "F9"}},
		{[]string{"-scene"}, []string{"--scene"}},
	} {
		set := pflag.NewFlagSet("test", pflag.ContinueOnError)
		set.StringArray("scene", nil, "")
		set.Bool("wait", false, "")
		set.String("key", "", "")
		set.Lookup("key").NoOptDefVal = noValue
		if diff := cmp.Diff(test.want, forPflag(set, test.args)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.args, diff)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	for _, test := range []struct {
		args string
		want string // the first line without the command's name before it
	}{
		{"recieve", `unknown command "recieve"; did you mean receive?`},
		{"frobnicate", `unknown command "frobnicate"`},
		{"help nope", `unknown command "nope"`},
		{"--verbose run", "put --verbose after the command"},
		{"-x", "put -x after the command"},
		{"peer", "missing command; there are: show, hide, toggle, add, remove, layout, away, back, status"},
		{"peer shwo", `unknown command "shwo"; did you mean show?`},
		{"run", "no peer is configured: give --peer ADDRESS, or `peer = \"ADDRESS\"` in the configuration file"},
		{"run now", `unexpected argument "now"`},
		{"run --laoyut pip", "unknown flag --laoyut; did you mean --layout?"},
		{"run -laoyut pip", "unknown flag -l"},
		{"run --peer", "--peer needs a value"},
		{"run --peer=bob --layout mosaic", `--layout: a layout begins with one of pip, side-by-side, full, grid, not with "mosaic"`},
		{"run --peer=bob --base-port 0", `--base-port: "0" is not a number from 1 to 65528`},
		{"run --peer=bob --json=perhaps", `--json: "perhaps" is neither true nor false`},
		{"run --peer=bob --obs-password=hunter2", "unknown flag --obs-password"},
		{"run --peer=bob.invalid --name-plate", "--name-plate needs --peer-name"},
		{"run --peer=bob.invalid --share=Music --mic-source=usb", "--share needs the microphone to go through OBS: remove --mic-source"},
		{"run --peer=bob.invalid --private-scenes=Bank --no-clean-feed", "--private-scenes needs the clean feed: remove --no-clean-feed"},
		{"run ---", "bad flag syntax: ---"},
		{"send", "no peer is configured: give --peer ADDRESS, or `peer = \"ADDRESS\"` in the configuration file"},
		{"send -v4l2src_device", "--v4l2src_device needs a value"},
		{"send -peer=a -v4l2src_device=3", `--video-out: "3" is not a device path such as /dev/video10`},
		{"send --v4l2sink_device=/dev/video3", "unknown flag --v4l2sink_device"},
		{"receive -peer=a:5000", `--peer: "a:5000" contains a port; give "a", because the port has its own setting`},
		{"receive --config=/nowhere", "configuration file of --config: open /nowhere: no such file or directory"},
		{"peer layout mosaic", `unknown command "mosaic"`},
		{"peer layout pip --corner left", `--corner: "left" is not a corner: choose one of bottom-right, bottom-left, top-left, top-right`},
		{"peer layout pip --size 200%", `--size: "200%": a size is 1% to 100% of the canvas`},
		{"peer layout side-by-side --size 480x270", "the size of side-by-side must be a part of the width, such as 40%"},
		{"peer layout full --size 30%", "unknown flag --size"},
		{"peer layout save", "give the NAME of one saved layout"},
		{"graph --json", "unknown flag --json"},
		{"setup --audio=oss", `--audio: "oss" is not one of: null, aloop`},
		{"setup --video-in=/dev/video9", "/dev/video10 for OBS's virtual camera must have a smaller number than /dev/video9"},
		{"setup --label-in=a,b", `label "a,b": up to 31 letters`},
		{"version now", `unexpected argument "now"`},
	} {
		t.Run(test.args, func(t *testing.T) {
			isolate(t)
			got := runCLI(t.Context(), strings.Fields(test.args)...)
			if got.Code != exitUsage || got.Stdout != "" {
				t.Errorf("got exit code %d and output %q, want 2 and none", got.Code, got.Stdout)
			}
			lines := strings.Split(got.Stderr, "\n")
			name, message, _ := strings.Cut(lines[0], ": ")
			if !strings.HasPrefix(message, test.want) {
				t.Errorf("got message %q, want %q", message, test.want)
			}
			if len(lines) != 3 || lines[1] != "See: "+name+" --help" || lines[2] != "" {
				t.Errorf("got %q, want one line of message and one that tells where to look", got.Stderr)
			}
		})
	}
}

func TestBadConfigFile(t *testing.T) {
	home := isolate(t)
	file := filepath.Join(home, "config", "costream-obs", "config.toml")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("peer = 'bob'\ncolour = 'red'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"run", "send", "receive", "peer show", "peer status"} {
		want := result{Code: exitUsage, Stderr: "costream-obs " + args + ": " + file + ":2: unknown setting \"colour\"\n" +
			"See: costream-obs " + args + " --help\n"}
		if diff := cmp.Diff(want, runCLI(t.Context(), strings.Fields(args)...)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", args, diff)
		}
	}
}

func TestNoCommand(t *testing.T) {
	got := runCLI(t.Context())
	want := result{Code: exitUsage, Stderr: runCLI(t.Context(), "help").Stdout}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestUnknownVariable: a variable that sets nothing is told on standard error, and does not stop the command.
func TestUnknownVariable(t *testing.T) {
	isolate(t)
	t.Setenv("COSTREAM_VEROBSE", "true")
	got := runCLI(t.Context(), "peer", "status")
	const want = "costream-obs peer status: environment variable COSTREAM_VEROBSE: there is no such setting; did you mean COSTREAM_VERBOSE?\n"
	if !strings.HasPrefix(got.Stderr, want) || got.Code == exitUsage {
		t.Errorf("got %+v, want it to begin with %q", got, want)
	}
}
