// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"fmt"
)

// ScenesWithout returns those of the scenes that have no item of a source themselves.
func (c *Client) ScenesWithout(ctx context.Context, scenes []string, source string) ([]string, error) {
	b := c.Batch()
	holds := make([]*Answer[bool], len(scenes))
	for i, scene := range scenes {
		holds[i] = b.Holds(scene, source)
	}
	if err := b.Do(ctx); err != nil {
		return nil, err
	}
	var without []string
	for i, scene := range scenes {
		if holds[i].Err != nil {
			return nil, fmt.Errorf("%q in scene %q: %w", source, scene, holds[i].Err)
		}
		if !holds[i].Value {
			without = append(without, scene)
		}
	}
	return without, nil
}

// AddToScenes puts an existing source into scenes, on top.
func (c *Client) AddToScenes(ctx context.Context, scenes []string, source string) error {
	b := c.Batch()
	added := make([]*NewItem, len(scenes))
	for i, scene := range scenes {
		added[i] = b.CreateSceneItem(scene, source, true)
	}
	if err := b.Do(ctx); err != nil {
		return err
	}
	for i, scene := range scenes {
		if err := added[i].Err; err != nil {
			return fmt.Errorf("%q in scene %q: %w", source, scene, err)
		}
	}
	return nil
}

// RemoveFromScenes takes a source out of all scenes. An input without any item
// left is removed by OBS.
func (c *Client) RemoveFromScenes(ctx context.Context, source string) error {
	scenes, err := c.Scenes(ctx)
	if err != nil {
		return err
	}
	b := c.Batch()
	items := make([]*Answer[[]SceneItem], len(scenes))
	for i, scene := range scenes {
		items[i] = b.SceneItems(scene)
	}
	if err := b.Do(ctx); err != nil {
		return err
	}
	b = c.Batch()
	gone := make(map[*Answer[Nothing]]string) // from which scene
	for i, scene := range scenes {
		if items[i].Err != nil {
			return fmt.Errorf("scene %q: %w", scene, items[i].Err)
		}
		for _, item := range items[i].Value {
			if item.Source == source {
				gone[b.RemoveSceneItem(scene, item.ID)] = scene
			}
		}
	}
	if err := b.Do(ctx); err != nil {
		return err
	}
	for answer, scene := range gone {
		if answer.Err != nil && !IsCode(answer.Err, CodeNotFound) {
			return fmt.Errorf("%q in scene %q: %w", source, scene, answer.Err)
		}
	}
	return nil
}
