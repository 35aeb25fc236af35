// SPDX-License-Identifier: Apache-2.0

// Package obsctl finds a running OBS Studio, keeps a connection to its
// obs-websocket server, and turns the protocol into typed Go values.
//
// It knows OBS and nothing else: no sound server, no video devices, no peers.
// Where a safe sequence needs to know whether a sound node exists or whether a
// loopback device is fit for use, the caller hands in a function.
//
// The package wraps goobs, which serialises requests, takes no context, does
// not notice a reset connection and is unusable after a late reply. None of
// that shows here: every call has a deadline of its own, and a [Client] that
// missed one, or lost its connection, is finished: its Done channel closes and
// every later call fails at once. [Keeper] then makes a new one.
//
// Events can be lost (goobs and this package drop the oldest when a consumer
// is slow), so they are hints: read the state after connecting and now and
// then.
package obsctl
