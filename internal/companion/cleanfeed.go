// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/cleanfeed/camera"
	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/internal/obsscenes"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// wantsFeed says whether the peer gets the clean feed: by the setting, or because OBS's virtual camera shows it.
func (s *session) wantsFeed() bool { return s.c.o.CleanFeed || s.feedCamera }

// lookAtCamera finds out whether OBS's virtual camera shows the scene for the peer. No request tells; it is in OBS's
// files, and in those of an OBS on another machine it cannot be seen.
func (s *session) lookAtCamera() {
	scene := ""
	dir, err := collection.Of(s.seen.pid, obsctl.FindOptions{})
	if err == nil {
		var file *collection.File
		if file, err = dir.Open(s.seen.collection); err == nil {
			var doc *collection.Doc
			if doc, err = file.Read(); err == nil {
				scene, err = camera.Shows(doc)
			}
		}
	}
	if err != nil {
		s.log.Debug("what OBS's virtual camera shows cannot be seen", "error", err)
	}
	s.feedCamera = scene != ""
	if !s.feedCamera {
		scene = cleanfeed.Scene
	}
	s.c.feed.Want(scene)
	s.cameraScene = scene
}

// feedOBS is what the clean feed sees of OBS. OBS's virtual camera finds its scene in the user's list alone.
func (s *session) feedOBS(obs *obsctl.Client) obsctl.PrivateView {
	s.private.SetListed(s.feedCamera)
	return s.private.On(obs)
}

// sentScene is the scene that the peer is sent on the portable route.
func (s *session) sentScene(clean bool) obsctl.SourceID {
	if clean {
		return s.private.Source(s.c.feed.Scene())
	}
	return obsctl.SourceID{Name: *s.c.program.Load()}
}

// errUnclean: what the virtual camera shows has the peer in it.
var errUnclean = errors.New("OBS's virtual camera shows the programme, in which the peer may be: type `costream-obs setup clean-feed`")

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
	if s.air != nil {
		return nil
	}
	s.lookAtCamera()
	if !s.wantsFeed() {
		return nil
	}
	err := s.c.feed.Sync(ctx, s.feedOBS(s.obs))
	// The camera may show a scene of the user's that has the name of ours.
	s.feedCamera = s.feedCamera && (err != nil || s.c.feed.Scene() == s.cameraScene)
	s.feedReady = err == nil
	return err
}

// feedInStep has the peer source looked at again where it waits for that. The feed calls it.
func (s *session) feedInStep() {
	if s.held.Load() {
		s.c.wakeUp()
	}
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
	return s.c.feed.Follow(ctx, s.private.On(obs), obs.Events())
}

// removeFeed takes the scenes for the peer away, also those that are left from an earlier run.
func (s *session) removeFeed(ctx context.Context) error {
	if s.feedOf != s.seen.collection {
		s.lookAtCamera()
		s.feedOf = s.seen.collection
	}
	s.feedReady = false
	return s.c.feed.Remove(ctx, s.feedOBS(s.obs), s.feedCamera)
}

// checkProgramme tells the user who chose our scene as the programme, where the peer has no place.
func (s *session) checkProgramme(context.Context) error {
	if !s.c.feed.Ours(s.seen.collection, s.seen.program) {
		return nil
	}
	return fmt.Errorf("it is the scene %q, which is made for your peer: choose one of your own scenes in OBS", s.seen.program)
}

// ofFeed tells the events that only the clean feed needs, or that it causes.
func (s *session) ofFeed(ev obsctl.Event) bool {
	switch e := ev.(type) {
	case obsctl.TransitionStarted, obsctl.SceneItemsMoved, obsctl.FiltersChanged:
		return true
	case obsctl.ScenesChanged:
		if e.Names == nil {
			// An OBS that quits may begin with ours.
			return !e.Removed && s.c.feed.Ours(s.seen.collection, e.Scene)
		}
		listed := slices.DeleteFunc(slices.Clone(e.Names), func(name string) bool { return s.c.feed.Ours(s.seen.collection, name) })
		same := slices.Equal(listed, s.seen.listed)
		s.seen.listed = listed
		return same
	case obsctl.SceneItemAdded:
		return s.c.feed.Ours(s.seen.collection, e.Scene)
	case obsctl.SceneItemRemoved:
		return s.c.feed.Ours(s.seen.collection, e.Scene)
	case obsctl.SceneItemEnabled:
		return s.c.feed.Ours(s.seen.collection, e.Scene)
	}
	return false
}
