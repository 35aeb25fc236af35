// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"fmt"

	"github.com/andreykaipov/goobs"
	"github.com/andreykaipov/goobs/api/requests/outputs"
	"github.com/andreykaipov/goobs/api/requests/record"
	"github.com/andreykaipov/goobs/api/requests/stream"
)

// StreamActive reports whether OBS is on air. It is true while the stream
// reconnects, too: the user has not stopped it.
func (c *Client) StreamActive(ctx context.Context) (bool, error) {
	r, err := call(ctx, c, "GetStreamStatus", func(g *goobs.Client) (*stream.GetStreamStatusResponse, error) {
		return g.Stream.GetStreamStatus()
	})
	if err != nil {
		return false, err
	}
	return r.OutputActive || r.OutputReconnecting, nil
}

// RecordActive reports whether OBS records; a paused recording counts.
func (c *Client) RecordActive(ctx context.Context) (bool, error) {
	r, err := call(ctx, c, "GetRecordStatus", func(g *goobs.Client) (*record.GetRecordStatusResponse, error) {
		return g.Record.GetRecordStatus()
	})
	if err != nil {
		return false, err
	}
	return r.OutputActive || r.OutputPaused, nil
}

// VirtualCamActive reports whether the virtual camera runs. The error wraps
// ErrNoVirtualCam when OBS has none.
func (c *Client) VirtualCamActive(ctx context.Context) (bool, error) {
	r, err := call(ctx, c, "GetVirtualCamStatus", func(g *goobs.Client) (*outputs.GetVirtualCamStatusResponse, error) {
		return g.Outputs.GetVirtualCamStatus()
	})
	if err != nil {
		return false, noVirtualCam(err)
	}
	return r.OutputActive, nil
}

// StartVirtualCam asks OBS to start the virtual camera. OBS answers with
// success even when the camera then fails to start, and from 30.0.0 opens a
// modal dialog: use EnsureVirtualCam, which looks first and verifies.
// A camera that runs already is no error.
func (c *Client) StartVirtualCam(ctx context.Context) error {
	err := do(ctx, c, "StartVirtualCam", func(g *goobs.Client) (*outputs.StartVirtualCamResponse, error) {
		return g.Outputs.StartVirtualCam()
	})
	if IsCode(err, CodeOutputRunning) {
		return nil
	}
	return noVirtualCam(err)
}

// StopVirtualCam stops the virtual camera. One that does not run is no error.
func (c *Client) StopVirtualCam(ctx context.Context) error {
	err := do(ctx, c, "StopVirtualCam", func(g *goobs.Client) (*outputs.StopVirtualCamResponse, error) {
		return g.Outputs.StopVirtualCam()
	})
	if IsCode(err, CodeOutputNotRunning) {
		return nil
	}
	return noVirtualCam(err)
}

// noVirtualCam translates code 604, which has one reason for these requests: OBS decides once, at its start, whether it has
// a virtual camera.
func noVirtualCam(err error) error {
	if !IsCode(err, CodeInvalidState) {
		return err
	}
	return fmt.Errorf("%w: the kernel module v4l2loopback was not loaded when OBS started: load it, then restart OBS (%w)",
		ErrNoVirtualCam, err)
}

// Output is one of OBS's outputs. OBS creates most of them at their first use,
// so one may be missing until then.
type Output struct {
	Name   string // such as "simple_stream", "virtualcam_output", "V4l2sink"
	Kind   string
	Active bool // true while it reconnects, too
}

// Outputs lists OBS's outputs.
func (c *Client) Outputs(ctx context.Context) ([]Output, error) {
	r, err := call(ctx, c, "GetOutputList", func(g *goobs.Client) (*outputs.GetOutputListResponse, error) {
		return g.Outputs.GetOutputList()
	})
	if err != nil {
		return nil, err
	}
	list := make([]Output, 0, len(r.Outputs))
	for _, o := range r.Outputs {
		list = append(list, Output{Name: o.Name, Kind: o.Kind, Active: o.Active})
	}
	return list, nil
}

// SetOutputSettings changes the given settings of the named output. The
// virtual camera accepts and ignores them.
func (c *Client) SetOutputSettings(ctx context.Context, name string, settings map[string]any) error {
	return do(ctx, c, "SetOutputSettings", func(g *goobs.Client) (*outputs.SetOutputSettingsResponse, error) {
		return g.Outputs.SetOutputSettings(outputs.NewSetOutputSettingsParams().
			WithOutputName(name).WithOutputSettings(settings))
	})
}

// StartOutput starts the named output; one that runs is no error. The code of
// the error is CodeNotFound when there is no such output.
func (c *Client) StartOutput(ctx context.Context, name string) error {
	err := do(ctx, c, "StartOutput", func(g *goobs.Client) (*outputs.StartOutputResponse, error) {
		return g.Outputs.StartOutput(outputs.NewStartOutputParams().WithOutputName(name))
	})
	if IsCode(err, CodeOutputRunning) {
		return nil
	}
	return err
}

// StopOutput stops the named output; one that does not run is no error.
func (c *Client) StopOutput(ctx context.Context, name string) error {
	err := do(ctx, c, "StopOutput", func(g *goobs.Client) (*outputs.StopOutputResponse, error) {
		return g.Outputs.StopOutput(outputs.NewStopOutputParams().WithOutputName(name))
	})
	if IsCode(err, CodeOutputNotRunning) {
		return nil
	}
	return err
}
