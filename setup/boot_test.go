// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBoot: the last value holds, in the order of the files' names; a file of /etc hides one of its name.
func TestBoot(t *testing.T) {
	m := machine(t, "")
	addFiles(t, m, map[string]string{
		"etc/modules-load.d/modules.conf":         "# v4l2loopback\n; v4l2loopback\nloop\n",
		"usr/lib/modules-load.d/video.conf":       "  v4l2loopback\n",
		"etc/modprobe.d/90-own.conf":              "options v4l2loopback video_nr=10,11 card_label=\"to peer, from peer\" \\\n exclusive_caps=1,1\n",
		"usr/lib/modprobe.d/98-v4l2loopback.conf": "options v4l2loopback exclusive_caps=1\noptions snd-aloop index=3\n#options v4l2loopback video_nr=1\n",
		"etc/modprobe.d/hidden.conf":              "blacklist floppy\n",
		"usr/lib/modprobe.d/hidden.conf":          "options v4l2loopback video_nr=7\n",
		"etc/initramfs-tools/modules":             "# v4l2loopback\nv4l2loopback video_nr=10,11\n",
	})
	want := Boot{
		LoadedBy:  "/usr/lib/modules-load.d/video.conf",
		Initramfs: "/etc/initramfs-tools/modules",
		Options: []OptionsFile{
			{Path: "/etc/modprobe.d/90-own.conf", Options: map[string]string{"video_nr": "10,11", "card_label": "to peer, from peer", "exclusive_caps": "1,1"}},
			{Path: "/usr/lib/modprobe.d/98-v4l2loopback.conf", Options: map[string]string{"exclusive_caps": "1"}},
		},
	}
	got := m.Boot()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for name, want := range map[string][2]string{
		"video_nr":       {"10,11", "/etc/modprobe.d/90-own.conf"},
		"exclusive_caps": {"1", "/usr/lib/modprobe.d/98-v4l2loopback.conf"},
		"max_buffers":    {"", ""},
	} {
		if value, path := got.Option(name); [2]string{value, path} != want {
			t.Errorf("%s: got %q of %q, want %q", name, value, path, want)
		}
	}
	if diff := cmp.Diff(Boot{}, machine(t, "").Boot()); diff != "" {
		t.Errorf("bare machine: -want +got:\n%s", diff)
	}
}
