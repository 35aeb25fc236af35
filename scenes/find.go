// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// MarkKey is a setting with which we mark the peer source. OBS keeps settings that it does not know, so we find the input
// under any name, and copies of it, too.
const MarkKey = "costream_obs"

const (
	markMade    = "peer"    // we made the input
	markAdopted = "adopted" // the user made it, and gets its settings back
)

// The kinds of input by which OBS reads the peer's picture.
const (
	KindDevice = "v4l2_input"    // from a video device
	KindSocket = "ffmpeg_source" // from a socket
)

// peerKinds are the kinds of input that either route makes or takes over.
var peerKinds = [...]string{KindDevice, KindSocket}

// FromDevice is a source that reads the peer's picture from a video device.
func FromDevice(name, device string) Source {
	return Source{Name: name, Kind: KindDevice, Settings: map[string]any{"device_id": device, "buffering": false}}
}

// FromSocket is a source that reads the peer's picture from a socket. The settings say which; without them it reads nothing
// yet.
func FromSocket(name string, settings map[string]any) Source {
	if settings == nil {
		settings = map[string]any{"is_local_file": false}
	}
	return Source{Name: name, Kind: KindSocket, Settings: settings}
}

// mayBePeer reports whether we need the settings of an input to know if it is the peer source.
func mayBePeer(kind, wanted string) bool {
	return kind == wanted || slices.Contains(peerKinds[:], kind)
}

// findPeers returns the inputs that are the peer source: those with our mark or that read our device. The first is the one
// to make items of. There are several if the user pasted a duplicate. The name does not matter, because users name other
// inputs "Peer", too.
func findPeers(s Snapshot, src Source, c *CollectionMemory) []Input {
	var found []Input
	for _, in := range s.Inputs {
		if !mayBePeer(in.Kind, src.Kind) || src.Kind != "" && in.Kind != src.Kind {
			continue
		}
		if in.Settings[MarkKey] != nil || src.readBy(in) {
			found = append(found, in)
		}
	}
	rank := func(in Input) int {
		switch in.Name {
		case c.Input:
			return 0
		case src.Name:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(found, func(a, b Input) int { return rank(a) - rank(b) })
	return found
}

// deviceKeys are the settings that say what an input reads: a video device, or the socket of a Media Source.
var deviceKeys = [...]string{"device_id", "input"}

// readBy reports whether an input reads what the peer source reads.
func (src Source) readBy(in Input) bool {
	for _, key := range deviceKeys {
		if device, _ := src.Settings[key].(string); device != "" && in.Settings[key] == device {
			return true
		}
	}
	return false
}

// findStale returns the names of inputs with our mark that are not of the wanted kind: those of another route.
func findStale(s Snapshot, src Source) map[string]bool {
	stale := map[string]bool{}
	for _, in := range s.Inputs {
		if src.Kind != "" && in.Kind != src.Kind && in.Settings[MarkKey] != nil {
			stale[in.Name] = true
		}
	}
	return stale
}

// freeName returns the name if it is free, else the name with the first number that is. Inputs, scenes and groups share
// their names in OBS.
func freeName(name string, s Snapshot, except map[string]bool) string {
	taken := map[string]bool{}
	for _, in := range s.Inputs {
		taken[in.Name] = true
	}
	for _, sc := range s.Scenes {
		taken[sc.Name] = true
	}
	free := name
	for n := 2; taken[free] && !except[free]; n++ {
		free = fmt.Sprintf("%s %d", name, n)
	}
	return free
}

// missingSettings returns the wanted settings that an input does not have yet.
func missingSettings(has, want map[string]any) map[string]any {
	missing := map[string]any{}
	for k, v := range want {
		if old, ok := has[k]; !ok || !sameJSON(old, v) {
			missing[k] = v
		}
	}
	return missing
}

// sameJSON compares two values as OBS would store them, so that 1 and 1.0 are the same.
func sameJSON(a, b any) bool {
	plain := func(v any) (out any) {
		text, err := json.Marshal(v)
		if err != nil || json.Unmarshal(text, &out) != nil {
			return v
		}
		return out
	}
	return reflect.DeepEqual(plain(a), plain(b))
}

// marked returns the settings with our mark.
func marked(settings map[string]any, mark string) map[string]any {
	out := maps.Clone(settings)
	if out == nil {
		out = map[string]any{}
	}
	out[MarkKey] = mark
	return out
}
