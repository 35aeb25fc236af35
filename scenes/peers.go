// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"context"
	"maps"
	"slices"
)

// Peers returns the names of all inputs that show the peer: the peer source, copies of it, and inputs of another route.
func Peers(ctx context.Context, obs OBS, src Source) ([]string, error) {
	o, err := obs.Overview(ctx)
	if err != nil {
		return nil, err
	}
	memory := o.Memory.clone()
	r := reader{Overview: o, src: src, c: memory.collection(o.Collection)}
	if q := (Questions{Settings: candidates(o.Inputs, src.Kind)}); !q.none() {
		if err := r.ask(ctx, obs, q); err != nil {
			return nil, err
		}
	}
	return r.sources, nil
}

// peerNames are the names of the inputs that are the peer source, and of those of another route.
func peerNames(s Snapshot, src Source, c *CollectionMemory) []string {
	names := findStale(s, src)
	for _, in := range findPeers(s, src, c) {
		names[in.Name] = true
	}
	return slices.Sorted(maps.Keys(names))
}
