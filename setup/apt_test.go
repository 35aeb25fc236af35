// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// apt answers as apt-get would: installing brings others, and removing one of dependents
// takes those with it.
func apt(dependents map[string][]string) func(args ...string) (AptChanges, error) {
	return func(args ...string) (AptChanges, error) {
		switch args[0] {
		case "install":
			if !slices.Contains(args, "--no-remove") {
				return AptChanges{}, fmt.Errorf("%q may remove packages", args)
			}
			return AptChanges{Install: append([]string{"dkms"}, args[2:]...), Upgrade: []string{"linux-libc-dev"}}, nil
		case "remove":
			return AptChanges{Remove: append(slices.Clone(dependents[args[1]]), args[1])}, nil
		}
		return AptChanges{}, fmt.Errorf("unexpected %q", args)
	}
}

// As Debian 12 answered.
func TestReadAptChanges(t *testing.T) {
	for _, test := range []struct {
		file string
		want AptChanges
	}{
		{"install.txt", AptChanges{
			Install: []string{"dkms", "kmod", "libv4l2rds0", "linux-compiler-gcc-12-x86", "linux-headers-6.1.0-57-amd64", "linux-headers-6.1.0-57-common",
				"linux-headers-amd64", "linux-kbuild-6.1", "sudo", "v4l-utils", "v4l2loopback-dkms", "v4l2loopback-utils"},
			Upgrade: []string{"linux-libc-dev", "linux-perf"},
		}},
		{"remove.txt", AptChanges{Remove: []string{"ffmpeg", "gstreamer1.0-libav", "gstreamer1.0-plugins-bad", "gstreamer1.0-plugins-good",
			"gstreamer1.0-pulseaudio", "libasound2-plugins", "libavdevice59", "libavfilter8", "libfluidsynth3",
			"libobs0", "libpipewire-0.3-modules", "libpocketsphinx3", "libpulse0", "libpulsedsp", "libsdl2-2.0-0",
			"libsphinxbase3", "obs-studio", "pipewire", "pipewire-bin", "pipewire-pulse", "pulseaudio",
			"pulseaudio-utils", "wireplumber"}}},
	} {
		text, err := os.ReadFile(filepath.Join("testdata", "apt", test.file))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, readAptChanges(string(text))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.file, diff)
		}
	}
}

// The real apt-get says what would go with a package that others need, and dpkg, which is
// told to remove that one alone, then refuses.
func TestRealApt(t *testing.T) {
	testbed.Need(t)
	if _, err := exec.LookPath("apt-get"); err != nil {
		t.Skip("no apt-get on this system")
	}
	const needed, by = "libpulse0", "pulseaudio-utils"
	var p Plan
	State{Apt: simulateApt}.aptRemove(&p, []string{needed})
	if !p.Empty() || len(p.Notes) != 1 || !strings.Contains(p.Notes[0], " "+by) {
		t.Errorf("remove %s: got steps %v and notes %q, want it to stay because of %s", needed, p.Steps, p.Notes, by)
	}
	// As sudo has it: dpkg wants ldconfig on its path, which the path of a user lacks.
	dpkg := exec.Command("dpkg", "--remove", "--no-act", needed)
	dpkg.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	if out, err := dpkg.CombinedOutput(); err == nil || !strings.Contains(string(out), needed) {
		t.Errorf("dpkg --remove %s: got %v, want a refusal:\n%s", needed, err, out)
	}
	if got, err := simulateApt("remove", by); err != nil || !slices.Contains(got.Remove, by) || len(got.Install) > 0 {
		t.Errorf("remove %s: got %+v, %v", by, got, err)
	}
	if got, err := simulateApt("install", "--no-remove", "no-such-package"); err == nil || !strings.Contains(err.Error(), "no-such-package") {
		t.Errorf("an unknown package: got %+v, %v, want apt-get's words", got, err)
	}
}

// Carrying out an undo starts no apt-get, and gives dpkg the packages that were shown alone.
func TestUndoRemovesWhatItShows(t *testing.T) {
	dir := t.TempDir()
	called := filepath.Join(dir, "called")
	for _, program := range []string{"apt-get", "dpkg", "modprobe", "rm"} {
		script := "#!/bin/sh\necho " + program + " \"$@\" >>'" + called + "'\n"
		if err := os.WriteFile(filepath.Join(dir, program), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	s := ready(usual(), records{packages: []string{"v4l2loopback-dkms", "linux-headers-6.1.0-28-amd64"}, modules: []string{"v4l2loopback"}})
	s.Apt = apt(map[string][]string{"linux-headers-6.1.0-28-amd64": {"linux-headers-amd64"}})
	plan, err := PlanUndo(s, false)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := plan.Apply(t.Context(), nil, Streams{Out: &out, Err: &out}); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	got, err := os.ReadFile(called)
	if err != nil {
		t.Fatal(err)
	}
	want := "modprobe -r v4l2loopback\ndpkg --remove v4l2loopback-dkms\nrm -f " + optionsPath + " " + loadPath + "\n"
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("called (-want +got):\n%s", diff)
	}
}
