// SPDX-License-Identifier: Apache-2.0

package media

import "fmt"

// VideoSource is the source of a VideoSender's pictures: a DeviceSource, an ImageSource, a RawSource or a TestSource.
type VideoSource interface {
	// capture returns the nodes up to raw pictures of any pixel format, and the
	// format that the sender encodes.
	capture() ([]node, VideoFormat, error)
}

// DeviceSource reads a video device to which OBS's virtual camera writes.
type DeviceSource struct {
	// Path is the device, such as /dev/video10.
	Path string
	VideoFormat
}

// ImageSource takes JPEG images from VideoSender.PushImage. Images of another size are scaled.
type ImageSource struct {
	VideoFormat
}

// RawSource takes raw YUY2 pictures of its size from VideoSender.PushImage: what a DeviceSource reads, without a device.
type RawSource struct {
	VideoFormat
}

// TestSource makes a test picture.
type TestSource struct {
	// Pattern is a pattern of GStreamer's videotestsrc; empty means smpte.
	Pattern string
	VideoFormat
}

var (
	_ VideoSource = DeviceSource{}
	_ VideoSource = ImageSource{}
	_ VideoSource = RawSource{}
	_ VideoSource = TestSource{}
)

// SourceFormat is the format of the pictures that a sender makes of a source.
func SourceFormat(s VideoSource) (VideoFormat, error) {
	_, f, err := s.capture()
	return f, err
}

const (
	// nameImages is the name of the appsrc that takes images.
	nameImages = "images"
	// nameJPEG is the name of the element after which pictures have the colours of JPEG.
	nameJPEG = "jpeg"
)

func (s DeviceSource) capture() ([]node, VideoFormat, error) {
	f, err := s.normal()
	if err != nil {
		return nil, f, err
	}
	return []node{
		element("v4l2src", prop("name", nameCamera), prop("device", s.Path)),
		// YUY2 is what OBS writes; naming it avoids a round of probing.
		caps(fmt.Sprintf("video/x-raw,format=YUY2,width=%d,height=%d,framerate=%d/%d", f.W, f.H, f.FPSNum, f.FPSDen)),
		newest(),
		// The values must pass unchanged, whatever colour matrix the loopback device claims.
		element("videoconvert", "matrix-mode=none"),
	}, f, nil
}

// pushed is the element that takes pictures from us; only the newest waits.
func pushed(caps string) node {
	return element("appsrc", prop("name", nameImages), "is-live=true", "format=time", "do-timestamp=true",
		"max-buffers=1", "leaky-type=downstream", prop("caps", caps))
}

func (s ImageSource) capture() ([]node, VideoFormat, error) {
	f, err := s.normal()
	if err != nil {
		return nil, f, err
	}
	return []node{
		pushed(fmt.Sprintf("image/jpeg,framerate=%d/%d", f.FPSNum, f.FPSDen)),
		element("jpegdec"),
		element("videoconvert", "matrix-mode=none"),
		element("capsfilter", prop("name", nameJPEG), prop("caps", "video/x-raw,format=I420")),
		// They have the right colours already (pipe.ConvertFromJPEG).
		element("videoconvert", "matrix-mode=none"),
		element("videoscale"),
	}, f, nil
}

func (s RawSource) capture() ([]node, VideoFormat, error) {
	f, err := s.normal()
	if err != nil {
		return nil, f, err
	}
	return []node{
		pushed(fmt.Sprintf("video/x-raw,format=YUY2,width=%d,height=%d,framerate=%d/%d", f.W, f.H, f.FPSNum, f.FPSDen)),
		element("videoconvert", "matrix-mode=none"),
	}, f, nil
}

func (s TestSource) capture() ([]node, VideoFormat, error) {
	f, err := s.normal()
	if err != nil {
		return nil, f, err
	}
	pattern := s.Pattern
	if pattern == "" {
		pattern = "smpte"
	}
	return []node{
		element("videotestsrc", "is-live=true", prop("pattern", pattern)),
		caps(fmt.Sprintf("video/x-raw,width=%d,height=%d,framerate=%d/%d", f.W, f.H, f.FPSNum, f.FPSDen)),
		newest(),
		element("videoconvert"),
	}, f, nil
}
