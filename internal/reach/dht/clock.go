// SPDX-License-Identifier: Apache-2.0

package dht

import "time"

// Clock tells the time and calls functions later.
type Clock interface {
	Now() time.Time
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is a call that has not been made yet. *time.Timer is one.
type Timer interface {
	Stop() bool
}

// SystemClock is the clock of this machine.
type SystemClock struct{}

// Now is time.Now.
func (SystemClock) Now() time.Time { return time.Now() }

// AfterFunc is time.AfterFunc.
func (SystemClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }
