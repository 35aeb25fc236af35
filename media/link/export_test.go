// SPDX-License-Identifier: Apache-2.0

package link

// What tests outside the package need: they use internal/pairing, which imports this one.
var (
	NoGoroutines = noGoroutines
	Loopbacks    = loopbacks
)
