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

// KernelModule is what the machine says of a kernel module.
type KernelModule struct {
	// File is where the running kernel has it; empty when it is not installed.
	File   string
	Loaded bool
	// Version is that of the loaded module, and empty when it does not tell,
	// as v4l2loopback 0.12 (measured, 0.12.7).
	Version string
	// Users is how often it is in use, by whomever.
	Users int
	// Unsigned: the file carries no signature. It is false where that cannot
	// be seen, as in a compressed file.
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

// signatureMark ends the file of a signed module (scripts/sign-file.c).
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

// SecureBoot tells whether the firmware lets only signed modules in. Its
// variable is four bytes of attributes and a 1.
func (m Machine) SecureBoot() bool {
	state, err := os.ReadFile(m.path("sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"))
	return err == nil && len(state) > 4 && state[4] == 1
}

// text is a file's content without the blanks around it, or "".
func (m Machine) text(parts ...string) string {
	data, err := os.ReadFile(m.path(parts...))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
