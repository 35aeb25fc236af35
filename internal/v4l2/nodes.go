// SPDX-License-Identifier: Apache-2.0

// Package v4l2 knows the video devices of a Linux machine, v4l2loopback's above all: which there are, what they offer, who has
// them open, and how pictures are written to one.
//
// It loads no modules and makes no devices (that is package setup), and it knows nothing of OBS.
package v4l2

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// System is where devices and processes are looked for. The zero value is the machine that the program runs on.
type System struct {
	// Root is a directory that stands for "/": the parent of dev, sys and proc. Empty: the real root.
	Root string
	// Query asks the driver of a node, and is there for tests; nil: the real driver.
	Query func(path string) (Capability, error)
}

func (s System) path(parts ...string) string {
	return filepath.Join(append([]string{"/", s.Root}, parts...)...)
}

// Node is a video device node.
type Node struct {
	Path   string // "/dev/video10"
	Number int
	Label  string // the card label
	// Loopback: the node belongs to the v4l2loopback module.
	Loopback bool
	// Output and Capture are the directions that the node offers now. A
	// loopback node with exclusive_caps=1 offers output until something
	// writes to it and capture from then on (measured, 0.12.7).
	Output, Capture bool
	// Format is what a loopback node carries, for example
	// "YUYV:1920x1080@30"; empty while nobody has set it.
	Format string
	// MaxOpeners is how many times a loopback node can be open at a time; 0 where
	// the module does not say.
	MaxOpeners int
	// Err says why the node could not be opened; the directions are unknown
	// then.
	Err error
}

// Written tells whether something writes to a loopback node, as far as the
// driver shows it: with exclusive_caps=0 it does not, and the answer is false.
func (n Node) Written() bool { return n.Loopback && n.Err == nil && n.Capture && !n.Output }

var nodeName = regexp.MustCompile(`^video(\d+)$`)

// Nodes lists the video nodes in the order of their numbers, in which OBS looks at them.
func (s System) Nodes() ([]Node, error) {
	entries, err := os.ReadDir(s.path("dev"))
	if err != nil {
		return nil, fmt.Errorf("look for video devices: %w", err)
	}
	var nodes []Node
	for _, e := range entries {
		match := nodeName.FindStringSubmatch(e.Name())
		if match == nil {
			continue
		}
		number, err := strconv.Atoi(match[1])
		if err != nil {
			continue
		}
		nodes = append(nodes, s.node(e.Name(), number))
	}
	slices.SortFunc(nodes, func(a, b Node) int { return a.Number - b.Number })
	return nodes, nil
}

func (s System) node(name string, number int) Node {
	n := Node{
		Path: "/dev/" + name, Number: number,
		Label:  s.attribute(name, "name"),
		Format: s.attribute(name, "format"),
	}
	n.MaxOpeners, _ = strconv.Atoi(s.attribute(name, "max_openers"))
	query := s.Query
	if query == nil {
		query = queryCapability
	}
	c, err := query(s.path("dev", name))
	if err != nil {
		// Only v4l2loopback has this attribute, which says so even where the
		// node itself may not be opened.
		n.Loopback = n.MaxOpeners > 0
		n.Err = err
		return n
	}
	n.Loopback, n.Output, n.Capture = c.Loopback, c.Output, c.Capture
	return n
}

// attribute is a file of the node's directory in sysfs, or "".
func (s System) attribute(name, attribute string) string {
	text, err := os.ReadFile(s.path("sys", "class", "video4linux", name, attribute))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
