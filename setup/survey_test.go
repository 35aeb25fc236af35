// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/v4l2"
	"github.com/costream-obs/costream-obs/internal/v4l2/v4l2test"
)

// addFiles writes files below a machine's root.
func addFiles(t *testing.T, m Machine, files map[string]string) {
	t.Helper()
	for path, text := range files {
		full := filepath.Join(m.Root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSurvey(t *testing.T) {
	m := machine(t, "0.13.2", v4l2test.Webcam(0), v4l2test.Written(7, 700), v4l2test.Free(10))
	addFiles(t, m, map[string]string{
		"proc/sys/kernel/osrelease":      "6.1.0-28-amd64\n",
		"proc/asound/cards":              " 0 [PCH            ]: HDA-Intel - HDA Intel PCH\n                      HDA at 0x1\n10 [alooptopeer    ]: Loopback - Loopback\n                      Loopback 1\n",
		"sys/module/v4l2loopback/refcnt": "2\n",
		"sys/module/snd_aloop/refcnt":    "1\n",
		"sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c": "\x06\x00\x00\x00\x01",
		"lib/modules/6.1.0-28-amd64/modules.dep":                                   "updates/dkms/v4l2loopback.ko: kernel/a.ko kernel/b.ko\nkernel/sound/drivers/snd-aloop.ko.xz:\n",
		"lib/modules/6.1.0-28-amd64/updates/dkms/v4l2loopback.ko":                  "a module that is long enough to hold no signature",
		"lib/modules/6.1.0-28-amd64/build/Makefile":                                "",
		"usr/src/v4l2loopback-0.13.2/v4l2loopback.c":                               "",
		"usr/bin/apt-get":                          "",
		"usr/bin/v4l2loopback-ctl":                 "\x7fELF",
		"dev/v4l2loopback":                         "",
		"var/lib/dpkg/info/v4l2loopback-dkms.list": "",
		"etc/modules-load.d/costream-obs.conf":     fileHead + "\n",
		"etc/modprobe.d/zz-costream-obs.conf":      fileHead + "\noptions v4l2loopback video_nr=10,11\n",
		"etc/modprobe.d/hidden.conf":               "blacklist floppy\n",
		"usr/lib/modprobe.d/hidden.conf":           "options v4l2loopback video_nr=1\n",
		"usr/lib/modprobe.d/98-v4l2loopback.conf":  "# of the distribution\noptions v4l2loopback video_nr=7 \\\n  exclusive_caps=1\noptions snd-aloop index=3\n",
	})
	got, err := m.Survey()
	if err != nil {
		t.Fatal(err)
	}
	got.Group, got.Members = "", nil // of whoever runs the test
	var paths []string
	for _, n := range got.Nodes {
		paths = append(paths, n.Path)
	}
	if diff := cmp.Diff([]string{"/dev/video0", "/dev/video7", "/dev/video10"}, paths); diff != "" {
		t.Errorf("nodes: -want +got:\n%s", diff)
	}
	got.Nodes = nil
	want := State{
		Kernel: "6.1.0-28-amd64", KernelDir: true, Source: true, Headers: true, Installer: "apt-get",
		Present: []string{"v4l2loopback-dkms"}, SecureBoot: true,
		Loopback: KernelModule{File: "/lib/modules/6.1.0-28-amd64/updates/dkms/v4l2loopback.ko", Loaded: true, Version: "0.13.2", Users: 2, Unsigned: true},
		CanAdd:   true,
		Holders:  map[string][]v4l2.Holder{"/dev/video7": {{PID: 700, Command: "writer"}}, "/dev/video10": nil},
		Aloop:    KernelModule{File: "/lib/modules/6.1.0-28-amd64/kernel/sound/drivers/snd-aloop.ko.xz", Loaded: true, Users: 1}, AloopCard: 10,
		Files: map[string]string{
			"/etc/modules-load.d/costream-obs.conf": fileHead + "\n",
			"/etc/modprobe.d/zz-costream-obs.conf":  fileHead + "\noptions v4l2loopback video_nr=10,11\n",
		},
		Others: []OptionsFile{{Path: "/usr/lib/modprobe.d/98-v4l2loopback.conf", Options: map[string]string{"video_nr": "7", "exclusive_caps": "1"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestCanAdd: both the module and the program have to be new enough.
func TestCanAdd(t *testing.T) {
	const device, program, own = "dev/v4l2loopback", "usr/bin/v4l2loopback-ctl", "usr/local/bin/v4l2loopback-ctl"
	for name, test := range map[string]struct {
		files map[string]string
		want  bool
	}{
		"both":                   {map[string]string{device: "", program: "\x7fELF"}, true},
		"a program of one's own": {map[string]string{device: "", own: "\x7fELF"}, true},
		"old program":            {map[string]string{device: "", program: "#!/bin/bash\n"}, false},
		"old module":             {map[string]string{program: "\x7fELF"}, false},
		"no program":             {map[string]string{device: ""}, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := machine(t, "")
			addFiles(t, m, test.files)
			s, err := m.Survey()
			if err != nil {
				t.Fatal(err)
			}
			if s.CanAdd != test.want {
				t.Errorf("got %t, want %t", s.CanAdd, test.want)
			}
		})
	}
}

// 0.12.7 does not tell its version, a signed module tells its signature.
func TestKernelModule(t *testing.T) {
	m := machine(t, "")
	addFiles(t, m, map[string]string{
		"proc/sys/kernel/osrelease":                  "6.8.0\n",
		"sys/module/v4l2loopback/refcnt":             "0\n",
		"lib/modules/6.8.0/modules.dep":              "extra/v4l2loopback.ko:\n",
		"lib/modules/6.8.0/extra/v4l2loopback.ko":    "code" + signatureMark,
		"lib/modules/6.9.0/modules.dep":              "extra/other.ko:\n",
		"sys/class/video4linux/video99/not-our-node": "",
	})
	want := KernelModule{File: "/lib/modules/6.8.0/extra/v4l2loopback.ko", Loaded: true}
	if diff := cmp.Diff(want, m.KernelModule("v4l2loopback")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(KernelModule{}, m.KernelModule("snd-aloop")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
