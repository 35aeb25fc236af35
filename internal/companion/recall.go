// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/obsscenes"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// recall is what we last wrote into OBS's store. If OBS is killed while it writes that file, it comes back with an empty
// store (seen on 29.0.2), and this replaces it.
type recall struct {
	changes changes // for the keeper's goroutine

	mu     sync.Mutex // commands work on the scenes, too
	scenes scenes.Memory
}

// memory is what we wrote of the scenes.
func (r *recall) memory() scenes.Memory {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.scenes
}

func (r *recall) remember(m scenes.Memory) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.scenes = m
}

// recalling is OBS as scenes sees it, with a memory that survives OBS.
type recalling struct {
	*obsscenes.OBS
	last *recall
}

func (s *session) scenesOBS() recalling { return s.c.scenesOBS(s.obs, lockWait) }

func (c *Companion) scenesOBS(obs *obsctl.Client, wait time.Duration) recalling {
	return recalling{OBS: obsscenes.NewWriter(obs, filepath.Dir(c.o.ControlSocket), wait), last: &c.recall}
}

const (
	// lockWait is how long the session waits for a command that changes OBS's scenes. It has more to do meanwhile, and
	// tries again.
	lockWait = 500 * time.Millisecond
	// commandWait is how long a command waits for the session.
	commandWait = 5 * time.Second
)

// carryPeer carries out an order of `costream-obs peer`, on the session's connection to OBS. The error is
// control.ErrOtherOBS if we are not connected to that OBS.
func (c *Companion) carryPeer(ctx context.Context, order control.PeerOrder) (control.PeerAnswer, error) {
	if own, err := c.carryOwn(order.Do); own {
		return control.PeerAnswer{WaitsForOBS: order.Do == control.PeerStart && err == nil && c.obs.Load() == nil}, err
	}
	switch order.Do {
	case control.PeerAway, control.PeerBack:
		c.breaks.order(order.Do == control.PeerAway)
		return control.PeerAnswer{Break: c.breaks.why()}, nil
	}
	obs := c.obs.Load()
	if obs == nil || obs.Err() != nil || !obs.Endpoint().Listens(order.OBS) {
		return control.PeerAnswer{}, control.ErrOtherOBS
	}
	if order.Do == control.PeerAdd {
		order.Source = c.newPeerSource(order.Source.Name, obs)
	}
	on := c.scenesOBS(obs, commandWait)
	if order.AboutEyes() {
		on.AssumeCollection()
	}
	answer, err := order.Carry(ctx, on)
	if order.Do == control.PeerStatus {
		answer.Tally = c.tally.current()
	}
	return answer, err
}

// newPeerSource is the input that an OBS gets for the peer's picture.
func (c *Companion) newPeerSource(name string, obs *obsctl.Client) scenes.Source {
	if source, there := c.display.source(name); there {
		return source
	}
	route, _ := c.chooseRoute(obs.Endpoint().PID, obs.Version())
	return route.source(name)
}

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
		return r.last.memory()
	}
	r.last.remember(m) // with what commands wrote
	return m
}

// SaveMemory implements scenes.OBS.
func (r recalling) SaveMemory(ctx context.Context, m scenes.Memory) error {
	r.last.remember(m)
	return r.OBS.SaveMemory(ctx, m)
}

// Do implements scenes.OBS.
func (r recalling) Do(ctx context.Context, tasks []scenes.Task) []scenes.Done {
	for _, t := range tasks {
		if t.Save != nil {
			r.last.remember(*t.Save)
		}
	}
	return r.OBS.Do(ctx, tasks)
}

var _ scenes.OBS = recalling{}
