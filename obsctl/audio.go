// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"fmt"

	"github.com/andreykaipov/goobs"
	"github.com/andreykaipov/goobs/api/requests/inputs"
)

// MonitorType says where the sound of an input goes: into the stream, to the
// monitoring device, or to both.
type MonitorType int

// The monitoring types, in the words of OBS's Advanced Audio Properties.
const (
	MonitorOff       MonitorType = iota // stream only
	MonitorOnly                         // monitoring device only
	MonitorAndOutput                    // both
)

// monitorTypes holds obs-websocket's names of the monitoring types.
var monitorTypes = map[string]MonitorType{
	"OBS_MONITORING_TYPE_NONE":               MonitorOff,
	"OBS_MONITORING_TYPE_MONITOR_ONLY":       MonitorOnly,
	"OBS_MONITORING_TYPE_MONITOR_AND_OUTPUT": MonitorAndOutput,
}

// String returns OBS's words, such as "monitor and output".
func (t MonitorType) String() string {
	switch t {
	case MonitorOff:
		return "monitor off"
	case MonitorOnly:
		return "monitor only"
	case MonitorAndOutput:
		return "monitor and output"
	}
	return fmt.Sprintf("MonitorType(%d)", int(t))
}

func (t MonitorType) wire() string {
	for name, known := range monitorTypes {
		if known == t {
			return name
		}
	}
	return t.String()
}

// MonitorType reads how an input is monitored. The code of the error is
// CodeInvalidState when the input has no sound.
func (c *Client) MonitorType(ctx context.Context, input string) (MonitorType, error) {
	r, err := call(ctx, c, "GetInputAudioMonitorType", func(g *goobs.Client) (*inputs.GetInputAudioMonitorTypeResponse, error) {
		return g.Inputs.GetInputAudioMonitorType(inputs.NewGetInputAudioMonitorTypeParams().WithInputName(input))
	})
	if err != nil {
		return MonitorOff, err
	}
	kind, ok := monitorTypes[r.MonitorType]
	if !ok {
		return MonitorOff, fmt.Errorf("GetInputAudioMonitorType of %q: OBS gave the unknown type %q", input, r.MonitorType)
	}
	return kind, nil
}

// SetMonitorType sets how an input is monitored. OBS reports success even if the monitoring device is missing and nothing
// plays.
func (c *Client) SetMonitorType(ctx context.Context, input string, t MonitorType) error {
	return do(ctx, c, "SetInputAudioMonitorType", func(g *goobs.Client) (*inputs.SetInputAudioMonitorTypeResponse, error) {
		return g.Inputs.SetInputAudioMonitorType(inputs.NewSetInputAudioMonitorTypeParams().
			WithInputName(input).WithMonitorType(t.wire()))
	})
}

// Monitored returns the inputs that are monitored, and how.
func (c *Client) Monitored(ctx context.Context) (map[string]MonitorType, error) {
	all, err := c.Inputs(ctx)
	if err != nil {
		return nil, err
	}
	monitored := make(map[string]MonitorType)
	for _, input := range all {
		kind, err := c.MonitorType(ctx, input.Name)
		switch {
		case IsCode(err, CodeInvalidState) || IsCode(err, CodeNotFound):
			// It has no sound, or was removed since the list was made.
		case err != nil:
			return nil, err
		case kind != MonitorOff:
			monitored[input.Name] = kind
		}
	}
	return monitored, nil
}

// Trackless reports whether an input is on no audio track, so that no output of OBS has its sound. The code of the error is
// CodeInvalidState when the input has no sound at all.
func (c *Client) Trackless(ctx context.Context, input string) (bool, error) {
	r, err := call(ctx, c, "GetInputAudioTracks", func(g *goobs.Client) (*inputs.GetInputAudioTracksResponse, error) {
		return g.Inputs.GetInputAudioTracks(inputs.NewGetInputAudioTracksParams().WithInputName(input))
	})
	if err != nil || r.InputAudioTracks == nil {
		return false, err
	}
	for _, on := range *r.InputAudioTracks {
		if on {
			return false, nil
		}
	}
	return true, nil
}

// InputMuted reports whether an input is muted.
func (c *Client) InputMuted(ctx context.Context, input string) (bool, error) {
	r, err := call(ctx, c, "GetInputMute", func(g *goobs.Client) (*inputs.GetInputMuteResponse, error) {
		return g.Inputs.GetInputMute(inputs.NewGetInputMuteParams().WithInputName(input))
	})
	if err != nil {
		return false, err
	}
	return r.InputMuted, nil
}

// SetInputMuted mutes or unmutes an input.
func (c *Client) SetInputMuted(ctx context.Context, input string, muted bool) error {
	return do(ctx, c, "SetInputMute", func(g *goobs.Client) (*inputs.SetInputMuteResponse, error) {
		return g.Inputs.SetInputMute(inputs.NewSetInputMuteParams().WithInputName(input).WithInputMuted(muted))
	})
}
