// SPDX-License-Identifier: Apache-2.0

package v4l2

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"unsafe"

	"golang.org/x/sys/unix"
)

// From linux/videodev2.h.
const (
	capVideoCapture = 0x00000001
	capVideoOutput  = 0x00000002
	capDeviceCaps   = 0x80000000

	capabilitySize = 104 // of struct v4l2_capability
	ioctlQueryCap  = 2<<30 | capabilitySize<<16 | 'V'<<8
)

// Capability is what a video driver says about a node.
type Capability struct {
	Loopback        bool // the driver is v4l2loopback
	Output, Capture bool // of this node, not of its whole device
}

// queryCapability opens a node as OBS does, for reading and writing, and asks
// its driver. It changes nothing: a v4l2loopback node counts as written only
// once a format has been set.
func queryCapability(path string) (Capability, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return Capability{}, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var raw [capabilitySize]byte
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), ioctlQueryCap, uintptr(unsafe.Pointer(&raw)))
	if errno != 0 {
		return Capability{}, &fs.PathError{Op: "VIDIOC_QUERYCAP", Path: path, Err: errno}
	}
	return parseCapability(raw[:]), nil
}

// parseCapability reads a struct v4l2_capability: driver, card and bus names
// of 16, 32 and 32 bytes, then version, flags of the device and of the node.
func parseCapability(raw []byte) Capability {
	driver, _, _ := bytes.Cut(raw[:16], []byte{0})
	whole, node := binary.NativeEndian.Uint32(raw[84:]), binary.NativeEndian.Uint32(raw[88:])
	if whole&capDeviceCaps == 0 {
		node = whole
	}
	return Capability{
		Loopback: string(driver) == "v4l2 loopback",
		Output:   node&capVideoOutput != 0,
		Capture:  node&capVideoCapture != 0,
	}
}
