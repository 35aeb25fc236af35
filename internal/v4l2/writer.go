// SPDX-License-Identifier: Apache-2.0

package v4l2

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"unsafe"

	"golang.org/x/sys/unix"
)

// loopbackWriter writes I420 pictures to a v4l2loopback device, by plain
// write() as OBS's own virtual camera does.
//
// v4l2sink will not do: while OBS reads the device, the module keeps the
// format of a writer that died and offers 30 pictures a second as the only
// rate, so that v4l2sink cannot come back at any other (measured, 0.12.7 and
// GStreamer 1.22: "not-negotiated").
type loopbackWriter struct {
	fd   int
	path string
}

// From linux/videodev2.h.
const (
	bufVideoOutput   = 2
	fieldNone        = 1
	colorspaceREC709 = 3
	pixFmtYUV420     = 'Y' | 'U'<<8 | '1'<<16 | '2'<<24

	// ioctlStreamOn and ioctlStreamOff take an int.
	ioctlStreamOn  = 1<<30 | 4<<16 | 'V'<<8 | 18
	ioctlStreamOff = 1<<30 | 4<<16 | 'V'<<8 | 19
)

// v4l2Format is struct v4l2_format and, as far as it matters here, struct
// v4l2_streamparm: a type and a union of 200 bytes.
type v4l2Format struct {
	kind  uint32
	union [200 / unsafe.Sizeof(uintptr(0))]uintptr
}

// words are the union's first 32-bit words.
func (f *v4l2Format) words() *[12]uint32 { return (*[12]uint32)(unsafe.Pointer(&f.union)) }

// v4l2StreamParm is struct v4l2_streamparm, whose union holds no pointers.
type v4l2StreamParm struct {
	kind  uint32
	union [50]uint32
}

// readWrite is the number of an ioctl that takes and returns n bytes.
func readWrite(number, n uintptr) uintptr { return 3<<30 | n<<16 | 'V'<<8 | number }

// Format is that of the I420 pictures that are written to a device.
type Format struct {
	W, H           int // even numbers of pixels
	FPSNum, FPSDen int
	Size           int // of a picture, in bytes
}

// ErrNotWritable says that a device is no video device that can be written to.
var ErrNotWritable = errors.New("no video device that can be written to")

// OpenWriter opens a device and gives it the format. The device then counts
// as written from the first picture to Close. Its errors wrap fs.PathError where the device cannot be opened, and ErrNotWritable.
func OpenWriter(path string, f Format) (io.WriteCloser, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	d := &loopbackWriter{fd: fd, path: path}
	if err := d.setFormat(f); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	// Up to 0.13 this marks us as the writer, whose end the module notices;
	// from 0.14 on write() does, and this is refused (v4l2loopback.c).
	_ = d.stream(ioctlStreamOn)
	return d, nil
}

func (d *loopbackWriter) setFormat(f Format) error {
	format := v4l2Format{kind: bufVideoOutput}
	pix := format.words()
	pix[0], pix[1], pix[2], pix[3] = uint32(f.W), uint32(f.H), pixFmtYUV420, fieldNone
	pix[4], pix[5], pix[6] = uint32(f.W), uint32(f.Size), colorspaceREC709
	err := d.ioctl(readWrite(5, unsafe.Sizeof(format)), unsafe.Pointer(&format)) // VIDIOC_S_FMT
	switch {
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("%s: another program writes to it, or reads it in another format; see which with: sudo fuser -v %s", d.path, d.path)
	case err != nil:
		return fmt.Errorf("%s is %w (VIDIOC_S_FMT: %w)", d.path, ErrNotWritable, err)
	case pix[0] != uint32(f.W) || pix[1] != uint32(f.H) || pix[2] != pixFmtYUV420:
		// The module answers with the format that others hold it to.
		return fmt.Errorf("%s is kept at %dx%d %s by a program that has it open, and %dx%d is needed; see which with: sudo fuser -v %s",
			d.path, pix[0], pix[1], fourCC(pix[2]), f.W, f.H, d.path)
	}
	rate := v4l2StreamParm{kind: bufVideoOutput}
	rate.union[2], rate.union[3] = uint32(f.FPSDen), uint32(f.FPSNum)
	// A reader may want to know; OBS does not mind.
	_ = d.ioctl(readWrite(22, unsafe.Sizeof(rate)), unsafe.Pointer(&rate)) // VIDIOC_S_PARM
	return nil
}

func fourCC(code uint32) string {
	return string([]byte{byte(code), byte(code >> 8), byte(code >> 16), byte(code >> 24)})
}

// Write writes one picture. It does not wait for readers.
func (d *loopbackWriter) Write(picture []byte) (int, error) {
	n, err := unix.Write(d.fd, picture)
	if err != nil {
		return max(n, 0), &fs.PathError{Op: "write", Path: d.path, Err: err}
	}
	return n, nil
}

func (d *loopbackWriter) Close() error {
	_ = d.stream(ioctlStreamOff)
	return unix.Close(d.fd)
}

func (d *loopbackWriter) stream(request uintptr) error {
	kind := int32(bufVideoOutput)
	return d.ioctl(request, unsafe.Pointer(&kind))
}

func (d *loopbackWriter) ioctl(request uintptr, argument unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(d.fd), request, uintptr(argument)); errno != 0 {
		return errno
	}
	return nil
}
