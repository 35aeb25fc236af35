// SPDX-License-Identifier: Apache-2.0

package media

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/costream-obs/costream-obs/media/internal/pipe"
)

// encoderRow is one H.264 encoder of GStreamer. docs/encoders.md says in which version it has which property.
type encoderRow struct {
	name     string // of its element
	hardware bool
	// format is the pixel format that all versions of it take.
	format string
	// fixed are the properties for zero latency: no B-frames, no look-ahead, one reference, constant bitrate. Those that this
	// version of the element does not have are left out.
	fixed func(EncoderOptions) []property
	// rate are the properties for the bitrate, in kbit/s, and for how much of it one picture may take, in milliseconds.
	rate func(kbps, vbv int) []property
	// live are those that change them of a running encoder.
	live func(kbps, vbv int) []property
	// output is what the encoder's caps must say; nil for nothing.
	output func(VideoFormat) string
}

// encoderTable are all encoders, the best first. x264enc comes before openh264enc, because it was sharper at the same bitrate
// (docs/encoders.md).
var encoderTable = []encoderRow{
	nvidia("nvh264enc"), nvidia("nvcudah264enc"), nvidia("nvautogpuh264enc"),
	va("vah264enc"), va("vah264lpenc"),
	{
		// https://gstreamer.freedesktop.org/documentation/qsv/qsvh264enc.html
		name: "qsvh264enc", hardware: true, format: "NV12",
		fixed: func(o EncoderOptions) []property {
			return []property{
				{"rate-control", "cbr"}, {"low-latency", "true"}, {"b-frames", "0"}, {"ref-frames", "1"},
				number("gop-size", o.KeyInt), {"idr-interval", "0"},
			}
		},
		rate: func(kbps, _ int) []property { return []property{number("bitrate", kbps), number("max-bitrate", kbps)} },
		live: func(kbps, _ int) []property { return []property{number("bitrate", kbps), number("max-bitrate", kbps)} },
	},
	{
		// https://gstreamer.freedesktop.org/documentation/vaapi/vaapih264enc.html
		name: "vaapih264enc", hardware: true, format: "NV12",
		fixed: func(o EncoderOptions) []property {
			return []property{{"rate-control", "cbr"}, {"max-bframes", "0"}, {"refs", "1"}, number("keyframe-period", o.KeyInt)}
		},
		rate: func(kbps, vbv int) []property { return []property{number("bitrate", kbps), number("cpb-length", vbv)} },
		live: func(kbps, _ int) []property { return []property{number("bitrate", kbps)} },
	},
	{
		// https://gstreamer.freedesktop.org/documentation/video4linux2/v4l2h264enc.html. The names of the controls are those of
		// the kernel, in lower case (V4L2_CID_MPEG_VIDEO_...); drivers lack some.
		name: "v4l2h264enc", hardware: true, format: "NV12",
		fixed: func(o EncoderOptions) []property {
			return []property{{"extra-controls", fmt.Sprintf("controls,video_bitrate_mode=1,video_bitrate=%d,video_b_frames=0,"+
				"video_gop_size=%[2]d,h264_i_frame_period=%[2]d,repeat_sequence_header=1", o.BitrateKbps*1000, o.KeyInt)}}
		},
		rate: func(int, int) []property { return nil },
		live: func(kbps, _ int) []property {
			return []property{{"extra-controls", fmt.Sprintf("controls,video_bitrate=%d", kbps*1000)}}
		},
		// Drivers, such as the Raspberry Pi's, refuse the lowest level, which is the default, for these sizes.
		output: func(f VideoFormat) string { return "video/x-h264,level=(string)" + h264Level(f) },
	},
	{
		// https://gstreamer.freedesktop.org/documentation/x264/index.html
		name: "x264enc", format: "I420",
		fixed: func(o EncoderOptions) []property {
			return []property{{"tune", "zerolatency"}, {"speed-preset", "ultrafast"}, number("key-int-max", o.KeyInt)}
		},
		rate: x264Rate,
		live: x264Rate,
	},
	{
		// https://gstreamer.freedesktop.org/documentation/openh264/openh264enc.html. It looks for changes of scene to make key
		// frames, which we ask for, and its bitrates are in bit/s.
		name: "openh264enc", format: "I420",
		fixed: func(o EncoderOptions) []property {
			return []property{
				{"rate-control", "bitrate"}, {"complexity", "low"}, {"usage-type", "camera"}, {"scene-change-detection", "false"},
				{"enable-frame-skip", "false"}, {"slice-mode", "auto"}, number("gop-size", o.KeyInt),
			}
		},
		rate: func(kbps, _ int) []property { return openH264Rate(kbps) },
		live: func(kbps, _ int) []property { return openH264Rate(kbps) },
	},
}

