// SPDX-License-Identifier: Apache-2.0

package pipe

import (
	"context"
	"runtime"
	"time"

	"github.com/go-gst/go-gst/gst"
	"github.com/go-gst/go-gst/gst/app"
)

// Sink takes data out of a pipeline: an appsink.
type Sink struct {
	app   *app.Sink
	waker *waker
}

// Sink returns the appsink of that name.
func (p *Pipeline) Sink(name string) (*Sink, error) {
	e, err := p.find(name, "GstAppSink")
	if err != nil {
		return nil, err
	}
	s := &Sink{app: app.SinkFromElement(e)}
	if s.waker, err = newSinkWaker(s.app); err != nil {
		return nil, err
	}
	return s, nil
}

// Pull calls out with the bytes of each buffer until ctx ends or the pipeline
// stops. The bytes are valid only during the call. It is called once.
func (s *Sink) Pull(ctx context.Context, out func([]byte)) {
	defer s.waker.close()
	s.PullTimed(ctx, func(data []byte, _ time.Duration) { out(data) })
}

// PullTimed is Pull with the time of each buffer, in terms of Pipeline.RunningTime; negative if the buffer has none.
func (s *Sink) PullTimed(ctx context.Context, out func([]byte, time.Duration)) {
	s.waker.each(ctx, func() bool {
		for ctx.Err() == nil {
			sample := s.app.TryPullSample(0)
			if sample == nil {
				return s.app.IsEOS()
			}
			deliver(sample, out)
		}
		return true
	})
}

// deliver shows one sample to out and releases it.
func deliver(sample *gst.Sample, out func([]byte, time.Duration)) {
	// The finalizers would release these, too, but only at a garbage collection, which does not see how much memory they
	// hold.
	runtime.SetFinalizer(sample, nil)
	defer sample.Unref()
	buf := sample.GetBuffer()
	if buf == nil {
		return
	}
	runtime.SetFinalizer(buf, nil)
	defer buf.Unref()

	at := time.Duration(-1)
	if pts := buf.PresentationTimestamp(); pts != gst.ClockTimeNone {
		// Encoders shift the time of their buffers together with their segment.
		segment := sample.GetSegment()
		at = time.Duration(uint64(pts) - segment.GetStart() + segment.GetBase())
	}
	if data := view(buf.Map(gst.MapRead)); data != nil {
		out(data, at)
	}
	buf.Unmap()
}
