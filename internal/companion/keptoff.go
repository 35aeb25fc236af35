// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/obsctl"
)

const (
	// keptOffAfter is how long OBS may be on air without us before that is a problem.
	keptOffAfter = 3 * time.Second
	// outputAfter is how long OBS may take to start an output before that is a problem. Nothing tells when the user gives
	// up: after outputUntil it is none any more.
	outputAfter = 5 * time.Second
	outputUntil = 2 * time.Minute
)

// keptOff knows since when OBS has been on air without us. The zero value is ready.
type keptOff struct{ since time.Time }

// look returns what keeps us off the air, once that has lasted for some time. why is the reason as far as it is known.
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
	errRemoving = errors.New("OBS is removing sources or scenes, and is left alone meanwhile")
	errUnknown  = errors.New("nothing failed, and yet nothing is sent: stop costream-obs and start it again with --verbose, whose log says more")
)

// noteKeptOff makes a problem of what keeps us off the air, and tells whether there is one. why is the reason where the
// steps to go on air were not taken, otherwise nil.
func (s *session) noteKeptOff(why error) bool {
	if why == nil {
		why = s.steps.waits(errUnknown)
	}
	wrong := s.keptOff.look(time.Now(), s.wantAir() && s.air == nil && !s.exiting, why)
	if wrong == nil {
		delete(s.steps.problems, problem.OnAir)
		return false
	}
	s.steps.problems[problem.OnAir] = wrong
	return true
}

// reportKeptOff is noteKeptOff for a round that ends early, in which nothing else is reported.
func (s *session) reportKeptOff(why error) {
	if s.noteKeptOff(why) {
		s.report()
	}
}

// checkOutput reports an output of OBS that was to put us on air and does not start. OBS says why in its window only.
func (s *session) checkOutput(ctx context.Context) error {
	began, name := s.seen.streamBegins, "stream"
	if s.c.o.When == WhenRecording {
		began, name = s.seen.recordBegins, "recording"
	}
	if began.IsZero() || s.c.o.When == WhenAlways || s.c.o.When == WhenVirtualCam {
		return nil
	}
	switch took := time.Since(began); {
	case took < outputAfter:
		s.c.wakeLater(outputAfter - took)
		return nil
	case took > outputUntil:
		return nil
	}
	colours, err := s.obs.OutputColours(ctx)
	if err != nil {
		return err
	}
	hint := "look into OBS's window for the reason"
	if colours.TenBit() || colours.HighDynamicRange() {
		hint += "; most encoders cannot take OBS's colours, " + colours.String() + ": " + chooseColours
	}
	return fmt.Errorf("OBS began to start its %s, but it does not run: %s", name, hint)
}

const chooseColours = "in OBS open Settings, Advanced, and choose NV12 and Rec. 709"

// checkColours refuses colours that arrive wrong on either route: a screenshot then is an image for an HDR screen taken for
// an ordinary one (measured, 29.0.2: #e08020 comes as #b57727).
func checkColours(c obsctl.Colours) error {
	if !c.HighDynamicRange() {
		return nil
	}
	return fmt.Errorf("OBS's colours, %v, cannot be sent to your friend: %s", c, chooseColours)
}
