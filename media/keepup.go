// SPDX-License-Identifier: Apache-2.0

package media

import "time"

// Thin has only one in every so many pictures encoded, where the encoder is too slow for all. It may be called from any
// goroutine.
func (s *VideoSender) Thin(every int) { s.thinner.Set(every) }

// Yield decides how many pictures to leave out while this machine is too slow for all. It leaves out more while some come
// late, and fewer after a quiet time, which is longer after each attempt that was too early. Where it does not help, it stops
// for a while. The zero value leaves out none.
type Yield struct{ c courtesy }

// Look takes how many pictures have come late since the beginning, once a second, and returns n of "one picture in n", and
// whether that has changed.
func (y *Yield) Look(late int, now time.Time) (every int, changed bool) {
	changed = y.c.observe(late, now)
	return int(y.c.divisor()), changed
}

// Hold begins the quiet time anew: it is known that more pictures would be too many.
func (y *Yield) Hold(now time.Time) { y.c.changed = now }
