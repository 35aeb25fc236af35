// SPDX-License-Identifier: Apache-2.0

package pipe

/*
#cgo pkg-config: gstreamer-1.0
#include <gst/gst.h>
#include <sys/syscall.h>
#include <unistd.h>

// tell_thread runs in the thread that the message is about.
static GstBusSyncReply tell_thread(GstBus *bus, GstMessage *message, gpointer fd) {
	if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_STREAM_STATUS) {
		GstStreamStatusType type;
		GstElement *owner;
		gst_message_parse_stream_status(message, &type, &owner);
		if (type == GST_STREAM_STATUS_TYPE_ENTER) {
			gint32 tid = syscall(SYS_gettid);
			ssize_t written = write(GPOINTER_TO_INT(fd), &tid, sizeof tid);
			(void)written; // A reader that does not keep up misses a thread.
		}
	}
	return GST_BUS_PASS;
}

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
// goroutine. Call it before Run.
func (p *Pipeline) OnThread(f func(tid int)) error {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return fmt.Errorf("pipeline: %w", err)
	}
	p.threads, p.onThread = os.NewFile(uintptr(fds[0]), "threads"), f
	C.tell_threads(p.gst.GetPipelineBus().Unsafe(), C.int(fds[1]))
	return nil
}

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
