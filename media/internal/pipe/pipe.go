// SPDX-License-Identifier: Apache-2.0

// Package pipe runs one GStreamer pipeline from its launch text and moves
// buffers in and out of it without leaking them.
//
// It is the only package that imports go-gst. That binding (v1.4.0) has traps
// that each cost an experiment, so everything that touches it stays here:
// buffers and samples are released by hand instead of by the garbage collector
// (otherwise 124 MB/s pile up at 1080p30, measured), the bus and the sinks are
// waited for in Go's own poller, no Go callback runs on a GStreamer thread, and
// every change of state has a deadline, because GStreamer may block for ever.
//
// It knows nothing of video, sound or networks, but for the colours of JPEG.
package pipe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-gst/go-gst/gst"
	"golang.org/x/sys/unix"
)

// stateTimeout limits every change of state; a healthy one takes milliseconds.
const stateTimeout = 5 * time.Second

var (
	// ErrStuck is wrapped when a pipeline did not start or stop in time. Its
	// threads may still be blocked inside a device or a sound server.
	ErrStuck = errors.New("GStreamer pipeline is stuck")
	// ErrEnded is wrapped when a pipeline without an end reached its end of stream.
	ErrEnded = errors.New("GStreamer pipeline ended by itself")
)

// Error is a fault that an element of a running pipeline reported.
type Error struct {
	// Element is the name of the element, as the launch text gives it.
	Element string
	// Message is GStreamer's text for people.
	Message string
	// Debug is GStreamer's text for developers: source file, cause, errno.
	Debug string
}

func (e *Error) Error() string {
	// The first line of the debug text is a place in GStreamer's source; the system's message follows, if there is one.
	_, cause, _ := strings.Cut(e.Debug, "\n")
	cause = strings.Join(strings.Fields(cause), " ")
	if cause == "" {
		return fmt.Sprintf("%s: %s", e.Element, e.Message)
	}
	return fmt.Sprintf("%s: %s (%s)", e.Element, e.Message, cause)
}

var initOnce sync.Once

// Init initialises GStreamer and disables huge pages for this process and its children. It may be called any number of
// times.
//
// x264 asks for huge pages. The kernel's khugepaged makes them at nice 19, holding the lock of all the process's memory. If
// other programs use up the processors, it waits, and so does each thread that needs memory (seen in OBS on Linux 6.18, four
// busy loops on two cores: 2 to 154 s). Encoding takes no longer without them.
func Init() {
	initOnce.Do(func() {
		// A kernel without huge pages refuses this, which is fine.
		_ = unix.Prctl(unix.PR_SET_THP_DISABLE, 1, 0, 0, 0)
		gst.Init(nil)
	})
}

// Has reports whether GStreamer's registry knows the element.
func Has(element string) bool {
	Init()
	return gst.Find(element) != nil
}

// Version is that of GStreamer's core elements, such as "1.22.0", or empty if they are missing.
func Version() string {
	Init()
	p, err := gst.GetRegistry().FindPlugin("coreelements")
	if err != nil {
		return ""
	}
	return p.Version()
}

// Pipeline is one pipeline. It runs at most once.
type Pipeline struct {
	gst     *gst.Pipeline
	timeout time.Duration // of each change of state
	brisk   time.Duration // of the stop after a failure
	running atomic.Bool
	failed  atomic.Pointer[error] // by Fail
	cancel  atomic.Pointer[context.CancelFunc]
	clock   atomic.Pointer[gst.Clock] // once it is known
	heard   map[string]func(text string)

	threads  *os.File // of which OnThread is told; may be nil
	onThread func(tid int)
}

// Parse makes a pipeline from its launch text, in the syntax of gst-launch-1.0.
func Parse(text string) (*Pipeline, error) {
	Init()
	p, err := gst.NewPipelineFromString(text)
	if err != nil {
		return nil, fmt.Errorf("parse pipeline %q: %w", text, err)
	}
	return &Pipeline{gst: p, timeout: stateTimeout, brisk: stateTimeout}, nil
}

// Limit shortens the timeouts, for a pipeline that must be replaced soon if it fails: of the start, and of the stop after a
// failure. What is stuck inside a driver then is left behind. Call Limit before Run.
func (p *Pipeline) Limit(start, stop time.Duration) { p.timeout, p.brisk = start, stop }

// Fail ends Run with an error, as a fault of an element does. It may be called from any goroutine.
func (p *Pipeline) Fail(err error) {
	if p.failed.CompareAndSwap(nil, &err) {
		if cancel := p.cancel.Load(); cancel != nil {
			(*cancel)()
		}
	}
}

