// SPDX-License-Identifier: Apache-2.0

// Package setup knows what the devices route needs of a machine: two devices of v4l2loopback, loaded now and at each start.
// It tells what is wrong with them.
//
// What root has to do is a Plan: made from a State, which is all that is known of the machine, and the user's Options by
// functions that touch nothing, then shown, and carried out by Apply.
//
// It moves no sound and no pictures (that is package media), and it knows nothing about OBS but which device OBS's virtual
// camera would choose.
package setup

import (
	"path/filepath"

	"github.com/costream-obs/costream-obs/internal/v4l2"
)

// Machine is where files, devices and processes are looked for. The zero value is the machine that the program runs on.
type Machine struct {
	// Root is a directory that stands for "/". Empty: the real root.
	Root string

	query func(path string) (v4l2.Capability, error) // as in v4l2.System
}

func (m Machine) video() v4l2.System { return v4l2.System{Root: m.Root, Query: m.query} }

func (m Machine) path(parts ...string) string {
	return filepath.Join(append([]string{"/", m.Root}, parts...)...)
}
