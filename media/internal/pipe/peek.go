// SPDX-License-Identifier: Apache-2.0

package pipe

/*
#cgo pkg-config: gstreamer-video-1.0
#include <gst/video/video.h>

// A peek belongs to its pad and to Go: refs counts both. Times are those of g_get_monotonic_time, in microseconds.
typedef struct {
	gatomicrefcount refs;
	GMutex lock;
	gint64 every, keep; // the least time between two pictures, and for how long one is new, or a question holds
	gint64 asked, taken;
	guint8 *data; // I420 without padding
	gsize size;
} Peek;

static void peek_unref(gpointer data) {
	Peek *p = data;
	if (!g_atomic_ref_count_dec(&p->refs))
		return;
	g_mutex_clear(&p->lock);
	g_free(p->data);
	g_free(p);
}

static void peek_take(Peek *p, GstPad *pad, GstBuffer *buffer) {
	GstCaps *caps = gst_pad_get_current_caps(pad);
	GstVideoInfo format;
	GstVideoFrame frame;
	gboolean ok = caps && gst_video_info_from_caps(&format, caps) && GST_VIDEO_INFO_FORMAT(&format) == GST_VIDEO_FORMAT_I420;
	if (caps)
		gst_caps_unref(caps);
	if (!ok || !gst_video_frame_map(&frame, &format, buffer, GST_MAP_READ))
		return;
	gsize size = 0;
	for (int plane = 0; plane < 3; plane++)
		size += (gsize)GST_VIDEO_FRAME_COMP_WIDTH(&frame, plane) * GST_VIDEO_FRAME_COMP_HEIGHT(&frame, plane);
	if (size != p->size) {
		p->data = g_realloc(p->data, size);
		p->size = size;
	}
	guint8 *to = p->data;
	for (int plane = 0; plane < 3; plane++) {
		const guint8 *from = GST_VIDEO_FRAME_PLANE_DATA(&frame, plane);
		int width = GST_VIDEO_FRAME_COMP_WIDTH(&frame, plane);
		for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(&frame, plane); y++, to += width)
			memcpy(to, from + (gsize)y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, plane), width);
	}
	gst_video_frame_unmap(&frame);
	p->taken = g_get_monotonic_time();
}

static GstPadProbeReturn peek_buffer(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
	Peek *p = data;
	g_mutex_lock(&p->lock);
	gint64 now = g_get_monotonic_time();
	if (p->asked && now - p->asked <= p->keep && (!p->taken || now - p->taken >= p->every))
		peek_take(p, pad, GST_PAD_PROBE_INFO_BUFFER(info));
	g_mutex_unlock(&p->lock);
	return GST_PAD_PROBE_OK;
}

static Peek *peek_new(void *element, gint64 every, gint64 keep) {
	GstPad *pad = gst_element_get_static_pad(GST_ELEMENT(element), "sink");
	if (!pad)
		return NULL;
	Peek *p = g_new0(Peek, 1);
	g_atomic_ref_count_init(&p->refs);
	g_mutex_init(&p->lock);
	p->every = every;
	p->keep = keep;
	g_atomic_ref_count_inc(&p->refs);
	gulong id = gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, peek_buffer, p, peek_unref);
	gst_object_unref(pad);
	if (id == 0) { // It has released the pad's part.
		peek_unref(p);
		return NULL;
	}
	return p;
}

// peek_look returns a copy, which g_free frees, or NULL.
static guint8 *peek_look(Peek *p, gsize *size) {
	guint8 *copy = NULL;
	g_mutex_lock(&p->lock);
	gint64 now = g_get_monotonic_time();
	p->asked = now;
	if (p->taken && now - p->taken <= p->keep && (copy = g_malloc(p->size))) {
		memcpy(copy, p->data, p->size);
		*size = p->size;
	}
	g_mutex_unlock(&p->lock);
	return copy;
}
*/
import "C"

import (
	"fmt"
	"runtime"
	"time"
	"unsafe"
)

// Peek copies one of the pictures that go into an element now and then, while somebody looks. Nothing is copied otherwise.
type Peek struct{ c *C.Peek }

// Peek makes a peek at the element of that name, whose pictures must be I420. What covers made before it put in their place
// is what it sees. It copies a picture at most once in every, while Look was called in the last keep.
func (p *Pipeline) Peek(name string, every, keep time.Duration) (*Peek, error) {
	e, err := p.find(name, "")
	if err != nil {
		return nil, err
	}
	c := C.peek_new(e.Unsafe(), C.gint64(every.Microseconds()), C.gint64(keep.Microseconds()))
	if c == nil {
		return nil, fmt.Errorf("pipeline: element %s has no pictures to look at", name)
	}
	peek := &Peek{c}
	runtime.SetFinalizer(peek, func(p *Peek) { C.peek_unref(C.gpointer(p.c)) })
	return peek, nil
}

// Look returns the newest copy, I420 without padding, or nil if there is none of the last keep. It may be called from any
// goroutine.
func (p *Peek) Look() []byte {
	var size C.gsize
	data := C.peek_look(p.c, &size)
	runtime.KeepAlive(p)
	if data == nil {
		return nil
	}
	defer C.g_free(C.gpointer(data))
	return C.GoBytes(unsafe.Pointer(data), C.int(size))
}
