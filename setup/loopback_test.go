// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A fakeNode is a video node of a machine that exists only as files.
type fakeNode struct {
	number  int
	driver  string
	label   string
	flags   uint32
	err     error
	format  string
	holders []int
}

const (
	v4l2loopback = "v4l2 loopback"
	both         = capVideoCapture | capVideoOutput
)

func free(number int) fakeNode {
	return fakeNode{number: number, driver: v4l2loopback, label: fmt.Sprint("loop", number), flags: capVideoOutput}
}

func written(number int, holders ...int) fakeNode {
	return fakeNode{number: number, driver: v4l2loopback, label: fmt.Sprint("loop", number), flags: capVideoCapture,
		format: "YUYV:1280x720@30", holders: holders}
}

func webcam(number int) fakeNode {
	return fakeNode{number: number, driver: "uvcvideo", label: "Webcam", flags: capVideoCapture}
}

func denied(number int) fakeNode {
	return fakeNode{number: number, driver: v4l2loopback, label: "locked", err: &fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission}}
}

// machine builds the files. Version is that of the loaded v4l2loopback.
func machine(t *testing.T, version string, nodes ...fakeNode) Machine {
	t.Helper()
	root := t.TempDir()
	write := func(text string, parts ...string) {
		t.Helper()
		path := filepath.Join(append([]string{root}, parts...)...)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("", "dev", "null")
	write("", "dev", "videotape") // no node, whatever its name
	write("1\n", "proc", "uptime")
	if version != "" {
		write(version+"\n", "sys", "module", "v4l2loopback", "version")
	}
	byPath := make(map[string]fakeNode)
	for _, n := range nodes {
		name := fmt.Sprint("video", n.number)
		byPath[filepath.Join(root, "dev", name)] = n
		write("", "dev", name)
		write(n.label+"\n", "sys", "class", "video4linux", name, "name")
		if n.driver == v4l2loopback {
			write("10\n", "sys", "class", "video4linux", name, "max_openers")
			write(n.format+"\n", "sys", "class", "video4linux", name, "format")
		}
		for _, pid := range n.holders {
			write("writer\n", "proc", fmt.Sprint(pid), "comm")
			dir := filepath.Join(root, "proc", fmt.Sprint(pid), "fd")
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("/dev/"+name, filepath.Join(dir, fmt.Sprint(n.number))); err != nil {
				t.Fatal(err)
			}
		}
	}
	return Machine{Root: root, query: func(path string) (capability, error) {
		n := byPath[path]
		return capability{driver: n.driver, flags: n.flags}, n.err
	}}
}

func TestVideoNodes(t *testing.T) {
	m := machine(t, "0.12.7", free(10), webcam(2), written(11, 500), denied(12))
	got, err := m.VideoNodes()
	if err != nil {
		t.Fatal(err)
	}
	want := []VideoNode{
		{Path: "/dev/video2", Number: 2, Label: "Webcam", Capture: true},
		{Path: "/dev/video10", Number: 10, Label: "loop10", Loopback: true, MaxOpeners: 10, Output: true},
		{Path: "/dev/video11", Number: 11, Label: "loop11", Loopback: true, MaxOpeners: 10, Capture: true, Format: "YUYV:1280x720@30"},
		{Path: "/dev/video12", Number: 12, Label: "locked", Loopback: true, MaxOpeners: 10},
	}
	if diff := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Err" }, cmp.Ignore())); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	if got[3].Err == nil || got[2].Err != nil {
		t.Errorf("errors: got %v for video12 and %v for video11, want one and none", got[3].Err, got[2].Err)
	}
	if !got[2].Written() || got[1].Written() {
		t.Errorf("written: got video11 %t and video10 %t, want true and false", got[2].Written(), got[1].Written())
	}
}

func TestHolders(t *testing.T) {
	got, err := machine(t, "", written(10, 700, 500)).Holders("/dev/video10")
	if err != nil {
		t.Fatal(err)
	}
	want := []Holder{{500, "writer"}, {700, "writer"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("holders (-want +got):\n%s", diff)
	}
}

// The real machine: this process holds what it has opened.
func TestHoldersHere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "held")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	holders, err := Machine{}.Holders(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(holders) != 1 || holders[0].PID != os.Getpid() {
		t.Errorf("holders: got %v, want this process, %d", holders, os.Getpid())
	}
}

