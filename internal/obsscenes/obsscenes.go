// SPDX-License-Identifier: Apache-2.0

// Package obsscenes lets package scenes work on an OBS that package obsctl is connected to. It
// translates types and errors and holds no logic of its own.
package obsscenes
