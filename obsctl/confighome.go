// SPDX-License-Identifier: Apache-2.0

package obsctl

// ConfigHome is a directory that holds, or may hold, OBS's obs-studio directory.
type ConfigHome struct {
	Dir string
	// PID is the process id of the OBS that runs on it, 0 if none does.
	PID int
}

// ConfigHomes lists where OBS may keep its files, in the order of [Find]: those of a running OBS, then the usual ones,
// native, Flatpak and Snap, then those of an OBS that was started with directories of its own.
func ConfigHomes(o FindOptions) []ConfigHome {
	var homes []ConfigHome
	for _, p := range o.withDefaults().places() {
		home := ConfigHome{Dir: p.configHome}
		if p.process != nil {
			home.PID = p.process.PID
		}
		homes = append(homes, home)
	}
	return homes
}
