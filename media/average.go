// SPDX-License-Identifier: Apache-2.0

package media

import (
	"sync/atomic"
	"time"
)

// average is the mean of about the last 32 durations. One goroutine may add
// while others read.
type average struct{ d atomic.Int64 }

func (a *average) add(d time.Duration) {
	if was := time.Duration(a.d.Load()); was != 0 {
		d = was + (d-was)/32
	}
	a.d.Store(int64(d))
}

func (a *average) value() time.Duration { return time.Duration(a.d.Load()) }
