// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/internal/companion"
	"github.com/costream-obs/costream-obs/internal/obsscenes"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// OBS is what a running OBS reported about itself at one time.
type OBS struct {
	Address string         `json:"address"`
	PID     int            `json:"pid,omitempty"`
	Version obsctl.Version `json:"version"`
	// Password says that OBS asks for one.
	Password bool `json:"password"`

	Video     obsctl.Video    `json:"video"`
	Outputs   []obsctl.Output `json:"outputs"`
	HasCamera bool            `json:"hasCamera"`
	CameraOn  bool            `json:"cameraOn"`

	Profile    string                  `json:"profile"`
	SampleRate string                  `json:"sampleRate"`
	Monitoring obsctl.MonitoringDevice `json:"monitoring"`

	Collection string               `json:"collection"`
	Program    string               `json:"program"`
	Inputs     []Input              `json:"inputs"`
	Special    obsctl.SpecialInputs `json:"special"`
	Peer       scenes.State         `json:"peer"`
	// FeedScenes are the scenes that are made for the peer. Feed says that the first of them shows something, and FeedLoop
	// is the one that shows the peer, or empty.
	FeedScenes map[string]bool `json:"feedScenes,omitempty"`
	Feed       bool            `json:"feed,omitempty"`
	FeedLoop   string          `json:"feedLoop,omitempty"`

	// Left is what an earlier costream-obs has not undone, or what a running one changed. LeftError is why that is unknown.
	Left      []string `json:"left,omitempty"`
	LeftError string   `json:"leftError,omitempty"`

	// Deduplication is the state in OBS's log, for versions that write it, and LogError why it could not be read.
	Deduplication obsctl.Deduplication `json:"deduplication,omitempty"`
	LogError      string               `json:"logError,omitempty"`
}

// Input is an input of OBS, with what the checks need of it.
type Input struct {
	Name    string             `json:"name"`
	Kind    string             `json:"kind"` // without its version
	Muted   bool               `json:"muted,omitempty"`
	Monitor obsctl.MonitorType `json:"monitor,omitempty"`
	// Settings are those of settingsKept that differ from the defaults.
	Settings map[string]any `json:"settings,omitempty"`
}

// settingsKept are the settings that the checks need. Others may contain addresses and keys, and are dropped.
var settingsKept = []string{"device_id", "buffering", scenes.MarkKey}

// Kinds of inputs.
const (
	kindOutputCapture = obsctl.OutputCaptureKind
	kindInputCapture  = "pulse_input_capture"
	kindDevice        = scenes.KindDevice
	kindMedia         = scenes.KindSocket
)

// input returns the input of that name.
func (o OBS) input(name string) (Input, bool) {
	i := slices.IndexFunc(o.Inputs, func(in Input) bool { return in.Name == name })
	if i < 0 {
		return Input{}, false
	}
	return o.Inputs[i], true
}

// dialLimit is the timeout for one request to OBS.
const dialLimit = 3 * time.Second

// dial connects to the OBS of the settings. Without OBS's files it tries the default port.
func (m *Machine) dial(ctx context.Context, o obsctl.Options) (*obsctl.Client, error) {
	endpoint, err := m.Endpoint(ctx)
	if err != nil && !errors.Is(err, obsctl.ErrNoConfig) {
		return nil, err
	}
	o.Timeout, o.Log = dialLimit, m.Log
	return obsctl.Dial(ctx, endpoint, o)
}

