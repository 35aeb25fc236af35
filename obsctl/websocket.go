// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// loadedFile returns the path by which this process can open a file that another one has mapped, a plugin of OBS for
// example, and "" where that has none of this name or may not be looked at. prefix is the beginning of the file's name:
// libraries have a version behind it. procRoot replaces /proc when not empty.
func loadedFile(procRoot string, pid int, prefix string) string {
	dir := filepath.Join(orProc(procRoot), strconv.Itoa(pid))
	maps, err := os.ReadFile(filepath.Join(dir, "maps"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(maps)) {
		// Address, rights, offset, device and inode stand before the path, which may hold blanks.
		i := strings.IndexByte(line, '/')
		if i < 0 {
			continue
		}
		path := strings.TrimSpace(line[i:])
		if !strings.HasPrefix(filepath.Base(path), prefix) {
			continue
		}
		// In a sandbox the path is that of its own files, in a chroot it is one of ours.
		inside := filepath.Join(dir, "root", path)
		if _, err := os.Stat(inside); err != nil {
			if _, err := os.Stat(path); err == nil {
				return path
			}
		}
		return inside
	}
	return ""
}

// lacksWebSocket reports whether a running OBS has loaded its plugins, but not obs-websocket: it was built without, or
// started in safe mode. OBS loads its own plugins in the order of their names.
func lacksWebSocket(procRoot string, pid int) bool {
	return loadedFile(procRoot, pid, "rtmp-services.so") != "" && loadedFile(procRoot, pid, "obs-websocket.so") == ""
}

// WebSocketHint says, in a sentence of its own, how to get an OBS with obs-websocket on the distribution that the OBS with this process id comes
// from, or that of this machine when pid is 0. procRoot replaces /proc when not empty.
func WebSocketHint(procRoot string, pid int) string {
	process := "self"
	if pid != 0 {
		process = strconv.Itoa(pid)
	}
	text, _ := os.ReadFile(filepath.Join(orProc(procRoot), process, "root", "etc", "os-release"))
	release := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		release[key] = strings.Trim(value, `"'`)
	}
	for _, id := range append([]string{release["ID"]}, strings.Fields(release["ID_LIKE"])...) {
		if hint, known := webSocketPackages[id]; known {
			return hint
		}
	}
	return webSocketFlatpak
}

const (
	flatpakCommand   = "`flatpak install flathub com.obsproject.Studio`"
	webSocketFlatpak = "Install the Flatpak of OBS, which has it: " + flatpakCommand
)

// webSocketPackages are by the ID of os-release(5).
var webSocketPackages = map[string]string{
	// obsproject/obs-studio #7508, obs-websocket #1148, grigio/obs-cmd #63: not in extra/obs-studio 28.0.2 to 30.2.1.
	"arch": "Install obs-studio-with-websockets from the AUR (Arch's obs-studio lacked it up to 30.2 at least), or the Flatpak: " + flatpakCommand,
	// The package obs-studio holds obs-websocket.so (dpkg -S on 12 and 13).
	"debian": "Install Debian's OBS, which has it from Debian 12 on: `sudo apt install obs-studio`",
	// 22.04 has OBS 27.2.
	"ubuntu": "Install the OBS project's package for Ubuntu, which has it: `sudo add-apt-repository ppa:obsproject/obs-studio && sudo apt install obs-studio`",
	// obs-studio.spec: from 29.0.0 on; RPM Fusion's 28 was built without.
	"fedora": "Update Fedora's OBS, which has it from version 29 on: `sudo dnf upgrade obs-studio`",
	// media-video/obs-studio, metadata.xml.
	"gentoo": "Build OBS with it: `echo 'media-video/obs-studio websocket' | sudo tee -a /etc/portage/package.use/obs-studio && sudo emerge --oneshot media-video/obs-studio`",
}
