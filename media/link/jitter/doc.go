// SPDX-License-Identifier: Apache-2.0

// Package jitter restores the order of packets: it follows the sequence numbers of one RTP stream, measures its jitter, and
// releases packets in the order in which they were sent, as whole H.264 pictures if the stream has pictures.
//
// It is not a jitter buffer with a playout delay: a packet that could be shown or heard is released at once. It sends
// nothing and asks for nothing; package repair does that. It has no clock of its own and no locks.
package jitter
