// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/obsscenes"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// sentScene is the scene that the peer is sent on the portable route.
func (s *session) sentScene() string {
	if s.c.o.CleanFeed {
		return cleanfeed.Scene
	}
	return *s.c.program.Load()
}

// peerInputs tells the names of all inputs that show the peer.
func (s *session) peerInputs(ctx context.Context) ([]string, error) {
	source, ok := s.c.display.source(s.c.o.SourceName)
	if !ok {
		source = scenes.Source{Name: s.c.o.SourceName}
	}
	return scenes.Peers(ctx, obsscenes.New(s.obs), source)
}

// prepareFeed makes the scene for the peer before anything of it is sent; on air followFeed looks after it.
func (s *session) prepareFeed(ctx context.Context) error {
	if !s.c.o.CleanFeed || s.air != nil {
		return nil
	}
	return s.c.feed.Sync(ctx, s.obs)
}

// followFeed keeps the scene for the peer in step with the programme. It has a connection of its own: it must not wait
// for other requests, and listens to events that nobody else wants.
func (s *session) followFeed(ctx context.Context, started func()) error {
	obs, err := obsctl.Dial(ctx, s.obs.Endpoint(), obsctl.Options{Transforms: true, Log: s.log})
	if err != nil {
		return err
	}
	defer func() { _ = obs.Close() }()
	started()
	return s.c.feed.Follow(ctx, obs, obs.Events())
}

// removeFeed takes the scenes for the peer away, also those that are left from an earlier run.
func (s *session) removeFeed(ctx context.Context) error { return s.c.feed.Remove(ctx, s.obs) }

// ofFeed tells the events that only the clean feed needs, or that it causes.
func ofFeed(ev obsctl.Event) bool {
	switch e := ev.(type) {
	case obsctl.TransitionStarted, obsctl.SceneItemsMoved, obsctl.FiltersChanged:
		return true
	case obsctl.SceneItemAdded:
		return cleanfeed.Ours(e.Scene)
	case obsctl.SceneItemRemoved:
		return cleanfeed.Ours(e.Scene)
	case obsctl.SceneItemEnabled:
		return cleanfeed.Ours(e.Scene)
	}
	return false
}