func x264Rate(kbps, vbv int) []property {
	return []property{number("bitrate", kbps), number("vbv-buf-capacity", vbv)}
}

func openH264Rate(kbps int) []property {
	return []property{number("bitrate", kbps*1000), number("max-bitrate", kbps*1000)}
}

// nvidia is an encoder of NVIDIA's cards. They have two generations of elements with different names of properties; presets p1 to
// p7 came with "tune".
//
// https://gstreamer.freedesktop.org/documentation/nvcodec/nvh264enc.html
func nvidia(name string) encoderRow {
	return encoderRow{
		name: name, hardware: true, format: "NV12",
		fixed: func(o EncoderOptions) []property {
			return []property{
				{"preset", "p3"}, {"preset", "low-latency-hq"}, {"tune", "ultra-low-latency"},
				{"rc-mode", "cbr"}, {"rate-control", "cbr"},
				{"zerolatency", "true"}, {"zero-reorder-delay", "true"},
				{"bframes", "0"}, {"b-frames", "0"}, {"rc-lookahead", "0"}, {"b-adapt", "false"},
				number("gop-size", o.KeyInt),
			}
		},
		rate: func(kbps, vbv int) []property {
			return []property{number("bitrate", kbps), number("vbv-buffer-size", kbps*vbv/1000)} // kbit
		},
		// A change of the VBV buffer would begin a new session.
		live: func(kbps, _ int) []property { return []property{number("bitrate", kbps)} },
	}
}

// va is an encoder of VA-API, the low-power one too. Its key frames are 1024 pictures apart at most.
//
// https://gstreamer.freedesktop.org/documentation/va/vah264enc.html
func va(name string) encoderRow {
	rate := func(kbps, vbv int) []property {
		return []property{number("bitrate", kbps), number("cpb-size", kbps*vbv/1000)} // kbit
	}
	return encoderRow{
		name: name, hardware: true, format: "NV12",
		fixed: func(o EncoderOptions) []property {
			return []property{{"rate-control", "cbr"}, {"b-frames", "0"}, {"ref-frames", "1"}, number("key-int-max", o.KeyInt)}
		},
		rate: rate,
		live: rate,
	}
}

func number(name string, value int) property { return property{name, strconv.Itoa(value)} }

// h264Level is the lowest usual level for pictures of a format, by the blocks of 16x16 that it allows a second (ITU-T H.264, A-1).
func h264Level(f VideoFormat) string {
	blocks := ((f.W + 15) / 16) * ((f.H + 15) / 16) * f.FPSNum / max(f.FPSDen, 1)
	switch {
	case blocks <= 245_760:
		return "4"
	case blocks <= 522_240:
		return "4.2"
	}
	return "5.1"
}

func encoderNamed(name string) *encoderRow {
	for i := range encoderTable {
		if encoderTable[i].name == name {
			return &encoderTable[i]
		}
	}
	return nil
}

// softwareEncoder is the first software encoder that this machine has, else the one to install.
func softwareEncoder() *encoderRow {
	first := -1
	for i, row := range encoderTable {
		switch {
		case row.hardware:
		case pipe.Has(row.name):
			return &encoderTable[i]
		case first < 0:
			first = i
		}
	}
	return &encoderTable[first]
}

// EncoderNames are the GStreamer elements that can encode our picture, the best first.
func EncoderNames() []string {
	names := make([]string, len(encoderTable))
	for i, row := range encoderTable {
		names[i] = row.name
	}
	return names
}

// PresentEncoders are those of EncoderNames that this machine has. That its hardware works is not known.
func PresentEncoders() []string {
	return slices.DeleteFunc(EncoderNames(), func(name string) bool { return !pipe.Has(name) })
}

// HardwareEncoder reports whether an encoder of that name uses a graphics card or another device.
func HardwareEncoder(name string) bool {
	row := encoderNamed(name)
	return row != nil && row.hardware
}

// SoftwareEncoder is the name of the first software encoder that this machine has, else of the one to install.
func SoftwareEncoder() string { return softwareEncoder().name }

// EncoderPlugin returns the file and the version of an encoder's GStreamer plugin.
func EncoderPlugin(name string) (file, version string) { return pipe.Plugin(name) }
