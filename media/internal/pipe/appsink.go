// SPDX-License-Identifier: Apache-2.0

package pipe

import (
	"context"
	"runtime"
	"time"

	"github.com/go-gst/go-gst/gst"
	"github.com/go-gst/go-gst/gst/app"
)

// pullWait bounds one wait for a buffer, and so how late a cancelled context
// is noticed; a buffer wakes the wait at once.
const pullWait = 100 * time.Millisecond

// Sink takes data out of a pipeline: an appsink.
type Sink struct {
	app *app.Sink
}

// Sink returns the appsink of that name.
func (p *Pipeline) Sink(name string) (*Sink, error) {
	e, err := p.find(name, "GstAppSink")
	if err != nil {
		return nil, err
	}
	return &Sink{app: app.SinkFromElement(e)}, nil
}

// Pull calls out with the bytes of each buffer until ctx ends or the pipeline
// stops. The bytes are valid only during the call.
func (s *Sink) Pull(ctx context.Context, out func([]byte)) {
	for ctx.Err() == nil {
		sample := s.app.TryPullSample(gst.ClockTime(pullWait))
		if sample == nil {
			if s.app.IsEOS() {
				return
			}
			continue
		}
		deliver(sample, out)
	}
}

// deliver shows one sample to out and releases it.
func deliver(sample *gst.Sample, out func([]byte)) {
	// The finalizers would release these too, but only at a garbage collection
	// that does not see how much memory hangs on them.
	runtime.SetFinalizer(sample, nil)
	defer sample.Unref()
	buf := sample.GetBuffer()
	if buf == nil {
		return
	}
	runtime.SetFinalizer(buf, nil)
	defer buf.Unref()

	if data := view(buf.Map(gst.MapRead)); data != nil {
		out(data)
	}
	buf.Unmap()
}
