// SPDX-License-Identifier: Apache-2.0

// A GStreamer plugin for tests: an element vah264enc that looks like a hardware encoder and is x264enc inside. It fails as the
// environment says: FAKE_ENCODER is empty, or one of fail, hang and crash with the number of the picture, such as fail=150, or one
// of hold, deaf, bframes, keyless, keyrate and green, or wake with the milliseconds that it takes until the first picture.

#include <gst/gst.h>
#include <gst/video/video.h>
#include <stdlib.h>
#include <string.h>

#define PACKAGE "costream-obs"

typedef struct {
	GstBin parent;
	GstElement *inner;
	GstPad *out;
	char mode[16];
	guint at, count;
	GstBuffer *held;
} Fake;
typedef GstBinClass FakeClass;

G_DEFINE_TYPE(Fake, fake, GST_TYPE_BIN)

enum { PROP_BITRATE = 1, PROP_CPB, PROP_B, PROP_REFS, PROP_KEYS, PROP_RC };

static GType rate_control_type(void) {
	static GType type = 0;
	static const GEnumValue values[] = {{2, "Constant bitrate", "cbr"}, {4, "Variable bitrate", "vbr"}, {0, NULL, NULL}};
	if (!type)
		type = g_enum_register_static("FakeRateControl", values);
	return type;
}

static gboolean is(Fake *f, const char *mode) { return !strcmp(f->mode, mode); }

static GstPadProbeReturn entered(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
	Fake *f = data;
	guint n = f->count++;
	if (is(f, "green")) {
		GstBuffer *picture = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
		gst_buffer_memset(picture, 0, 0, -1);
		GST_PAD_PROBE_INFO_DATA(info) = picture;
	}
	if (is(f, "wake") && n == 0)
		g_usleep(f->at * 1000);
	if (n < f->at || !f->at)
		return GST_PAD_PROBE_OK;
	if (is(f, "fail")) {
		GST_ELEMENT_ERROR(f, RESOURCE, FAILED, ("The device is gone."), (NULL));
		return GST_PAD_PROBE_DROP;
	}
	if (is(f, "hang"))
		for (;;)
			g_usleep(G_USEC_PER_SEC);
	if (is(f, "crash"))
		abort();
	return GST_PAD_PROBE_OK;
}

// A late encoder keeps each picture until the next one.
static GstPadProbeReturn leaves(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
	Fake *f = data;
	GstBuffer *now = GST_PAD_PROBE_INFO_BUFFER(info);
	if (!is(f, "hold"))
		return GST_PAD_PROBE_OK;
	GstBuffer *before = f->held;
	f->held = now;
	if (!before) {
		GST_PAD_PROBE_INFO_DATA(info) = NULL;
		return GST_PAD_PROBE_HANDLED;
	}
	GST_PAD_PROBE_INFO_DATA(info) = before;
	return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn asked(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
	GstEvent *event = GST_PAD_PROBE_INFO_EVENT(info);
	if (is(data, "keyless") && gst_video_event_is_force_key_unit(event))
		return GST_PAD_PROBE_DROP;
	return GST_PAD_PROBE_OK;
}

static void set(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
	Fake *f = (Fake *)object;
	switch (id) {
	case PROP_BITRATE:
		if (is(f, "deaf") && f->count)
			return;
		g_object_set(f->inner, "bitrate", g_value_get_uint(value), NULL);
		if (is(f, "keyrate") && f->count)
			gst_pad_send_event(f->out, gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
		break;
	case PROP_KEYS:
		g_object_set(f->inner, "key-int-max", g_value_get_uint(value), NULL);
		break;
	}
}

static void get(GObject *object, guint id, GValue *value, GParamSpec *spec) {}

static void fake_class_init(FakeClass *class) {
	GObjectClass *object = G_OBJECT_CLASS(class);
	object->set_property = set;
	object->get_property = get;
	g_object_class_install_property(object, PROP_BITRATE, g_param_spec_uint("bitrate", "", "kbit/s", 0, 2048000, 0, G_PARAM_READWRITE));
	g_object_class_install_property(object, PROP_CPB, g_param_spec_uint("cpb-size", "", "kbit", 0, 2048000, 0, G_PARAM_READWRITE));
	g_object_class_install_property(object, PROP_B, g_param_spec_uint("b-frames", "", "", 0, 31, 2, G_PARAM_READWRITE));
	g_object_class_install_property(object, PROP_REFS, g_param_spec_uint("ref-frames", "", "", 0, 16, 3, G_PARAM_READWRITE));
	g_object_class_install_property(object, PROP_KEYS, g_param_spec_uint("key-int-max", "", "", 0, 1024, 0, G_PARAM_READWRITE));
	g_object_class_install_property(object, PROP_RC, g_param_spec_enum("rate-control", "", "", rate_control_type(), 4, G_PARAM_READWRITE));
	GstElementClass *element = GST_ELEMENT_CLASS(class);
	gst_element_class_set_static_metadata(element, "Fake H.264 encoder", "Codec/Encoder/Video/Hardware", "For tests", "costream-obs");
	gst_element_class_add_pad_template(element, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
		gst_caps_from_string("video/x-raw,format=NV12")));
	gst_element_class_add_pad_template(element, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS,
		gst_caps_from_string("video/x-h264,stream-format=byte-stream,alignment=au")));
}

static void fake_init(Fake *f) {
	const char *mode = g_getenv("FAKE_ENCODER");
	if (mode) {
		const char *at = strchr(mode, '=');
		g_strlcpy(f->mode, mode, MIN(sizeof f->mode, at ? (gsize)(at - mode) + 1 : sizeof f->mode));
		f->at = at ? atoi(at + 1) : 0;
	}
	GstElement *convert = gst_element_factory_make("videoconvert", NULL);
	f->inner = gst_element_factory_make("x264enc", NULL);
	if (is(f, "bframes"))
		gst_util_set_object_arg(G_OBJECT(f->inner), "option-string", "bframes=2:b-adapt=0:rc-lookahead=0:sync-lookahead=0:sliced-threads=1");
	gst_util_set_object_arg(G_OBJECT(f->inner), "tune", is(f, "bframes") ? "stillimage" : "zerolatency");
	gst_util_set_object_arg(G_OBJECT(f->inner), "speed-preset", "ultrafast");
	g_object_set(f->inner, "vbv-buf-capacity", 100, NULL);
	gst_bin_add_many(GST_BIN(f), convert, f->inner, NULL);
	gst_element_link(convert, f->inner);
	GstPad *in = gst_element_get_static_pad(convert, "sink"), *out = gst_element_get_static_pad(f->inner, "src");
	gst_element_add_pad(GST_ELEMENT(f), gst_ghost_pad_new_from_template("sink", in,
		gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(f), "sink")));
	gst_element_add_pad(GST_ELEMENT(f), gst_ghost_pad_new_from_template("src", out,
		gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(f), "src")));
	gst_pad_add_probe(in, GST_PAD_PROBE_TYPE_BUFFER, entered, f, NULL);
	gst_pad_add_probe(out, GST_PAD_PROBE_TYPE_BUFFER, leaves, f, NULL);
	gst_pad_add_probe(out, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, asked, f, NULL);
	f->out = out;
	gst_object_unref(in);
	gst_object_unref(out); // It lives as long as the bin.
}

static gboolean init(GstPlugin *plugin) { return gst_element_register(plugin, "vah264enc", GST_RANK_NONE, fake_get_type()); }

GST_PLUGIN_DEFINE(1, 22, fakeencoder, "An encoder that fails, for tests", init, "1", "Apache-2.0", "costream-obs",
	"https://github.com/costream-obs/costream-obs")