// OnMessage makes Run call f with the text of each message of this name from an element, in one goroutine. f must not block.
// Call OnMessage before Run.
func (p *Pipeline) OnMessage(name string, f func(text string)) {
	if p.heard == nil {
		p.heard = make(map[string]func(string))
	}
	p.heard[name] = f
}

// Dot returns the current pipeline, with the negotiated formats, in the language of Graphviz.
func (p *Pipeline) Dot() string {
	return p.gst.DebugBinToDotData(gst.DebugGraphShowAll)
}

// Run starts the pipeline, calls each work function in a goroutine of its own,
// and waits until ctx ends (nil), an element reports an error (*Error), or the
// stream ends (ErrEnded). It stops the pipeline and waits for the work
// functions, whose context ends at the same moment, before it returns.
func (p *Pipeline) Run(ctx context.Context, work ...func(context.Context)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p.cancel.Store(&cancel)

	var wg sync.WaitGroup
	if p.threads != nil {
		wg.Add(1)
		go func() {
			defer wg.Done()
			p.followThreads(ctx)
		}()
	}
	err := p.setState(gst.StatePlaying, p.timeout)
	if errors.Is(err, ErrStuck) {
		// Another change of state would only wait for the one that is stuck.
		return err
	}
	if err == nil {
		p.running.Store(true)
		for _, w := range work {
			wg.Add(1)
			go func() {
				defer wg.Done()
				w(ctx)
			}()
		}
		err = p.watch(ctx)
		if failed := p.failed.Load(); failed != nil {
			err = *failed
		}
	}
	p.running.Store(false)
	cancel()
	limit := stateTimeout
	if err != nil {
		limit = p.brisk
	}
	if stopErr := p.setState(gst.StateNull, limit); err == nil {
		err = stopErr
	}
	wg.Wait()
	return err
}

// RunningTime is how long the pipeline has run by its own clock, which is the sound card's if there is one. It is 0 while
// the pipeline does not run.
func (p *Pipeline) RunningTime() time.Duration {
	if !p.running.Load() {
		return 0
	}
	clock := p.clock.Load()
	if clock == nil {
		// A sink's clock is chosen with its first buffer.
		if clock = p.gst.GetClock(); clock == nil {
			return 0
		}
		p.clock.Store(clock)
	}
	return time.Duration(clock.GetTime() - p.gst.GetBaseTime())
}

// watch reads the bus until ctx ends or something ends the pipeline.
func (p *Pipeline) watch(ctx context.Context) error {
	bus := p.gst.GetPipelineBus()
	w, err := newBusWaker(bus)
	if err != nil {
		return err
	}
	defer w.close()
	var end error
	w.each(ctx, func() bool {
		for msg := bus.Pop(); msg != nil; msg = bus.Pop() {
			if end = fault(msg); end != nil {
				return true
			}
			p.tell(msg)
		}
		return false
	})
	return end
}

// tell passes a message of an element to the function for it.
func (p *Pipeline) tell(msg *gst.Message) {
	if len(p.heard) == 0 || msg.Type() != gst.MessageElement {
		return
	}
	structure := msg.GetStructure()
	if f := p.heard[structure.Name()]; f != nil {
		f(structure.String())
	}
}

// fault turns a message of the bus into an error, or nil if it is none.
func fault(msg *gst.Message) error {
	if msg == nil {
		return nil
	}
	switch msg.Type() {
	case gst.MessageError:
		e := &Error{Element: msg.Source()}
		if g := msg.ParseError(); g != nil {
			e.Message, e.Debug = strings.TrimSuffix(g.Error(), "."), g.DebugString()
		}
		return e
	case gst.MessageEOS:
		return ErrEnded
	}
	return nil
}

// setState changes the state within the timeout. GStreamer cannot cancel a change that blocks, so the goroutine of a stuck
// one stays.
func (p *Pipeline) setState(state gst.State, limit time.Duration) error {
	done := make(chan error, 1)
	go func() { done <- p.gst.SetState(state) }()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case err := <-done:
		if err == nil {
			return nil
		}
		return p.reason(err)
	case <-timer.C:
		return fmt.Errorf("%w: no state %s after %v", ErrStuck, state, limit)
	}
}

// reason returns what the bus says about a failed change of state; the error of the change itself says nothing.
func (p *Pipeline) reason(err error) error {
	bus := p.gst.GetPipelineBus()
	for msg := bus.Pop(); msg != nil; msg = bus.Pop() {
		if f := fault(msg); f != nil {
			return f
		}
	}
	return err
}
