// SPDX-License-Identifier: Apache-2.0

// Package architecture tests which package imports which. Its table is the drawing of docs/architecture.md in full. It
// contains no code for programs.
package architecture
