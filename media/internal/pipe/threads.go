// SPDX-License-Identifier: Apache-2.0

package pipe

/*
#cgo pkg-config: gstreamer-1.0
#define _GNU_SOURCE
#include <sched.h>
#include <gst/gst.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static gboolean is(GstMessage *message, GstStreamStatusType wanted) {
	GstStreamStatusType type;
	GstElement *owner;
	if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_STREAM_STATUS)
		return FALSE;
	gst_message_parse_stream_status(message, &type, &owner);
	return type == wanted;
}

// end_real_time takes real-time priority from this thread: GStreamer gives threads of one pipeline to the next. Only root may
// clear reset-on-fork.
static void end_real_time(void) {
	struct sched_param none = {0};
	int policy = sched_getscheduler(0);
	if (policy >= 0 && (policy & ~SCHED_RESET_ON_FORK) != SCHED_OTHER)
		sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none);
}

// tell_thread runs in the thread that the message is about.
static GstBusSyncReply tell_thread(GstBus *bus, GstMessage *message, gpointer fd) {
	if (is(message, GST_STREAM_STATUS_TYPE_LEAVE))
		end_real_time();
	if (is(message, GST_STREAM_STATUS_TYPE_ENTER)) {
		gint32 tid = syscall(SYS_gettid);
		// A reader that does not keep up, or has gone, misses a thread.
		send(GPOINTER_TO_INT(fd), &tid, sizeof tid, MSG_NOSIGNAL);
	}
	return GST_BUS_PASS;
}

// calm_thread does so, too. The threads that this one starts are like it.
static GstBusSyncReply calm_thread(GstBus *bus, GstMessage *message, gpointer none) {
	if (is(message, GST_STREAM_STATUS_TYPE_ENTER)) {
		end_real_time();
		if (getpriority(PRIO_PROCESS, 0) < 0)
			setpriority(PRIO_PROCESS, 0, 0);
	}
	return GST_BUS_PASS;
}

static void calm_threads(void *bus) { gst_bus_set_sync_handler(GST_BUS(bus), calm_thread, NULL, NULL); }

static void close_threads_fd(gpointer fd) { close(GPOINTER_TO_INT(fd)); }

// tell_threads takes over fd, which is closed with the bus.
static void tell_threads(void *bus, int fd) {
	gst_bus_set_sync_handler(GST_BUS(bus), tell_thread, GINT_TO_POINTER(fd), close_threads_fd);
}
*/
import "C"

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// OnThread makes Run call f with the id of each thread on which elements work, soon after the thread has begun, in one
// goroutine. A thread that leaves the pipeline loses real-time priority. Call it before Run.
func (p *Pipeline) OnThread(f func(tid int)) error {
	// Not a pipe: a thread may begin when Run has ended, and SIGPIPE would end the process.
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("pipeline: %w", err)
	}
	p.threads, p.onThread = os.NewFile(uintptr(fds[0]), "threads"), f
	C.tell_threads(p.gst.GetPipelineBus().Unsafe(), C.int(fds[1]))
	return nil
}

// Calm keeps the threads on which elements work, and those that they start, without real-time priority and at nice level 0 or
// above in a process with a lower one. Call it before Run, and not with OnThread.
func (p *Pipeline) Calm() { C.calm_threads(p.gst.GetPipelineBus().Unsafe()) }

// followThreads passes threads on until ctx ends.
func (p *Pipeline) followThreads(ctx context.Context) {
	defer func() { _ = p.threads.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = p.threads.SetReadDeadline(time.Now()) })
	defer stop()
	for tid := make([]byte, 4); ; {
		if _, err := io.ReadFull(p.threads, tid); err != nil {
			return
		}
		p.onThread(int(binary.NativeEndian.Uint32(tid)))
	}
}
