// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/costream-obs/costream-obs/obsctl"
)

const (
	// keptOffAfter is how long OBS may be on air without us before we report it.
	keptOffAfter = 3 * time.Second
	// outputAfter is how long OBS may take to start an output before we report it. OBS does not say when the user gives up,
	// so we stop reporting after outputUntil.
	outputAfter = 5 * time.Second
	outputUntil = 2 * time.Minute
)

// keptOff knows since when OBS has been on air without us, or has been trying to start the output that puts us on air.
type keptOff struct {
	obs       keptOffOBS
	seen      *observed
	when      Trigger
	wakeLater func(time.Duration)

	since time.Time
}

// keptOffOBS is what keptOff needs of OBS.
type keptOffOBS interface {
	OutputColours(ctx context.Context) (obsctl.Colours, error)
}

// look returns what keeps us off the air, once it has lasted for some time. why is the reason as far as it is known.
func (k *keptOff) look(now time.Time, off bool, why error) error {
	switch {
	case !off:
		k.since = time.Time{}
		return nil
	case k.since.IsZero():
		k.since = now
	}
	if now.Sub(k.since) < keptOffAfter {
		return nil
	}
	return why
}

// errChanging, errRemoving and errUnknown are reasons for which we are not on air although OBS is.
var (
	errChanging = errors.New("OBS is loading a scene collection or a profile; if that does not end, look for a question in OBS's window")
	errRemoving = errors.New("OBS is removing sources or scenes, and costream-obs waits until it has finished")
	errUnknown  = errors.New("nothing failed, but nothing is sent: restart costream-obs with --verbose and read its log")
)

// checkOutput reports an output that should put us on air and does not start. OBS says why only in its window.
func (k *keptOff) checkOutput(ctx context.Context) error {
	began, name := k.seen.streamBegins, "stream"
	if k.when == WhenRecording {
		began, name = k.seen.recordBegins, "recording"
	}
	if began.IsZero() || k.when == WhenAlways || k.when == WhenManual || k.when == WhenVirtualCam {
		return nil
	}
	switch took := time.Since(began); {
	case took < outputAfter:
		k.wakeLater(outputAfter - took)
		return nil
	case took > outputUntil:
		return nil
	}
	colours, err := k.obs.OutputColours(ctx)
	if err != nil {
		return err
	}
	hint := "look at OBS's window for the reason"
	if colours.TenBit() || colours.HighDynamicRange() {
		hint += "; most encoders cannot take OBS's colours, " + colours.String() + ": " + chooseColours
	}
	return fmt.Errorf("OBS began to start its %s, but it does not run: %s", name, hint)
}

const chooseColours = "in OBS open Settings, Advanced, and choose NV12 and Rec. 709"

// checkColours refuses colours that arrive wrong on either route. Screenshots of an HDR picture are treated as ordinary ones
// (measured, 29.0.2: #e08020 becomes #b57727).
func checkColours(c obsctl.Colours) error {
	if !c.HighDynamicRange() {
		return nil
	}
	return fmt.Errorf("OBS's colours, %v, cannot be sent to your friend: %s", c, chooseColours)
}
