// SPDX-License-Identifier: Apache-2.0

package v4l2

import (
	"encoding/binary"
	"io/fs"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Controls are what v4l2loopback lets users set for each node while it runs.
type Controls struct {
	// KeepFormat: the format stays when the last program has closed the node,
	// and no writer may choose another one.
	KeepFormat bool
	// Timeout is how many milliseconds without a frame readers wait before
	// they get a substitute; 0: for ever.
	Timeout int
}

// Ids from v4l2loopback.c, the same in 0.12.7 to 0.15.4, and the request of
// linux/videodev2.h that reads one.
const (
	controlBase    = 0x00980900 | 0xf000 // V4L2_CID_USER_BASE | 0xf000
	controlKeep    = controlBase
	controlTimeout = controlBase + 2
	ioctlGetCtrl   = 3<<30 | 8<<16 | 'V'<<8 | 27 // VIDIOC_G_CTRL of struct v4l2_control
)

// Controls reads the controls of a loopback node, and changes nothing.
func (s System) Controls(path string) (Controls, error) {
	fd, err := unix.Open(s.path(path), unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return Controls{}, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	keep, err := control(fd, controlKeep)
	if err != nil {
		return Controls{}, &fs.PathError{Op: "VIDIOC_G_CTRL keep_format", Path: path, Err: err}
	}
	timeout, err := control(fd, controlTimeout)
	if err != nil {
		return Controls{}, &fs.PathError{Op: "VIDIOC_G_CTRL timeout", Path: path, Err: err}
	}
	return Controls{KeepFormat: keep != 0, Timeout: int(timeout)}, nil
}

// control reads one value by a struct v4l2_control: id and value of 32 bits.
func control(fd int, id uint32) (int32, error) {
	var raw [8]byte
	binary.NativeEndian.PutUint32(raw[:], id)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), ioctlGetCtrl, uintptr(unsafe.Pointer(&raw)))
	if errno != 0 {
		return 0, errno
	}
	return int32(binary.NativeEndian.Uint32(raw[4:])), nil
}
