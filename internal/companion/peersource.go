// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"image"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

const (
	// deadAfter is how long the peer source may be without a picture while the screen has one.
	deadAfter = 2 * time.Second
	// kickGap keeps OBS from merging two settings into one (100 ms measured).
	kickGap = 150 * time.Millisecond
)

// showPeer keeps the peer source in its scenes, shown while the peer's picture arrives.
func (s *session) showPeer(ctx context.Context) error {
	source, ok := s.c.display.source(s.c.o.SourceName)
	if !ok || !s.camera {
		return nil
	}
	want := scenes.Desired{
		Source:  source,
		Scenes:  s.c.o.Scenes,
		Layouts: s.c.o.Layouts,
		Present: true,
		Visible: s.c.peer.Load(),
	}
	want.Picture = s.c.picture(want.Visible)
	return s.arrange(ctx, want)
}

// setArea notes which part of the screen the peer's picture covers.
func (c *Companion) setArea(area image.Rectangle) {
	if old := c.area.Load(); old == nil || *old != area {
		c.area.Store(&area)
		c.wakeUp()
	}
}

// picture is what the peer source shows: with its borders only while the peer is seen, since
// the placeholder has none.
func (c *Companion) picture(seen bool) scenes.Picture {
	format := c.display.size()
	p := scenes.Picture{Size: scenes.Size{W: format.W, H: format.H}}
	if area := c.area.Load(); area != nil && seen && !area.Empty() && area.In(image.Rect(0, 0, p.W, p.H)) {
		p.Border = scenes.Border{Left: area.Min.X, Top: area.Min.Y, Right: p.W - area.Max.X, Bottom: p.H - area.Max.Y}
	}
	return p
}

// hidePeer takes away what we added.
func (s *session) hidePeer(ctx context.Context) error {
	source, ok := s.c.display.source(s.c.o.SourceName)
	if !ok {
		source = scenes.Source{Name: s.c.o.SourceName}
	}
	s.input = ""
	return s.arrange(ctx, scenes.Desired{Source: source, Scenes: s.c.o.Scenes, Layouts: s.c.o.Layouts, Over: !s.wantAir()})
}

// arrange makes the scenes as wanted, unless they are and nothing has changed since.
func (s *session) arrange(ctx context.Context, want scenes.Desired) error {
	key := fmt.Sprintf("%+v on %+v", want, s.seen.canvasFormat())
	if s.seen.scenesLooked && s.arranged == key && !s.held.Load() {
		return s.unknown
	}
	if s.wantsFeed() {
		want.Held = s.c.feed.Bare
	}
	// Before it is asked: the feed may come into step meanwhile.
	s.held.Store(true)
	begin := time.Now()
	r, err := scenes.Reconcile(ctx, s.scenesOBS(), s.id, want)
	// Scenes that the user names but does not have keep the others from nothing.
	if s.unknown = onlyUnknown(err); err != nil && s.unknown == nil {
		return err
	}
	s.held.Store(r.Held)
	for _, edit := range r.Done {
		s.log.Info("scene changed", "edit", edit.String())
	}
	s.arranged, s.seen.scenesLooked = key, true
	s.arrangedAt, s.arrangedIn = time.Now(), time.Since(begin)
	s.hint = ""
	if r.NeedsTransition != "" {
		s.hint = fmt.Sprintf("OBS is in studio mode: viewers see the change in scene %q after the next transition", r.NeedsTransition)
	}
	if want.Present {
		s.input = r.Input
	}
	return s.unknown
}

// lookShare keeps looks at the scenes that nothing calls for, but that events can be lost, to one part in so many of the
// time: with hundreds of scenes on a busy machine one takes half a second.
const lookShare = 25

// tick has all asked again.
func (s *session) tick() {
	looked := s.seen.scenesLooked && time.Since(s.arrangedAt) < lookShare*s.arrangedIn
	s.seen.all()
	s.seen.scenesLooked = looked
}

// onlyUnknown returns err if it is about unknown scenes and nothing else.
func onlyUnknown(err error) error {
	var unknown *scenes.UnknownSceneError
	if !errors.As(err, &unknown) {
		return nil
	}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range several.Unwrap() {
			if !errors.As(e, &unknown) {
				return nil
			}
		}
	}
	return err
}

// checkScenes tells of --scenes that OBS does not have, and of wrong patterns in --layouts, before we go on air.
func (s *session) checkScenes(ctx context.Context) error {
	if len(s.c.o.Scenes)+len(s.c.o.Layouts.Rules) == 0 || s.seen.scenesLooked && s.scenesChecked {
		return s.unknown
	}
	existing, err := s.obs.Scenes(ctx)
	if err != nil {
		return err
	}
	s.scenesChecked = true
	if s.unknown = scenes.CheckScenes(s.c.o.Scenes, s.seen.collection, existing); s.unknown == nil {
		s.unknown = s.c.o.Layouts.Check(s.seen.collection, existing)
	}
	return s.unknown
}

// revivePeerInput kicks a peer source that shows nothing although the screen has a picture: a
// v4l2_input that found its device missing or without a writer stays dead (measured).
func (s *session) revivePeerInput(ctx context.Context) error {
	source, ok := s.c.display.source(s.c.o.SourceName)
	if !ok || s.input == "" || s.route != control.RouteDevices {
		return nil
	}
	_, err := s.obs.Screenshot(ctx, s.input, 16, 16, "png", -1)
	if !obsctl.IsCode(err, obsctl.CodeRequestFailed) {
		s.inputDead = time.Time{}
		return err
	}
	if s.inputDead.IsZero() {
		s.inputDead = time.Now()
	}
	if time.Since(s.inputDead) < deadAfter {
		s.c.wakeLater(deadAfter)
		return nil
	}
	s.inputDead = time.Time{}
	s.log.Info("the peer source shows nothing, opening its device again", "input", s.input)
	if err := s.obs.SetInputSettings(ctx, s.input, map[string]any{"device_id": ""}, true); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(kickGap):
	}
	return s.obs.SetInputSettings(ctx, s.input, source.Settings, true)
}
