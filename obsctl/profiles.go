// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"

	"github.com/andreykaipov/goobs"
	"github.com/andreykaipov/goobs/api/requests/config"
)

// Profile returns the name of the current profile.
func (c *Client) Profile(ctx context.Context) (string, error) {
	r, err := call(ctx, c, "GetProfileList", func(g *goobs.Client) (*config.GetProfileListResponse, error) {
		return g.Config.GetProfileList()
	})
	if err != nil {
		return "", err
	}
	return r.CurrentProfileName, nil
}

// Collections returns the current scene collection and the names of all.
func (c *Client) Collections(ctx context.Context) (current string, all []string, err error) {
	r, err := call(ctx, c, "GetSceneCollectionList", func(g *goobs.Client) (*config.GetSceneCollectionListResponse, error) {
		return g.Config.GetSceneCollectionList()
	})
	if err != nil {
		return "", nil, err
	}
	return r.CurrentSceneCollectionName, r.SceneCollections, nil
}

// CreateCollection creates an empty scene collection and switches to it. No
// version of obs-websocket can remove one.
func (c *Client) CreateCollection(ctx context.Context, name string) error {
	_, err := callWithin(ctx, c, slowTimeout, "CreateSceneCollection", func(g *goobs.Client) (*config.CreateSceneCollectionResponse, error) {
		return g.Config.CreateSceneCollection(config.NewCreateSceneCollectionParams().WithSceneCollectionName(name))
	})
	return err
}

// SetCollection switches to another scene collection.
func (c *Client) SetCollection(ctx context.Context, name string) error {
	_, err := callWithin(ctx, c, slowTimeout, "SetCurrentSceneCollection", func(g *goobs.Client) (*config.SetCurrentSceneCollectionResponse, error) {
		return g.Config.SetCurrentSceneCollection(config.NewSetCurrentSceneCollectionParams().WithSceneCollectionName(name))
	})
	return err
}

// ProfileParameter is one value of the current profile.
type ProfileParameter struct {
	Value   string // what OBS uses: the default when the profile does not set it
	Default string // empty when there is none
}

// ProfileParameter reads a value of the current profile, such as "Audio",
// "SampleRate".
func (c *Client) ProfileParameter(ctx context.Context, category, name string) (ProfileParameter, error) {
	r, err := call(ctx, c, "GetProfileParameter", func(g *goobs.Client) (*config.GetProfileParameterResponse, error) {
		return g.Config.GetProfileParameter(config.NewGetProfileParameterParams().
			WithParameterCategory(category).WithParameterName(name))
	})
	if err != nil {
		return ProfileParameter{}, err
	}
	return ProfileParameter{Value: r.ParameterValue, Default: r.DefaultParameterValue}, nil
}

// deleteProfileParameter takes a value out of the current profile, so that
// OBS's default holds. One that is not there is no error.
func (c *Client) deleteProfileParameter(ctx context.Context, category, name string) error {
	err := do(ctx, c, "SetProfileParameter", func(g *goobs.Client) (*config.SetProfileParameterResponse, error) {
		return g.Config.SetProfileParameter(config.NewSetProfileParameterParams().
			WithParameterCategory(category).WithParameterName(name))
	})
	if IsCode(err, CodeNotFound) {
		return nil
	}
	return err
}
