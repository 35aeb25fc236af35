// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Machine is what the figures were taken on.
type Machine struct {
	Cores  int     `json:"cores"`
	CPU    string  `json:"cpu"`
	GPU    bool    `json:"gpu"`
	Kernel string  `json:"kernel"`
	Load   float64 `json:"load"` // average of the minute before; above some tenths something else was running
}

func thisMachine() Machine {
	m := Machine{Cores: runtime.NumCPU(), CPU: "unknown CPU"}
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	_, err := os.Stat("/dev/dri")
	m.GPU = err == nil
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	load, _ := os.ReadFile("/proc/loadavg")
	_, _ = fmt.Sscan(string(load), &m.Load)
	return m
}

func (m Machine) String() string {
	gpu := "no GPU"
	if m.GPU {
		gpu = "with a GPU, which nothing here uses"
	}
	return fmt.Sprintf("%d cores (%s), %s, load %.1f before", m.Cores, m.CPU, gpu, m.Load)
}
