// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Machine is where devices and processes are looked for. The zero value is
// the machine that the program runs on.
type Machine struct {
	// Root is a directory that stands for "/": the parent of dev, sys and
	// proc. Empty: the real root.
	Root string

	// query replaces the question to the driver in tests.
	query func(path string) (capability, error)
}

func (m Machine) path(parts ...string) string {
	return filepath.Join(append([]string{"/", m.Root}, parts...)...)
}

// VideoNode is a video device node.
type VideoNode struct {
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
func (n VideoNode) Written() bool { return n.Loopback && n.Err == nil && n.Capture && !n.Output }

var videoName = regexp.MustCompile(`^video(\d+)$`)

// VideoNodes lists the video nodes in the order in which OBS looks at them,
// that of their numbers.
func (m Machine) VideoNodes() ([]VideoNode, error) {
	entries, err := os.ReadDir(m.path("dev"))
	if err != nil {
		return nil, fmt.Errorf("look for video devices: %w", err)
	}
	var nodes []VideoNode
	for _, e := range entries {
		match := videoName.FindStringSubmatch(e.Name())
		if match == nil {
			continue
		}
		number, err := strconv.Atoi(match[1])
		if err != nil {
			continue
		}
		nodes = append(nodes, m.videoNode(e.Name(), number))
	}
	slices.SortFunc(nodes, func(a, b VideoNode) int { return a.Number - b.Number })
	return nodes, nil
}

func (m Machine) videoNode(name string, number int) VideoNode {
	n := VideoNode{
		Path: "/dev/" + name, Number: number,
		Label:  m.attribute(name, "name"),
		Format: m.attribute(name, "format"),
	}
	n.MaxOpeners, _ = strconv.Atoi(m.attribute(name, "max_openers"))
	query := m.query
	if query == nil {
		query = queryCapability
	}
	c, err := query(m.path("dev", name))
	if err != nil {
		// Only v4l2loopback has this attribute, which says so even where the
		// node itself may not be opened.
		n.Loopback = n.MaxOpeners > 0
		n.Err = err
		return n
	}
	n.Loopback = c.driver == "v4l2 loopback"
	n.Output = c.flags&capVideoOutput != 0
	n.Capture = c.flags&capVideoCapture != 0
	return n
}

// attribute is a file of the node's directory in sysfs, or "".
func (m Machine) attribute(name, attribute string) string {
	text, err := os.ReadFile(m.path("sys", "class", "video4linux", name, attribute))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
