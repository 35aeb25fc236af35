// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"fmt"

	"github.com/andreykaipov/goobs"
	"github.com/andreykaipov/goobs/api/requests/inputs"
)

// Input is a source that can be in scenes: a camera, a media file, a microphone.
type Input struct {
	Name string
	// Kind is the exact kind, such as "ffmpeg_source" or "color_source_v3".
	Kind string
	// UnversionedKind is the kind without its version: "color_source".
	UnversionedKind string
}

// Inputs lists the inputs of the current scene collection.
func (c *Client) Inputs(ctx context.Context) ([]Input, error) {
	r, err := call(ctx, c, "GetInputList", func(g *goobs.Client) (*inputs.GetInputListResponse, error) {
		return g.Inputs.GetInputList()
	})
	if err != nil {
		return nil, err
	}
	return readInputs(r), nil
}

func readInputs(r *inputs.GetInputListResponse) []Input {
	list := make([]Input, 0, len(r.Inputs))
	for _, i := range r.Inputs {
		if i.InputName == ProbeInput {
			continue
		}
		list = append(list, Input{Name: i.InputName, Kind: i.InputKind, UnversionedKind: i.UnversionedInputKind})
	}
	return list
}

// SpecialInputs are the global audio inputs of the settings dialog, by name. They are in no scene.
type SpecialInputs struct {
	Desktop []string
	Mics    []string
}

// SpecialInputs lists the global audio inputs that exist.
func (c *Client) SpecialInputs(ctx context.Context) (SpecialInputs, error) {
	r, err := call(ctx, c, "GetSpecialInputs", func(g *goobs.Client) (*inputs.GetSpecialInputsResponse, error) {
		return g.Inputs.GetSpecialInputs()
	})
	if err != nil {
		return SpecialInputs{}, err
	}
	return SpecialInputs{
		Desktop: nonEmpty(r.Desktop1, r.Desktop2),
		Mics:    nonEmpty(r.Mic1, r.Mic2, r.Mic3, r.Mic4),
	}, nil
}

func nonEmpty(names ...string) []string {
	var kept []string
	for _, name := range names {
		if name != "" {
			kept = append(kept, name)
		}
	}
	return kept
}

// InputSettings reads the settings of an input that differ from its defaults.
// Numbers are float64.
func (c *Client) InputSettings(ctx context.Context, name string) (map[string]any, error) {
	r, err := call(ctx, c, "GetInputSettings", func(g *goobs.Client) (*inputs.GetInputSettingsResponse, error) {
		return g.Inputs.GetInputSettings(inputs.NewGetInputSettingsParams().WithInputName(name))
	})
	if err != nil {
		return nil, err
	}
	return r.InputSettings, nil
}

// SetInputSettings changes the given settings of an input; with overlay false
// all others go back to their defaults.
func (c *Client) SetInputSettings(ctx context.Context, name string, settings map[string]any, overlay bool) error {
	return do(ctx, c, "SetInputSettings", func(g *goobs.Client) (*inputs.SetInputSettingsResponse, error) {
		return g.Inputs.SetInputSettings(inputs.NewSetInputSettingsParams().
			WithInputName(name).WithInputSettings(settings).WithOverlay(overlay))
	})
}

// NoDevice is the device of an input after EndCapture. The sound server has no device of that name.
const NoDevice = "costream_obs_no_device"

// EndCapture makes an input that captures sound capture nothing. Call it before such an input, or its last item, is removed:
// OBS frees what the capture's callback uses while the sound server may still send (pulse_destroy in
// plugins/linux-pulseaudio/pulse-input.c, all versions), and crashes if sound comes at that moment. A change of the device
// frees nothing, and OBS answers after the server has ended the stream. Measured on 32.2.2: about one in 100 to 200 removals
// without it crashed OBS.
func (c *Client) EndCapture(ctx context.Context, input string) error {
	return c.SetInputSettings(ctx, input, map[string]any{"device_id": NoDevice}, true)
}

// CreateInput creates an input and puts it into a scene. It returns the id of
// the scene item. The code of the error is CodeAlreadyExists when a source or
// scene has the name.
func (c *Client) CreateInput(ctx context.Context, scene, name, kind string, settings map[string]any, enabled bool) (int, error) {
	r, err := call(ctx, c, "CreateInput", func(g *goobs.Client) (*inputs.CreateInputResponse, error) {
		return g.Inputs.CreateInput(inputs.NewCreateInputParams().
			WithSceneName(scene).WithInputName(name).WithInputKind(kind).
			WithInputSettings(settings).WithSceneItemEnabled(enabled))
	})
	if err != nil {
		return 0, err
	}
	c.window.fresh.note(scene, r.SceneItemId, name)
	return r.SceneItemId, nil
}

// RemoveInput removes an input and all its scene items. One that captures sound
// needs EndCapture before.
func (c *Client) RemoveInput(ctx context.Context, name string) error {
	if err := c.awaitSettled(ctx, freshSource(name)); err != nil {
		return fmt.Errorf("RemoveInput: %w", err)
	}
	return do(ctx, c, "RemoveInput", func(g *goobs.Client) (*inputs.RemoveInputResponse, error) {
		return g.Inputs.RemoveInput(inputs.NewRemoveInputParams().WithInputName(name))
	})
}
