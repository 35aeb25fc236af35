// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// markKey is a setting of ours in the peer source. OBS keeps settings that it does not know, so
// the input is found again whatever the user calls it, and copies of it are found too.
const markKey = "costream_obs"

const (
	markMade    = "peer"    // we made the input
	markAdopted = "adopted" // the user made it, and gets its settings back
)

// peerKinds are the kinds of input that either route makes or takes over.
var peerKinds = [...]string{"v4l2_input", "ffmpeg_source"}

// mayBePeer says whether the settings of an input have to be known to tell if it is the peer source.
func mayBePeer(kind, wanted string) bool {
	return kind == wanted || slices.Contains(peerKinds[:], kind)
}

// findPeers returns the inputs that are the peer source, the one to make items of first. There are
// several when the user pasted a duplicate. Without a mark or the wanted device, the remembered
// name tells, and at last the name that was asked for.
func findPeers(s Snapshot, src Source, c *CollectionMemory) []Input {
	var found []Input
	var byMemory, byName *Input
	for i, in := range s.Inputs {
		if !mayBePeer(in.Kind, src.Kind) || src.Kind != "" && in.Kind != src.Kind {
			continue
		}
		device, _ := src.Settings["device_id"].(string)
		switch {
		case in.Settings[markKey] != nil, device != "" && in.Settings["device_id"] == device:
			found = append(found, in)
		case in.Name == c.Input:
			byMemory = &s.Inputs[i]
		case in.Name == src.Name:
			byName = &s.Inputs[i]
		}
	}
	switch {
	case len(found) > 0:
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
	case byMemory != nil:
		return []Input{*byMemory}
	case byName != nil:
		return []Input{*byName}
	}
	return nil
}

// findStale returns the names of inputs with our mark that are not of the wanted kind: left
// over from another route.
func findStale(s Snapshot, src Source) map[string]bool {
	stale := map[string]bool{}
	for _, in := range s.Inputs {
		if src.Kind != "" && in.Kind != src.Kind && in.Settings[markKey] != nil {
			stale[in.Name] = true
		}
	}
	return stale
}

// freeName returns the name itself if nothing has it, else the name with the first number
// that is free. Inputs, scenes and groups share their names in OBS.
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

// missingSettings returns those of the wanted settings that an input does not have yet.
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
	out[markKey] = mark
	return out
}
