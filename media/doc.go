// SPDX-License-Identifier: Apache-2.0

// Package media captures, encodes, decodes and shows picture and sound with
// GStreamer.
//
// A sender turns a source into RTP packets and hands each to a function of the
// caller; a receiver takes RTP packets and hands out pictures or plays sound.
// Nothing here knows an address: how packets travel is the business of
// media/link. Nothing here knows OBS either, apart from the two screens, which
// speak what OBS's sources read.
//
// Picture and sound are separate pipelines, because the buffer of a sound sink
// would otherwise delay the picture (204 against 72 ms, measured). Each
// pipeline is a small Go value that prints as launch text, so that a user can
// read it with `costream-obs graph --text` and try it by hand.
//
// It is not a general wrapper of GStreamer.
package media
