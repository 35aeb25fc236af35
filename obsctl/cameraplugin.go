// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"bytes"
	"os"
	"path/filepath"
)

// cameraPlugin is the plugin of OBS that has the virtual camera.
const cameraPlugin = "linux-v4l2.so"

// cameraReset is a log message of the virtual camera that every version with the change of 12c6febae has, and no other.
const cameraReset = "Attempting to reset output capability"

// resetsCamera reports whether a file of the plugin has that change. Distributions add it to older versions: Debian's
// 30.2.3+dfsg-3 has it (measured).
func resetsCamera(plugin string) bool {
	data, err := os.ReadFile(plugin)
	return err == nil && bytes.Contains(data, []byte(cameraReset))
}

// Installed returns what is known of an OBS of that version that is not running. It looks for the plugins where
// distributions put them, below root or "/".
func Installed(root string, version Semver) Version {
	v := Version{OBS: version}
	for _, dir := range []string{"usr/lib/*/obs-plugins", "usr/lib64/obs-plugins", "usr/lib/obs-plugins"} {
		files, _ := filepath.Glob(filepath.Join("/", root, dir, cameraPlugin))
		for _, file := range files {
			v.CameraPatched = v.CameraPatched || resetsCamera(file)
		}
	}
	return v
}
