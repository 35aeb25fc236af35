// SPDX-License-Identifier: Apache-2.0

package pipe

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/go-gst/go-gst/gst"
	"github.com/go-gst/go-gst/gst/app"
)

// ErrNotRunning is wrapped when data is pushed into a pipeline that does not run yet, or no longer.
var ErrNotRunning = errors.New("pipeline is not running")

// Source puts data into a pipeline: an appsrc.
type Source struct {
	pipeline *Pipeline
	app      *app.Source
}

// Source returns the appsrc of that name.
func (p *Pipeline) Source(name string) (*Source, error) {
	e, err := p.find(name, "GstAppSrc")
	if err != nil {
		return nil, err
	}
	return &Source{pipeline: p, app: app.SrcFromElement(e)}, nil
}

// Feed calls next, which pushes data, whenever the pipeline has taken everything, until ctx ends or next returns false.
func (s *Source) Feed(ctx context.Context, next func() bool) error {
	w, err := newSourceWaker(s.app)
	if err != nil {
		return err
	}
	defer w.close()
	w.each(ctx, func() bool { return !next() })
	return nil
}

// Push copies data into one buffer and queues it. It does not block unless the
// launch text says block=true. It may be called from any goroutine.
func (s *Source) Push(data []byte) error {
	return s.PushFunc(len(data), func(b []byte) { copy(b, data) })
}

// PushFunc queues one buffer of size bytes that fill writes. The slice is valid
// only during fill, and its contents are undefined when fill is called.
func (s *Source) PushFunc(size int, fill func([]byte)) error {
	return s.push(size, -1, fill)
}

// PushTimed is PushFunc for a buffer with a time, in terms of Pipeline.RunningTime.
func (s *Source) PushTimed(size int, at time.Duration, fill func([]byte)) error {
	return s.push(size, at, fill)
}

func (s *Source) push(size int, at time.Duration, fill func([]byte)) error {
	// A pipeline that does not run yet would queue without limit, and then begin with old data.
	if !s.pipeline.running.Load() {
		return ErrNotRunning
	}
	if size == 0 {
		return nil
	}
	buf := gst.NewBufferWithSize(int64(size))
	if buf == nil {
		return fmt.Errorf("pipeline: no memory for a buffer of %d bytes", size)
	}
	// PushBuffer takes its own reference. Release this one now, or the memory would stay until a garbage collection, which
	// does not see its size.
	runtime.SetFinalizer(buf, nil)
	defer buf.Unref()

	fill(view(buf.Map(gst.MapWrite)))
	buf.Unmap()
	if at >= 0 {
		buf.SetPresentationTimestamp(gst.ClockTime(at))
	}
	switch flow := s.app.PushBuffer(buf); flow {
	case gst.FlowOK:
		return nil
	case gst.FlowFlushing, gst.FlowEOS:
		return ErrNotRunning
	default:
		return fmt.Errorf("pipeline: push: %s", flow)
	}
}
