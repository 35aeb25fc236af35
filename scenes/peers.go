// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"context"
	"maps"
	"slices"
)

// Peers returns the names of all inputs that show the peer: the peer source, copies of it, and what is left over from
// another route. It makes a request for each input that may be one, and three more.
func Peers(ctx context.Context, obs OBS, src Source) ([]string, error) {
	m, err := obs.LoadMemory(ctx)
	if err != nil {
		return nil, err
	}
	var s Snapshot
	if s.Collection, err = obs.Collection(ctx); err != nil {
		return nil, err
	}
	if s.Inputs, err = obs.Inputs(ctx); err != nil {
		return nil, err
	}
	for i := range s.Inputs {
		if in := &s.Inputs[i]; mayBePeer(in.Kind, src.Kind) {
			if in.Settings, err = obs.InputSettings(ctx, in.Name); err != nil {
				return nil, err
			}
		}
	}
	m = m.clone()
	names := findStale(s, src)
	for _, in := range findPeers(s, src, m.collection(s.Collection)) {
		names[in.Name] = true
	}
	return slices.Sorted(maps.Keys(names)), nil
}