func TestCheckPair(t *testing.T) {
	const me, obs, stranger = 500, 600, 700
	for _, test := range []struct {
		name        string
		version     string
		nodes       []fakeNode
		needsOutput bool
		refused     bool
		want        error
		text        string // must be in the message
	}{
		{name: "both free", version: "0.12.7", nodes: []fakeNode{webcam(0), free(10), free(11)}},
		{name: "ours write", version: "0.12.7", nodes: []fakeNode{written(10, obs), written(11, me)}},
		{name: "not exclusive", version: "0.12.7", nodes: []fakeNode{
			{number: 10, driver: v4l2loopback, flags: both}, {number: 11, driver: v4l2loopback, flags: both}}},
		{name: "module not loaded", nodes: []fakeNode{webcam(0)}, want: ErrNoDevice,
			text: "make it with: costream-obs setup"},
		{name: "other numbers", version: "0.12.7", nodes: []fakeNode{free(0), free(1)}, want: ErrNoDevice, text: "loaded with other devices; close what uses them, then: costream-obs setup"},
		{name: "only one", version: "0.12.7", nodes: []fakeNode{free(10)}, want: ErrNoDevice, text: "/dev/video11"},
		{name: "other driver", nodes: []fakeNode{webcam(10), webcam(11)}, want: ErrNotLoopback, text: `/dev/video10 ("Webcam")`},
		{name: "no permission", version: "0.12.7", nodes: []fakeNode{denied(10), denied(11)}, want: ErrNoAccess, text: "usermod -aG video"},
		{name: "stranger writes to out", version: "0.12.7", nodes: []fakeNode{written(10, stranger), free(11)}, want: ErrWritten, text: "writer (process 700)"},
		{name: "stranger writes to in", version: "0.12.7", nodes: []fakeNode{free(10), written(11, stranger)}, want: ErrWritten, text: "/dev/video11"},
		{name: "another user's writer", version: "0.12.7", nodes: []fakeNode{free(10), written(11)}, want: ErrWritten, text: "another user"},
		{name: "lower loopback", version: "0.12.7", nodes: []fakeNode{free(3), free(10), free(11)}, want: ErrOtherFirst, text: `/dev/video3 ("loop3") comes before /dev/video10`},
		{name: "lower loopback by number, not by text", version: "0.12.7", nodes: []fakeNode{free(9), free(10), free(11)}, want: ErrOtherFirst},
		{name: "higher loopback", version: "0.12.7", nodes: []fakeNode{free(10), free(11), free(12)}},
		{name: "lower loopback in use, second writers let in", version: "0.12.7", nodes: []fakeNode{written(3, stranger), free(10), free(11)}, want: ErrOtherFirst},
		{name: "lower loopback in use, second writers refused", version: "0.15.3", nodes: []fakeNode{written(3, stranger), free(10), free(11)}},
		{name: "lower loopback in use, newer OBS", version: "0.12.7", needsOutput: true, nodes: []fakeNode{written(3, stranger), free(10), free(11)}},
		{name: "OBS before 31.0.4, newer module", version: "0.15.0", refused: true, nodes: []fakeNode{free(10), free(11)}, want: ErrRefused, text: "update OBS"},
		{name: "OBS before 31.0.4, older module", version: "0.13.2", refused: true, nodes: []fakeNode{free(10), free(11)}},
		{name: "lower loopback that nobody may open", version: "0.12.7", nodes: []fakeNode{denied(3), free(10), free(11)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := machine(t, test.version, test.nodes...).CheckPair(PairOptions{
				Out: "/dev/video10", In: "/dev/video11", NeedsOutput: test.needsOutput, Refused: test.refused, Ours: []int{me, obs}})
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("error: got %v, want %v", err, test.want)
			}
			if err != nil && !strings.Contains(err.Error(), test.text) {
				t.Errorf("message: got %q, want one with %q", err, test.text)
			}
		})
	}
}

func TestParseCapability(t *testing.T) {
	// By the layout of linux/videodev2.h.
	raw := make([]byte, capabilitySize)
	copy(raw, v4l2loopback)
	copy(raw[16:], "costream-topeer")
	copy(raw[48:], "platform:v4l2loopback-010")
	raw[84], raw[87] = 0x02, 0x80|0x05
	raw[88], raw[91] = 0x02, 0x05
	want := capability{driver: v4l2loopback, flags: 0x05000002}
	if diff := cmp.Diff(want, parseCapability(raw), cmp.AllowUnexported(capability{})); diff != "" {
		t.Errorf("capability (-want +got):\n%s", diff)
	}
	raw[87], raw[91] = 0x05, 0
	if diff := cmp.Diff(want, parseCapability(raw), cmp.AllowUnexported(capability{})); diff != "" {
		t.Errorf("capability of an old driver (-want +got):\n%s", diff)
	}
}

func TestQueryCapabilityOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "video0")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := queryCapability(path); err == nil {
		t.Error("a plain file passes as a video node")
	}
	if _, err := queryCapability(path + "9"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error: got %v, want %v", err, fs.ErrNotExist)
	}
}
