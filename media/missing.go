// SPDX-License-Identifier: Apache-2.0

package media

import (
	"slices"
	"strings"

	"github.com/costream-obs/costream-obs/media/internal/pipe"
)

// MissingElement is a GStreamer element that this machine lacks.
type MissingElement struct {
	// Element is the name of the element's factory, such as x264enc.
	Element string
	// Package is the Debian and Ubuntu package that holds it, or empty when
	// none of the known ones does.
	Package string
}

// MissingElementError says which GStreamer elements are missing and how to get
// them.
type MissingElementError struct {
	Missing []MissingElement
}

func (e *MissingElementError) Error() string {
	var elements, packages []string
	for _, m := range e.Missing {
		elements = append(elements, m.Element)
		if m.Package != "" && !slices.Contains(packages, m.Package) {
			packages = append(packages, m.Package)
		}
	}
	text := "GStreamer has no element " + strings.Join(elements, ", ")
	if len(packages) > 0 {
		slices.Sort(packages)
		text += "; install it with: sudo apt install " + strings.Join(packages, " ")
	}
	return text
}

// Missing returns those of the named elements that this machine lacks, each
// once, in the order given.
func Missing(elements ...string) []MissingElement {
	return missing(pipe.Has, elements)
}

func missing(has func(string) bool, elements []string) []MissingElement {
	var out []MissingElement
	for i, e := range elements {
		if slices.Contains(elements[:i], e) || has(e) {
			continue
		}
		out = append(out, MissingElement{Element: e, Package: debianPackage(e)})
	}
	return out
}

// debianPackage returns the package of an element, as Debian 12 and Ubuntu
// 24.04 cut them.
func debianPackage(element string) string {
	switch element {
	case "queue", "identity", "fakesink", "capsfilter":
		return "libgstreamer1.0-0"
	case "appsrc", "appsink", "videoconvert", "videoscale", "videotestsrc", "audiotestsrc",
		"audioconvert", "audioresample", "volume", "opusenc", "opusdec":
		return "gstreamer1.0-plugins-base"
	case "v4l2src", "jpegdec", "pulsesrc", "pulsesink", "level", "rtpjitterbuffer",
		"rtph264pay", "rtph264depay", "rtpopuspay", "rtpopusdepay":
		return "gstreamer1.0-plugins-good"
	case "h264parse", "openh264enc":
		return "gstreamer1.0-plugins-bad"
	case "x264enc":
		return "gstreamer1.0-plugins-ugly"
	case "avdec_h264":
		return "gstreamer1.0-libav"
	}
	return ""
}
