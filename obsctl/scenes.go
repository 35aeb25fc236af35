// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"fmt"
	"slices"

	"github.com/andreykaipov/goobs"
	"github.com/andreykaipov/goobs/api/requests/scenes"
	"github.com/andreykaipov/goobs/api/requests/sources"
)

// Scenes lists the scenes in the order of OBS's scene list, top first.
func (c *Client) Scenes(ctx context.Context) ([]string, error) {
	r, err := call(ctx, c, "GetSceneList", func(g *goobs.Client) (*scenes.GetSceneListResponse, error) {
		return g.Scenes.GetSceneList()
	})
	if err != nil {
		return nil, err
	}
	return sceneNames(r), nil
}

func sceneNames(r *scenes.GetSceneListResponse) []string {
	names := make([]string, 0, len(r.Scenes))
	for _, s := range r.Scenes {
		names = append(names, s.SceneName)
	}
	// obs-websocket counts from the bottom of the list.
	slices.Reverse(names)
	return names
}

// ProgramScene is the scene that is on air. It comes with the list of scenes, because GetCurrentProgramScene crashes an OBS
// that has none at the moment, for example while it quits (obs-websocket #1349, open at 5.7.2; measured on 5.1.0).
func (c *Client) ProgramScene(ctx context.Context) (string, error) {
	r, err := call(ctx, c, "GetSceneList", func(g *goobs.Client) (*scenes.GetSceneListResponse, error) {
		return g.Scenes.GetSceneList()
	})
	if err != nil {
		return "", err
	}
	return r.CurrentProgramSceneName, nil
}

// SetProgramScene puts a scene on air.
func (c *Client) SetProgramScene(ctx context.Context, scene string) error {
	return do(ctx, c, "SetCurrentProgramScene", func(g *goobs.Client) (*scenes.SetCurrentProgramSceneResponse, error) {
		return g.Scenes.SetCurrentProgramScene(scenes.NewSetCurrentProgramSceneParams().WithSceneName(scene))
	})
}

// SourceActive reports whether a source or scene is part of the programme. In
// studio mode the programme usually shows a copy of its scene, and the scene
// itself is not active (measured, 29.0.2).
func (c *Client) SourceActive(ctx context.Context, source string) (bool, error) {
	r, err := call(ctx, c, "GetSourceActive", func(g *goobs.Client) (*sources.GetSourceActiveResponse, error) {
		return g.Sources.GetSourceActive(sources.NewGetSourceActiveParams().WithSourceName(source))
	})
	if err != nil {
		return false, err
	}
	return r.VideoActive, nil
}

// CreateScene adds an empty scene. In versions of OBS that could hang, it first waits for OBS's window; the error is
// ErrLoading if that takes too long.
func (c *Client) CreateScene(ctx context.Context, name string) error {
	if err := c.awaitWindow(ctx); err != nil {
		return fmt.Errorf("CreateScene: %w", err)
	}
	return do(ctx, c, "CreateScene", func(g *goobs.Client) (*scenes.CreateSceneResponse, error) {
		return g.Scenes.CreateScene(scenes.NewCreateSceneParams().WithSceneName(name))
	})
}

// RemoveScene removes a scene with its items.
func (c *Client) RemoveScene(ctx context.Context, name string) error {
	if err := c.awaitSettled(ctx, freshScene(name)); err != nil {
		return fmt.Errorf("RemoveScene: %w", err)
	}
	return do(ctx, c, "RemoveScene", func(g *goobs.Client) (*scenes.RemoveSceneResponse, error) {
		return g.Scenes.RemoveScene(scenes.NewRemoveSceneParams().WithSceneName(name))
	})
}
