// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	// startWithin and stopWithin limit how long a hardware encoder may hold up a pipeline, whose start and stop wait for the
	// driver. Healthy ones take milliseconds.
	startWithin = 2 * time.Second
	stopWithin  = 100 * time.Millisecond
	// watchEvery is how often the encoder is looked at.
	watchEvery = 50 * time.Millisecond
	// hardwareStall is how long a hardware encoder may work on a picture: it takes 2 to 10 ms. Nothing that can replace a
	// software encoder is quicker than it, so that one has longer.
	hardwareStall = 350 * time.Millisecond
	softwareStall = 5 * time.Second
)

// errStalled says that an encoder does not work on.
var errStalled = errors.New("no picture came out of it")

// EncoderError is the failure of an encoder. Another one can take its place.
type EncoderError struct {
	// Name is that of the encoder's GStreamer element.
	Name string
	Err  error
}

func (e *EncoderError) Error() string { return fmt.Sprintf("encoder %s: %v", e.Name, e.Err) }
func (e *EncoderError) Unwrap() error { return e.Err }

// blame finds out whether an error of the pipeline is the encoder's.
func (s *VideoSender) blame(err error) error {
	var encoder *EncoderError
	if err == nil || errors.As(err, &encoder) {
		return err
	}
	var fault *PipelineError
	row := s.encoder.row
	switch {
	case errors.As(err, &fault):
		text := strings.TrimPrefix(fault.Error(), fault.Element+": ")
		// A source reports that what comes after it refuses its pictures, if nothing there said why.
		refused := row.hardware && s.encoding.Read().Left == 0 && strings.Contains(fault.Debug, "not-negotiated")
		if fault.Element == nameEncoder || fault.Element == nameFit || refused {
			return &EncoderError{row.name, errors.New(text)}
		}
	case errors.Is(err, ErrStuck) && row.hardware:
		return &EncoderError{row.name, err}
	}
	return err
}

// watchEncoder fails the pipeline when pictures go into the encoder and none comes out, until ctx ends.
func (s *VideoSender) watchEncoder(ctx context.Context) {
	limit := softwareStall
	if s.encoder.row.hardware {
		limit = hardwareStall
	}
	w := stallWatch{limit: limit, start: max(limit, s.opens)}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			r := s.encoding.Read()
			brought := r.Entered
			if n, ok := s.entered(); ok && !(s.bare && s.covered.Load()) {
				brought = n
			}
			if waited := w.look(now, brought, r.Entered, r.Left); waited > 0 {
				s.pipe.Fail(&EncoderError{s.encoder.row.name, fmt.Errorf("%w for %v", errStalled, waited.Round(watchEvery))})
				return
			}
		}
	}
}

// stallWatch finds out whether an encoder is stuck, from how many pictures went into it and came out.
type stallWatch struct {
	limit, start time.Duration
	last         time.Time
	left         uint64
	waited       time.Duration
}

// look returns how long the encoder has been stuck, or 0. brought is how many pictures the source has brought: none of them gets to
// an encoder that is stuck while it opens its device. Time in which we did not run does not count.
func (w *stallWatch) look(now time.Time, brought, entered, left uint64) time.Duration {
	since := now.Sub(w.last)
	if w.last.IsZero() || since > 3*watchEvery {
		since = 0
	}
	w.last = now
	limit, inside := w.limit, entered > left
	if left == 0 {
		limit, inside = w.start, inside || brought > 2
	}
	if left != w.left || !inside {
		w.left, w.waited = left, 0
		return 0
	}
	if w.waited += since; w.waited < limit {
		return 0
	}
	return w.waited
}
