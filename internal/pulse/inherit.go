// SPDX-License-Identifier: Apache-2.0

package pulse

import (
	"math"

	"golang.org/x/sys/unix"
)

// keepFiles lets no program that is started from now on have what this process has open. Go sees to that for its own
// files; GStreamer's v4l2 elements do not (1.22: a `pactl subscribe` of ours had /dev/video10 open, measured), and a
// device that a left-over program has open cannot be taken away. A kernel before 5.11 refuses; then it is as it was.
func keepFiles() { _ = unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC) }
