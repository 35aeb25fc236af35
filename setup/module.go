// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// KernelModule is the state of a kernel module.
type KernelModule struct {
	// File is its file for the running kernel; empty if it is not installed.
	File   string
	Loaded bool
	// Version is the version of the loaded module, or empty if it does not report one, as v4l2loopback 0.12 (measured,
	// 0.12.7).
	Version string
	// Users is how often it is in use, by whomever.
	Users int
	// Unsigned: the file has no signature. It is false if that cannot be seen, for example in a compressed file.
	Unsigned bool
}

// Kernel is the release of the running kernel, as uname -r prints it.
func (m Machine) Kernel() string { return m.text("proc", "sys", "kernel", "osrelease") }

// KernelModule looks for a kernel module by its name.
func (m Machine) KernelModule(name string) KernelModule {
	dir := []string{"sys", "module", strings.ReplaceAll(name, "-", "_")}
	mod := KernelModule{File: m.moduleFile(name)}
	if _, err := os.Stat(m.path(dir...)); err == nil {
		mod.Loaded = true
		mod.Version = m.text(append(dir, "version")...)
		mod.Users, _ = strconv.Atoi(m.text(append(dir, "refcnt")...))
	}
	mod.Unsigned = strings.HasSuffix(mod.File, ".ko") && !m.signed(mod.File)
	return mod
}

// moduleFile is the file that modprobe would load, from depmod's list.
func (m Machine) moduleFile(name string) string {
	dir := filepath.Join("lib", "modules", m.Kernel())
	for line := range strings.Lines(m.text(dir, "modules.dep")) {
		file, _, _ := strings.Cut(line, ":")
		base, _, _ := strings.Cut(filepath.Base(file), ".ko")
		if strings.ReplaceAll(base, "_", "-") == strings.ReplaceAll(name, "_", "-") {
			return filepath.Join("/", dir, file)
		}
	}
	return ""
}

// signatureMark is the end of a signed module's file (scripts/sign-file.c).
const signatureMark = "~Module signature appended~\n"

func (m Machine) signed(file string) bool {
	f, err := os.Open(m.path(file))
	if err != nil {
		return true
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(-int64(len(signatureMark)), io.SeekEnd); err != nil {
		return true
	}
	end, err := io.ReadAll(f)
	return err != nil || bytes.Equal(end, []byte(signatureMark))
}

// SecureBoot reports whether the firmware accepts only signed modules. Its variable is four bytes of attributes and a 1.
func (m Machine) SecureBoot() bool {
	state, err := os.ReadFile(m.path("sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"))
	return err == nil && len(state) > 4 && state[4] == 1
}

// text is a file's content without surrounding blanks, or "".
func (m Machine) text(parts ...string) string {
	data, err := os.ReadFile(m.path(parts...))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
