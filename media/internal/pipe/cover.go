// SPDX-License-Identifier: Apache-2.0

package pipe

/*
#cgo pkg-config: gstreamer-1.0
#include <gst/gst.h>

// A cover belongs to the pad that it covers and to Go: refs counts both.
typedef struct {
	gatomicrefcount refs;
	GMutex lock;
	gboolean on;
	GstBuffer *picture; // NULL: nothing passes
} Cover;

static void cover_unref(gpointer data) {
	Cover *c = data;
	if (!g_atomic_ref_count_dec(&c->refs))
		return;
	if (c->picture)
		gst_buffer_unref(c->picture);
	g_mutex_clear(&c->lock);
	g_free(c);
}

static GstPadProbeReturn cover_buffer(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
	Cover *c = data;
	g_mutex_lock(&c->lock);
	gboolean on = c->on;
	g_mutex_unlock(&c->lock);
	if (!on)
		return GST_PAD_PROBE_OK;
	if (!c->picture)
		return GST_PAD_PROBE_DROP;
	GstBuffer *under = GST_PAD_PROBE_INFO_BUFFER(info);
	GstBuffer *picture = gst_buffer_copy(c->picture); // shares the memory
	gst_buffer_copy_into(picture, under, GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
	gst_buffer_unref(under);
	GST_PAD_PROBE_INFO_DATA(info) = picture;
	return GST_PAD_PROBE_OK;
}

static Cover *cover_new(void *element, const void *picture, gsize size) {
	GstPad *pad = gst_element_get_static_pad(GST_ELEMENT(element), "sink");
	if (!pad)
		return NULL;
	Cover *c = g_new0(Cover, 1);
	g_atomic_ref_count_init(&c->refs);
	g_mutex_init(&c->lock);
	if (size > 0 && (c->picture = gst_buffer_new_allocate(NULL, size, NULL)))
		gst_buffer_fill(c->picture, 0, picture, size);
	g_atomic_ref_count_inc(&c->refs);
	gulong id = gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, cover_buffer, c, cover_unref);
	gst_object_unref(pad);
	if (id == 0) { // It has released the pad's part.
		cover_unref(c);
		return NULL;
	}
	return c;
}

static void cover_set(Cover *c, gboolean on) {
	g_mutex_lock(&c->lock);
	c->on = on;
	g_mutex_unlock(&c->lock);
}
*/
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"
)

// Cover puts one picture in the place of all that go into an element, while it is on. Their times stay.
type Cover struct{ c *C.Cover }

// Cover makes a cover, which is off, for the element of that name. The picture is copied, and must have the format of those
// that go into the element. While the cover is on and there is no picture, nothing goes in.
func (p *Pipeline) Cover(name string, picture []byte) (*Cover, error) {
	e, err := p.find(name, "")
	if err != nil {
		return nil, err
	}
	c := C.cover_new(e.Unsafe(), unsafe.Pointer(unsafe.SliceData(picture)), C.gsize(len(picture)))
	if c == nil {
		return nil, fmt.Errorf("pipeline: element %s has no pictures to cover", name)
	}
	cover := &Cover{c}
	runtime.SetFinalizer(cover, func(c *Cover) { C.cover_unref(C.gpointer(c.c)) })
	return cover, nil
}

// Set turns the cover on or off, for all that goes into the element after Set has returned. It may be called from any goroutine.
func (c *Cover) Set(on bool) {
	value := C.gboolean(0)
	if on {
		value = 1
	}
	C.cover_set(c.c, value)
	runtime.KeepAlive(c)
}
