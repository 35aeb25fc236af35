// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"path/filepath"
	"time"

	"github.com/costream-obs/costream-obs/internal/obsscenes"
	"github.com/costream-obs/costream-obs/scenes"
)

// recall is what we wrote into OBS's store last. An OBS that is killed while it writes that file
// comes back with an empty one (seen on 29.0.2); then this takes its place.
type recall struct {
	scenes  scenes.Memory
	changes changes
}

// recalling is OBS as scenes sees it, with a memory that survives OBS.
type recalling struct {
	*obsscenes.OBS
	last *recall
}

// scenesOBS is OBS for changing its scenes, by the session alone.
func (s *session) scenesOBS() recalling {
	return recalling{OBS: obsscenes.NewWriter(s.obs, filepath.Dir(s.c.o.ControlSocket), lockWait), last: &s.c.recall}
}

// lockWait is how long the session waits for a command that changes OBS's scenes. It has more to do meanwhile, and tries
// again.
const lockWait = 500 * time.Millisecond

// Overview implements scenes.OBS.
func (r recalling) Overview(ctx context.Context) (scenes.Overview, error) {
	o, err := r.OBS.Overview(ctx)
	if err == nil {
		o.Memory = r.recalled(o.Memory)
	}
	return o, err
}

// LoadMemory returns what SaveMemory stored last.
func (r recalling) LoadMemory(ctx context.Context) (scenes.Memory, error) {
	m, err := r.OBS.LoadMemory(ctx)
	if err != nil {
		return m, err
	}
	return r.recalled(m), nil
}

// recalled is the memory for what OBS has of it.
func (r recalling) recalled(m scenes.Memory) scenes.Memory {
	if len(m.Collections) == 0 {
		return r.last.scenes
	}
	r.last.scenes = m // with what commands wrote
	return m
}

// SaveMemory implements scenes.OBS.
func (r recalling) SaveMemory(ctx context.Context, m scenes.Memory) error {
	r.last.scenes = m
	return r.OBS.SaveMemory(ctx, m)
}

var _ scenes.OBS = recalling{}
