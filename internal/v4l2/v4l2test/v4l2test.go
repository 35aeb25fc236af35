// SPDX-License-Identifier: Apache-2.0

// Package v4l2test makes video devices that exist only as files, for tests.
package v4l2test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/costream-obs/costream-obs/internal/v4l2"
)

// Node is a video node of a machine that exists only as files.
type Node struct {
	Number int
	v4l2.Capability
	Label   string
	Err     error // of opening it
	Format  string
	Holders []int // processes that have it open
}

// Free is a node of v4l2loopback that nothing writes to.
func Free(number int) Node {
	return Node{Number: number, Capability: v4l2.Capability{Loopback: true, Output: true}, Label: fmt.Sprint("loop", number)}
}

// Written is a node of v4l2loopback that something writes to.
func Written(number int, holders ...int) Node {
	return Node{Number: number, Capability: v4l2.Capability{Loopback: true, Capture: true}, Label: fmt.Sprint("loop", number),
		Format: "YUYV:1280x720@30", Holders: holders}
}

// Both is a node of v4l2loopback without exclusive_caps.
func Both(number int) Node {
	return Node{Number: number, Capability: v4l2.Capability{Loopback: true, Output: true, Capture: true}}
}

// Webcam is a node of another driver.
func Webcam(number int) Node {
	return Node{Number: number, Capability: v4l2.Capability{Capture: true}, Label: "Webcam"}
}

// Denied is a node of v4l2loopback that this user may not open.
func Denied(number int) Node {
	return Node{Number: number, Capability: v4l2.Capability{Loopback: true}, Label: "locked",
		Err: &fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission}}
}

// System builds the files of a machine with these nodes.
func System(t *testing.T, nodes ...Node) v4l2.System {
	t.Helper()
	root := t.TempDir()
	Write(t, "", root, "dev", "null")
	Write(t, "", root, "dev", "videotape") // no node, whatever its name
	Write(t, "1\n", root, "proc", "uptime")
	byPath := make(map[string]Node)
	for _, n := range nodes {
		name := fmt.Sprint("video", n.Number)
		byPath[filepath.Join(root, "dev", name)] = n
		Write(t, "", root, "dev", name)
		Write(t, n.Label+"\n", root, "sys", "class", "video4linux", name, "name")
		if n.Loopback {
			Write(t, "10\n", root, "sys", "class", "video4linux", name, "max_openers")
			Write(t, n.Format+"\n", root, "sys", "class", "video4linux", name, "format")
		}
		for _, pid := range n.Holders {
			Write(t, "writer\n", root, "proc", fmt.Sprint(pid), "comm")
			dir := filepath.Join(root, "proc", fmt.Sprint(pid), "fd")
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("/dev/"+name, filepath.Join(dir, fmt.Sprint(n.Number))); err != nil {
				t.Fatal(err)
			}
		}
	}
	return v4l2.System{Root: root, Query: func(path string) (v4l2.Capability, error) {
		n := byPath[path]
		return n.Capability, n.Err
	}}
}

// Write writes a file of such a machine, and the directories that it needs.
func Write(t *testing.T, text string, parts ...string) {
	t.Helper()
	path := filepath.Join(parts...)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
