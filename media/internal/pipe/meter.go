// SPDX-License-Identifier: Apache-2.0

package pipe

/*
#cgo pkg-config: gstreamer-1.0
#include <gst/gst.h>
#include <stdlib.h>

enum { INSIDE = 64 };

// Meter counts what enters and leaves an element, and how long it takes. All times are in nanoseconds.
typedef struct {
	GMutex lock;
	guint64 entered, left, busy;
	struct { GstClockTime pts; gint64 since; } inside[INSIDE];
	gboolean shifted; // shift is known
	GstClockTime shift; // what leaves has its time later by so much: x264enc adds 1000 h
} Meter;

static gint64 now(void) { return g_get_monotonic_time() * 1000; }

static GstPadProbeReturn enter(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
	Meter *m = data;
	g_mutex_lock(&m->lock);
	int at = m->entered++ % INSIDE;
	m->inside[at].pts = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
	m->inside[at].since = now();
	g_mutex_unlock(&m->lock);
	return GST_PAD_PROBE_OK;
}

// What leaves is found by its time, since an encoder may work on several pictures at once.
static GstPadProbeReturn leave(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
	Meter *m = data;
	GstClockTime pts = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
	g_mutex_lock(&m->lock);
	int oldest = -1, found = -1;
	for (int i = 0; i < INSIDE; i++) {
		if (!m->inside[i].since)
			continue;
		if (oldest < 0 || m->inside[i].since < m->inside[oldest].since)
			oldest = i;
		if (m->shifted && m->inside[i].pts + m->shift == pts)
			found = i;
	}
	if (found < 0 && oldest >= 0) {
		found = oldest;
		m->shift = pts - m->inside[oldest].pts;
		m->shifted = TRUE;
	}
	m->left++;
	if (found >= 0) {
		m->busy += now() - m->inside[found].since;
		m->inside[found].since = 0;
	}
	g_mutex_unlock(&m->lock);
	return GST_PAD_PROBE_OK;
}

// The last one who uses it frees it: two pads and Go.
static Meter *meter_new(void) {
	Meter *m = g_atomic_rc_box_new0(Meter);
	g_mutex_init(&m->lock);
	return m;
}

static void meter_clear(gpointer m) { g_mutex_clear(&((Meter *)m)->lock); }
static void meter_release(gpointer m) { g_atomic_rc_box_release_full(m, meter_clear); }

static void meter_probe(void *element, const char *name, GstPadProbeCallback callback, Meter *m) {
	GstPad *pad = gst_element_get_static_pad(GST_ELEMENT(element), name);
	if (!pad)
		return;
	gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, callback, g_atomic_rc_box_acquire(m), meter_release);
	gst_object_unref(pad);
}

static Meter *meter_element(void *element) {
	Meter *m = meter_new();
	meter_probe(element, "sink", enter, m);
	meter_probe(element, "src", leave, m);
	return m;
}

// A source has nothing that enters: what it brings counts as entered.
static Meter *meter_source(void *element) {
	Meter *m = meter_new();
	meter_probe(element, "src", enter, m);
	return m;
}

static void meter_read(Meter *m, guint64 *entered, guint64 *left, guint64 *busy) {
	g_mutex_lock(&m->lock);
	*entered = m->entered;
	*left = m->left;
	*busy = m->busy;
	g_mutex_unlock(&m->lock);
}
*/
import "C"

import (
	"runtime"
	"time"
)

// Meter counts the buffers of one element, and measures how long the element takes for them.
type Meter struct{ c *C.Meter }

// MeterReading is what a Meter counted up to now.
type MeterReading struct {
	Entered, Left uint64
	// Busy is the sum of the times from when a buffer entered until it left.
	Busy time.Duration
}

// Meter measures an element whose buffers keep their time, such as an encoder.
func (e *Element) Meter() *Meter { return newMeter(C.meter_element(e.gst.Unsafe())) }

// SourceMeter counts as entered what a source brings.
func (e *Element) SourceMeter() *Meter { return newMeter(C.meter_source(e.gst.Unsafe())) }

func newMeter(c *C.Meter) *Meter {
	m := &Meter{c}
	runtime.SetFinalizer(m, func(m *Meter) { C.meter_release(C.gpointer(m.c)) })
	return m
}

// Read returns the counts up to now.
func (m *Meter) Read() MeterReading {
	var entered, left, busy C.guint64
	C.meter_read(m.c, &entered, &left, &busy)
	runtime.KeepAlive(m)
	return MeterReading{Entered: uint64(entered), Left: uint64(left), Busy: time.Duration(busy)}
}
