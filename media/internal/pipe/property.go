// SPDX-License-Identifier: Apache-2.0

package pipe

/*
#cgo pkg-config: gstreamer-1.0
#include <gst/gst.h>
#include <stdlib.h>

// fit returns the value as launch text, or NULL where elements of that name have no such property or it does not take the value.
static char *fit(const char *factory, const char *name, const char *value) {
	char *fitted = NULL;
	GstElementFactory *known = gst_element_factory_find(factory);
	if (!known)
		return NULL;
	GstPluginFeature *loaded = gst_plugin_feature_load(GST_PLUGIN_FEATURE(known));
	gst_object_unref(known);
	if (!loaded)
		return NULL;
	GType type = gst_element_factory_get_element_type(GST_ELEMENT_FACTORY(loaded));
	gpointer class = type ? g_type_class_ref(type) : NULL;
	GParamSpec *spec = class ? g_object_class_find_property(class, name) : NULL;
	if (spec && spec->flags & G_PARAM_WRITABLE) {
		GValue v = G_VALUE_INIT;
		g_value_init(&v, G_PARAM_SPEC_VALUE_TYPE(spec));
		if (gst_value_deserialize(&v, value)) {
			g_param_value_validate(spec, &v); // moves a number into the range
			gboolean number = G_VALUE_HOLDS_INT(&v) || G_VALUE_HOLDS_UINT(&v) || G_VALUE_HOLDS_UINT64(&v);
			fitted = number ? gst_value_serialize(&v) : g_strdup(value);
		}
		g_value_unset(&v);
	}
	if (class)
		g_type_class_unref(class);
	gst_object_unref(loaded);
	return fitted;
}

static char *plugin_file(const char *factory, char **version) {
	char *file = NULL;
	GstElementFactory *known = gst_element_factory_find(factory);
	if (!known)
		return NULL;
	GstPlugin *plugin = gst_plugin_feature_get_plugin(GST_PLUGIN_FEATURE(known));
	if (plugin) {
		file = g_strdup(gst_plugin_get_filename(plugin));
		*version = g_strdup(gst_plugin_get_version(plugin));
		gst_object_unref(plugin);
	}
	gst_object_unref(known);
	return file;
}
*/
import "C"

import "unsafe"

// Fit returns a value of a property as launch text. It is not ok where the elements of a factory have no such property, or it does
// not take the value: the word of an enum that this version lacks. A number outside the property's range becomes the nearest
// inside. Asking loads the element's plugin.
func Fit(factory, property, value string) (fitted string, ok bool) {
	Init()
	texts := [3]*C.char{C.CString(factory), C.CString(property), C.CString(value)}
	defer func() {
		for _, t := range texts {
			C.free(unsafe.Pointer(t))
		}
	}()
	text := C.fit(texts[0], texts[1], texts[2])
	if text == nil {
		return "", false
	}
	defer C.g_free(C.gpointer(text))
	return C.GoString(text), true
}

// Plugin returns the file and the version of the plugin that an element comes from; both are empty where there is none.
func Plugin(factory string) (file, version string) {
	Init()
	name := C.CString(factory)
	defer C.free(unsafe.Pointer(name))
	var v *C.char
	f := C.plugin_file(name, &v)
	defer C.g_free(C.gpointer(f))
	defer C.g_free(C.gpointer(v))
	return C.GoString(f), C.GoString(v)
}
