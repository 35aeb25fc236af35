// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"context"
	"maps"
	"slices"
)

// Peers returns the names of all inputs that show the peer: the peer source, copies of it, and what is left over from
// another route.
func Peers(ctx context.Context, obs OBS, src Source) ([]string, error) {
	o, err := obs.Overview(ctx)
	if err != nil {
		return nil, err
	}
	s := Snapshot{Collection: o.Collection}
	if s.Inputs, err = withSettings(ctx, obs, o.Inputs, src.Kind); err != nil {
		return nil, err
	}
	m := o.Memory.clone()
	names := findStale(s, src)
	for _, in := range findPeers(s, src, m.collection(s.Collection)) {
		names[in.Name] = true
	}
	return slices.Sorted(maps.Keys(names)), nil
}