// lookAtOBS asks OBS for everything that a check needs, on one connection.
func (m *Machine) lookAtOBS(ctx context.Context) (OBS, error) {
	c, err := m.dial(ctx, obsctl.Options{})
	if err != nil {
		return OBS{}, err
	}
	defer func() { _ = c.Close() }()
	version := c.Version()
	version.Requests, version.ImageFormats = nil, nil
	o := OBS{Address: c.Endpoint().Addr(), PID: c.Endpoint().PID, Version: version, Password: c.Endpoint().AuthRequired}
	for _, ask := range []func(context.Context, *obsctl.Client) error{o.askOutputs, o.askProfile, o.askInputs} {
		if err := ask(ctx, c); err != nil {
			return OBS{}, fmt.Errorf("OBS at %s: %w", o.Address, err)
		}
	}
	source := scenes.Source{Name: m.SourceName, Settings: map[string]any{"device_id": m.VideoIn}}
	if o.Peer, err = scenes.Status(ctx, obsscenes.New(c), source, nil); err != nil {
		return OBS{}, fmt.Errorf("OBS at %s: %w", o.Address, err)
	}
	if err := o.askFeed(ctx, c); err != nil {
		return OBS{}, fmt.Errorf("OBS at %s: %w", o.Address, err)
	}
	if o.Left, err = companion.Left(ctx, c, o.Collection, o.PID); err != nil {
		o.LeftError = err.Error()
	}
	o.readLog(m.path("proc"))
	return o, nil
}

// readLog reads what OBS reports only in its log.
func (o *OBS) readLog(procRoot string) {
	if stops, _ := o.Version.DeduplicationStops(); !stops {
		return
	}
	var err error
	if o.Deduplication, err = (&obsctl.DeduplicationLog{PID: o.PID, ProcRoot: procRoot}).Read(); err != nil {
		o.LogError = err.Error()
	}
}

func (o *OBS) askOutputs(ctx context.Context, c *obsctl.Client) (err error) {
	if o.Video, err = c.VideoSettings(ctx); err != nil {
		return err
	}
	if o.Outputs, err = c.Outputs(ctx); err != nil {
		return err
	}
	o.CameraOn, err = c.VirtualCamActive(ctx)
	if errors.Is(err, obsctl.ErrNoVirtualCam) {
		return nil
	}
	o.HasCamera = err == nil
	return err
}

func (o *OBS) askProfile(ctx context.Context, c *obsctl.Client) (err error) {
	if o.Profile, err = c.Profile(ctx); err != nil {
		return err
	}
	rate, err := c.ProfileParameter(ctx, "Audio", "SampleRate")
	if err != nil {
		return err
	}
	o.SampleRate = rate.Value
	if o.Monitoring, err = c.MonitoringDevice(ctx); err != nil {
		return err
	}
	if o.Collection, _, err = c.Collections(ctx); err != nil {
		return err
	}
	o.Program, err = c.ProgramScene(ctx)
	return err
}

func (o *OBS) askInputs(ctx context.Context, c *obsctl.Client) (err error) {
	if o.Special, err = c.SpecialInputs(ctx); err != nil {
		return err
	}
	all, err := c.Inputs(ctx)
	if err != nil {
		return err
	}
	for _, in := range all {
		input := Input{Name: in.Name, Kind: in.UnversionedKind}
		if slices.Contains([]string{kindOutputCapture, kindInputCapture, kindDevice, kindMedia}, input.Kind) {
			settings, err := c.InputSettings(ctx, in.Name)
			if obsctl.IsCode(err, obsctl.CodeNotFound) {
				continue // It went since the list was made.
			}
			if err != nil {
				return err
			}
			input.Settings = keptOf(settings)
		}
		input.Monitor, err = c.MonitorType(ctx, in.Name)
		switch {
		case obsctl.IsCode(err, obsctl.CodeInvalidState):
			o.Inputs = append(o.Inputs, input) // It has no sound.
			continue
		case obsctl.IsCode(err, obsctl.CodeNotFound):
			continue
		case err != nil:
			return err
		}
		input.Muted, err = c.InputMuted(ctx, in.Name)
		if err != nil && !obsctl.IsCode(err, obsctl.CodeNotFound) {
			return err
		}
		o.Inputs = append(o.Inputs, input)
	}
	return nil
}

func keptOf(settings map[string]any) map[string]any {
	kept := make(map[string]any)
	for _, key := range settingsKept {
		if v, ok := settings[key]; ok {
			kept[key] = v
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// OBSChanger does something with a connected OBS, for fixes.
type OBSChanger func(ctx context.Context, do func(context.Context, *obsctl.Client) error) error

func (m *Machine) changeOBS(ctx context.Context, do func(context.Context, *obsctl.Client) error) error {
	c, err := m.dial(ctx, obsctl.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	return do(ctx, c)
}
