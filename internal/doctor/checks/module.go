// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/doctor"
)

// whyModule is why the module matters, depending on the route.
func (m *Machine) whyModule() string {
	if m.Route == control.RouteDevices {
		return "The devices route was chosen, and its two video devices are made by this module."
	}
	return "Without its video devices costream-obs takes the portable route: it works, but costs OBS more CPU time."
}

// loaded is the version of the loaded module. Before 0.13 the module does not report it (measured, 0.12.7). Then it is the
// version of the installed sources if there is only one, or else 0.12.
func (m *Machine) loaded() (version string, is bool) {
	dir := m.path("sys", "module", "v4l2loopback")
	if _, err := os.Stat(dir); err != nil {
		return "", false
	}
	text, err := os.ReadFile(filepath.Join(dir, "version"))
	if err == nil {
		return strings.TrimSpace(string(text)), true
	}
	sources, _ := filepath.Glob(m.path("usr", "src", "v4l2loopback-*"))
	if len(sources) == 1 {
		return strings.TrimPrefix(filepath.Base(sources[0]), "v4l2loopback-"), true
	}
	return "0.12", true
}

// hasModule reports whether modprobe finds v4l2loopback for a kernel.
func (m *Machine) hasModule(kernel string) bool {
	f, err := os.Open(m.path("lib", "modules", kernel, "modules.dep"))
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20) // A line lists all that a module depends on.
	for lines.Scan() {
		file, _, _ := strings.Cut(lines.Text(), ":")
		if strings.HasPrefix(filepath.Base(file), "v4l2loopback.ko") {
			return true
		}
	}
	return false
}

// moduleFile is v4l2.module.file.
func (m *Machine) moduleFile(context.Context) doctor.Result {
	if m.Route == control.RoutePortable {
		return doctor.Skipped(portableChosen)
	}
	if _, is := m.loaded(); is || m.hasModule(m.Kernel) {
		return doctor.Fine("kernel %s", m.Kernel)
	}
	missing := func(detail, next string, args ...any) doctor.Result {
		return doctor.Result{Status: doctor.Fail, Detail: detail, Why: m.whyModule(), Next: fmt.Sprintf(next, args...)}
	}
	if _, err := os.Stat(m.path("lib", "modules", m.Kernel)); err != nil {
		return missing(fmt.Sprintf("This system has no modules for the kernel that runs (%s): it is a container, or the kernel was updated and the machine not restarted.", m.Kernel),
			"Restart the machine. In a container, load the module on its host (`sudo modprobe v4l2loopback video_nr=%s exclusive_caps=1,1`) and pass both devices on, or use `costream-obs run --route=portable`.", m.numbers())
	}
	var others []string
	entries, _ := os.ReadDir(m.path("lib", "modules"))
	for _, e := range entries {
		if e.Name() != m.Kernel && m.hasModule(e.Name()) {
			others = append(others, e.Name())
		}
	}
	sources, _ := filepath.Glob(m.path("usr", "src", "v4l2loopback-*"))
	_, headers := os.Stat(m.path("lib", "modules", m.Kernel, "build"))
	switch {
	case len(others) == 0 && len(sources) == 0:
		return missing("v4l2loopback is not installed.", "Let `costream-obs setup` install and load it.")
	case headers != nil:
		return missing(fmt.Sprintf("v4l2loopback is not built for kernel %s%s: its headers are missing.", m.Kernel, builtFor(others)),
			"Install them, which builds the module too: `sudo apt install linux-headers-%s`, then `costream-obs setup`.", m.Kernel)
	}
	return missing(fmt.Sprintf("v4l2loopback is not built for kernel %s%s.", m.Kernel, builtFor(others)),
		"Build it: `sudo dkms autoinstall -k %s`; if that fails, its log is below /var/lib/dkms/v4l2loopback. Then `costream-obs setup`.", m.Kernel)
}

func builtFor(others []string) string {
	if len(others) == 0 {
		return ""
	}
	return ", only for " + strings.Join(others, ", ")
}

// numbers are the numbers of both devices, in the form for modprobe.
func (m *Machine) numbers() string {
	return strings.TrimPrefix(m.VideoOut, "/dev/video") + "," + strings.TrimPrefix(m.VideoIn, "/dev/video")
}

// secureBoot is the firmware's variable: four bytes of attributes, then 1 if Secure Boot is on.
const secureBoot = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

// moduleSigned is v4l2.module.sign.
func (m *Machine) moduleSigned(ctx context.Context) doctor.Result {
	if _, is := m.loaded(); is {
		return doctor.Fine("it is loaded")
	}
	state, err := os.ReadFile(m.path(secureBoot))
	if err != nil || len(state) < 5 || state[4] != 1 {
		return doctor.Fine("Secure Boot is off")
	}
	const why = "With Secure Boot on, the kernel loads only modules that are signed with a key it was given; it refuses this one (\"Key was rejected by service\")."
	signer, err := m.Exec(ctx, "modinfo", "-k", m.Kernel, "-F", "signer", "v4l2loopback")
	if err != nil {
		return doctor.Skipped("modinfo does not say whether the module is signed (%v)", err)
	}
	if strings.TrimSpace(signer) == "" {
		return doctor.Result{Status: doctor.Fail, Detail: "Secure Boot is on and the module is not signed.", Why: why,
			Next: "Let the system make and enrol a key (`sudo update-secureboot-policy --enroll-key` on Ubuntu; `sudo mokutil --import /var/lib/dkms/mok.pub` on Debian), rebuild the module with `sudo dkms install --force v4l2loopback/$(ls /usr/src | sed -n s/v4l2loopback-//p)`, restart, and choose \"Enroll MOK\" in the blue screen."}
	}
	for _, key := range []string{"/var/lib/shim-signed/mok/MOK.der", "/var/lib/dkms/mok.pub"} {
		if _, err := os.Stat(m.path(key)); err != nil {
			continue
		}
		said, err := m.Exec(ctx, "mokutil", "--test-key", key)
		switch {
		case errors.Is(err, exec.ErrNotFound):
			return doctor.Skipped("mokutil is not installed, so it is not known whether the module's key is enrolled")
		case strings.Contains(said, "is already enrolled"):
			return doctor.Fine("signed by %s, whose key is enrolled", strings.TrimSpace(signer))
		case strings.Contains(said, "is not enrolled"):
			return doctor.Result{Status: doctor.Fail, Detail: "Secure Boot is on and the key that the module is signed with is not enrolled.", Why: why,
				Next: "Enrol it: `sudo mokutil --import " + key + "` (it asks for a password of your choice), restart, and choose \"Enroll MOK\" in the blue screen with that password."}
		}
	}
	return doctor.Fine("signed by %s", strings.TrimSpace(signer))
}

// moduleLoaded is v4l2.module.loaded.
func (m *Machine) moduleLoaded(context.Context) doctor.Result {
	version, is := m.loaded()
	if is {
		return doctor.Fine("version %s", version)
	}
	return doctor.Result{
		Status: doctor.Fail,
		Detail: "v4l2loopback is installed but not loaded.",
		Why:    m.whyModule() + " OBS looks for it once, when it starts.",
		Next: fmt.Sprintf("Load it, now and at each start: `costream-obs setup` (or just now: `sudo modprobe v4l2loopback video_nr=%s card_label=costream-topeer,costream-frompeer exclusive_caps=1,1`), then restart OBS.",
			m.numbers()),
	}
}
