// SPDX-License-Identifier: Apache-2.0

package pipe

/*
#cgo pkg-config: gstreamer-1.0
#include <gst/gst.h>

// A thinner belongs to its pad and to Go: refs counts both.
typedef struct {
	gatomicrefcount refs;
	GMutex lock;
	guint every, since; // one passes in every; so many have been held back since
	guint64 held;
} Thinner;

static void thinner_unref(gpointer data) {
	Thinner *t = data;
	if (!g_atomic_ref_count_dec(&t->refs))
		return;
	g_mutex_clear(&t->lock);
	g_free(t);
}

static GstPadProbeReturn thinner_buffer(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
	Thinner *t = data;
	GstPadProbeReturn what = GST_PAD_PROBE_OK;
	g_mutex_lock(&t->lock);
	if (++t->since < t->every) {
		t->held++;
		what = GST_PAD_PROBE_DROP;
	} else {
		t->since = 0;
	}
	g_mutex_unlock(&t->lock);
	return what;
}

static Thinner *thinner_new(void *element) {
	GstPad *pad = gst_element_get_static_pad(GST_ELEMENT(element), "sink");
	if (!pad)
		return NULL;
	Thinner *t = g_new0(Thinner, 1);
	g_atomic_ref_count_init(&t->refs);
	g_mutex_init(&t->lock);
	t->every = 1;
	g_atomic_ref_count_inc(&t->refs);
	gulong id = gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, thinner_buffer, t, thinner_unref);
	gst_object_unref(pad);
	if (id == 0) { // It has released the pad's part.
		thinner_unref(t);
		return NULL;
	}
	return t;
}

static void thinner_set(Thinner *t, guint every) {
	g_mutex_lock(&t->lock);
	t->every = every;
	g_mutex_unlock(&t->lock);
}

static guint64 thinner_held(Thinner *t) {
	g_mutex_lock(&t->lock);
	guint64 held = t->held;
	g_mutex_unlock(&t->lock);
	return held;
}
*/
import "C"

import (
	"fmt"
	"runtime"
)

// Thinner lets only one in some number of pictures into an element.
type Thinner struct{ c *C.Thinner }

// Thinner makes a thinner for the element of that name, which lets all in.
func (p *Pipeline) Thinner(name string) (*Thinner, error) {
	e, err := p.find(name, "")
	if err != nil {
		return nil, err
	}
	c := C.thinner_new(e.Unsafe())
	if c == nil {
		return nil, fmt.Errorf("pipeline: element %s has no pictures to thin out", name)
	}
	t := &Thinner{c}
	runtime.SetFinalizer(t, func(t *Thinner) { C.thinner_unref(C.gpointer(t.c)) })
	return t, nil
}

// Set lets one in every so many pictures in. It may be called from any goroutine.
func (t *Thinner) Set(every int) {
	C.thinner_set(t.c, C.guint(max(every, 1)))
	runtime.KeepAlive(t)
}

// Held is how many pictures were not let in.
func (t *Thinner) Held() uint64 {
	n := uint64(C.thinner_held(t.c))
	runtime.KeepAlive(t)
	return n
}
