// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
	"github.com/costream-obs/costream-obs/setup"
)

const (
	virtualCamOutput = "virtualcam_output"
	// sinkOutputKind is the output of the obs-v4l2sink plugin, which can be told its device.
	sinkOutputKind = "v4l2sink"
)

// devices is the route over two v4l2loopback devices: OBS's virtual camera writes to one, and an OBS input reads the other.
type devices struct {
	out, in string                        // what OBS writes, and what it reads
	pair    func(setup.PairOptions) error // says why they cannot be used
}

func (d *devices) name() control.Route { return control.RouteDevices }

func (d *devices) viaCamera() bool { return true }

func (d *devices) check(obsPID int, v obsctl.Version) (string, error) {
	known := v.OBS != obsctl.Semver{}
	return d.out + " and " + d.in + " are there", d.pair(setup.PairOptions{
		Out:         d.out,
		In:          d.in,
		NeedsOutput: known && v.VirtualCamNeedsOutputCap(),
		Refused:     known && v.VirtualCamRefused(),
		Ours:        []int{os.Getpid(), obsPID},
	})
}

// open starts the output that writes to our device, and verifies that it writes there.
func (d *devices) open(ctx context.Context, o *outputs) error {
	outputs, err := o.obs.Outputs(ctx)
	if err != nil {
		return err
	}
	for _, output := range outputs {
		// The plugin sends the programme; the clean feed comes by OBS's virtual camera alone.
		if output.Kind == sinkOutputKind && !o.clean {
			return d.openSinkOutput(ctx, o, output)
		}
	}
	if err := o.note(ctx, virtualCamOutput); err != nil {
		return err
	}
	started, err := o.obs.EnsureVirtualCam(ctx, obsctl.VirtualCam{
		Device: d.out,
		Preflight: func(context.Context) error {
			_, err := d.check(o.seen.pid, o.seen.version)
			return err
		},
		PID: o.seen.pid,
	})
	if !started && o.ledger.Output == virtualCamOutput && !o.seen.virtualCam {
		return errors.Join(err, o.forget(context.WithoutCancel(ctx)))
	}
	return err
}

func (d *devices) openSinkOutput(ctx context.Context, o *outputs, output obsctl.Output) error {
	if output.Active {
		return nil
	}
	if err := o.note(ctx, output.Name); err != nil {
		return err
	}
	settings := map[string]any{"device_name": d.out, "format": "YUY2"}
	if err := o.obs.SetOutputSettings(ctx, output.Name, settings); err != nil {
		return err
	}
	return o.obs.StartOutput(ctx, output.Name)
}

// close stops the output if we started it.
func (d *devices) close(ctx context.Context, o *outputs) error {
	switch o.ledger.Output {
	case "":
		return nil
	case virtualCamOutput:
		if err := o.obs.StopVirtualCam(ctx); err != nil && !errors.Is(err, obsctl.ErrNoVirtualCam) {
			return err
		}
	default:
		if err := o.obs.StopOutput(ctx, o.ledger.Output); err != nil && !obsctl.IsCode(err, obsctl.CodeNotFound) {
			return err
		}
	}
	return o.forget(ctx)
}

func (d *devices) picture(f media.VideoFormat, _ shooting) ourPicture {
	return ourPicture{source: media.DeviceSource{Path: d.out, VideoFormat: f}, latency: f.FrameTime() + cameraLatency}
}

func (d *devices) source(name string) scenes.Source { return scenes.FromDevice(name, d.in) }

func (d *devices) screen(o media.ScreenOptions) (media.Screen, scenes.Source, error) {
	s, err := media.NewDeviceScreen(d.in, o)
	if err != nil {
		return nil, scenes.Source{}, err
	}
	return s, d.source(""), nil
}

// screenLatency is the mean wait for OBS's next frame. The exact wait of each picture is known but would not help: a picture
// that waits for the voice is shown with the frame that is closest to the voice.
func (d *devices) screenLatency(f media.VideoFormat) time.Duration { return f.FrameTime() / 2 }

// revival: a v4l2_input that found its device missing or without a writer stays dead (measured).
func (d *devices) revival() map[string]any { return map[string]any{"device_id": ""} }

// outputs are OBS's outputs, with a record of which one we started.
type outputs struct {
	obs    outputsOBS
	seen   *observed
	ledger *ledger
	clean  bool // they are to show the clean feed
}

// outputsOBS is what outputs needs of OBS.
type outputsOBS interface {
	Outputs(ctx context.Context) ([]obsctl.Output, error)
	SetOutputSettings(ctx context.Context, name string, settings map[string]any) error
	StartOutput(ctx context.Context, name string) error
	StopOutput(ctx context.Context, name string) error
	EnsureVirtualCam(ctx context.Context, cam obsctl.VirtualCam) (started bool, err error)
	StopVirtualCam(ctx context.Context) error
}

// note records that we must stop the output later, unless the user started it.
func (o *outputs) note(ctx context.Context, name string) error {
	if o.ledger.Output == name || (name == virtualCamOutput && o.seen.virtualCam) {
		return nil
	}
	o.ledger.Output = name
	return o.ledger.save(ctx)
}

func (o *outputs) forget(ctx context.Context) error {
	o.ledger.Output = ""
	return o.ledger.save(ctx)
}
