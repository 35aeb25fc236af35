// SPDX-License-Identifier: Apache-2.0

package media

// GStreamer pads each row of an I420 picture to a multiple of 4 bytes; ffmpeg and this package do not pad at all. Both are
// the same if the width is a multiple of 8. Common widths that are not: 854 and 1366.

// i420Plane is one plane of an I420 picture.
type i420Plane struct {
	offset, stride int // where GStreamer puts the plane, and its padded row length
	width, rows    int // what the plane holds
}

// i420Planes returns where GStreamer puts the planes of a picture, and the picture's size in bytes.
func i420Planes(w, h int) (planes [3]i420Plane, size int) {
	for i := range planes {
		pw, ph := w, h
		if i > 0 {
			pw, ph = (w+1)/2, (h+1)/2
		}
		stride := (pw + 3) &^ 3
		// GStreamer rounds the rows of the first plane up to an even number.
		rows := ph
		if i == 0 {
			rows = (ph + 1) &^ 1
		}
		planes[i] = i420Plane{offset: size, stride: stride, width: pw, rows: ph}
		size += stride * rows
	}
	return planes, size
}

// padded is the opposite of unpad.
func padded(src []byte, w, h int) []byte {
	planes, size := i420Planes(w, h)
	dst := make([]byte, size)
	for _, p := range planes {
		for y := range p.rows {
			n := copy(dst[p.offset+y*p.stride:], src[:p.width])
			src = src[n:]
		}
	}
	return dst
}

// unpad copies a picture from GStreamer's layout to one without padding.
func unpad(dst, src []byte, w, h int) {
	planes, _ := i420Planes(w, h)
	for _, p := range planes {
		for y := range p.rows {
			row := p.offset + y*p.stride
			n := copy(dst, src[row:row+p.width])
			dst = dst[n:]
		}
	}
}
