// SPDX-License-Identifier: Apache-2.0

// Package kernel holds the tests that need a kernel of their own: with the
// real v4l2loopback and snd-aloop modules, loaded, filled, blocked and broken
// as no test should do it to its host. They run in user-mode Linux guests,
// which the scripts of this directory build and start; `make test-kernel` runs
// all of it. Anywhere else the tests are skipped.
package kernel
