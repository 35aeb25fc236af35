// SPDX-License-Identifier: Apache-2.0

package pipe

/*
#cgo pkg-config: gstreamer-app-1.0
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void wake_eos(GstAppSink *sink, gpointer fd) { eventfd_write(GPOINTER_TO_INT(fd), 1); }

static GstFlowReturn wake_sample(GstAppSink *sink, gpointer fd) {
	eventfd_write(GPOINTER_TO_INT(fd), 1);
	return GST_FLOW_OK;
}

static void close_fd(gpointer fd) { close(GPOINTER_TO_INT(fd)); }

// wake_on_sample takes over fd, which is closed with the sink.
static void wake_on_sample(void *sink, int fd) {
	GstAppSinkCallbacks callbacks = { .eos = wake_eos, .new_sample = wake_sample };
	gst_app_sink_set_callbacks(GST_APP_SINK(sink), &callbacks, GINT_TO_POINTER(fd), close_fd);
}

static void wake_need(GstAppSrc *src, guint length, gpointer fd) { eventfd_write(GPOINTER_TO_INT(fd), 1); }

// wake_on_need takes over fd, which is closed with the source.
static void wake_on_need(void *src, int fd) {
	GstAppSrcCallbacks callbacks = { .need_data = wake_need };
	gst_app_src_set_callbacks(GST_APP_SRC(src), &callbacks, GINT_TO_POINTER(fd), close_fd);
}

static int bus_fd(void *bus) {
	GPollFD fd;
	gst_bus_get_pollfd(GST_BUS(bus), &fd);
	return fd.fd;
}
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/go-gst/go-gst/gst"
	"github.com/go-gst/go-gst/gst/app"
	"golang.org/x/sys/unix"
)

// waker lets a goroutine wait for GStreamer in Go's poller. A wait inside GStreamer would occupy a thread in C, and Go's
// runtime checks such threads every 20 us: with some hundred waits a second of two pipelines that took 0.09 s/s, a seventh
// of all CPU time of a co-stream (measured, Go 1.26, 2 cores).
type waker struct {
	file *os.File
	raw  syscall.RawConn
}

// newWaker takes over a non-blocking descriptor. If it is not closed, the garbage collector closes it.
func newWaker(fd int) (*waker, error) {
	w := &waker{file: os.NewFile(uintptr(fd), "gstreamer")}
	// Only descriptors in the poller have deadlines.
	err := w.file.SetReadDeadline(time.Time{})
	if err == nil {
		w.raw, err = w.file.SyscallConn()
	}
	if err != nil {
		return nil, fmt.Errorf("pipeline: %w", errors.Join(err, w.file.Close()))
	}
	return w, nil
}

func (w *waker) close() { _ = w.file.Close() }

// newSinkWaker wakes when an appsink has a sample or the stream has ended.
func newSinkWaker(sink *app.Sink) (*waker, error) {
	return newEventWaker(func(fd C.int) { C.wake_on_sample(sink.Unsafe(), fd) })
}

// newSourceWaker wakes when an appsrc has nothing left to give.
func newSourceWaker(source *app.Source) (*waker, error) {
	return newEventWaker(func(fd C.int) { C.wake_on_need(source.Unsafe(), fd) })
}

// newEventWaker wakes when the descriptor that it passes on is written to.
func newEventWaker(give func(fd C.int)) (*waker, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("pipeline: %w", err)
	}
	w, err := newWaker(fd)
	if err != nil {
		return nil, err
	}
	// The element may live longer than the waker, and must not write to a reused descriptor then.
	own, err := duplicate(fd)
	if err != nil {
		return nil, err
	}
	give(C.int(own))
	return w, nil
}

// newBusWaker wakes when a bus has messages.
func newBusWaker(bus *gst.Bus) (*waker, error) {
	fd, err := duplicate(int(C.bus_fd(bus.Unsafe())))
	if err != nil {
		return nil, err
	}
	// GStreamer's own end is the same open file, and retries if it would block (gstpoll.c, 1.22).
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("pipeline: %w", err)
	}
	return newWaker(fd)
}

func duplicate(fd int) (int, error) {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("pipeline: %w", err)
	}
	return own, nil
}

// each calls look at once, and each time the waker wakes, until ctx ends or look returns true.
func (w *waker) each(ctx context.Context, look func() bool) {
	stop := context.AfterFunc(ctx, func() { _ = w.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	// Nothing is read from the descriptor: the poller reports each new wake, and look is called before the first wait.
	_ = w.raw.Read(func(uintptr) bool { return ctx.Err() != nil || look() })
}
