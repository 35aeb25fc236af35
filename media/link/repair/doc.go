// SPDX-License-Identifier: Apache-2.0

// Package repair gets lost packets back. On the receiving side it says which packets to ask for again (NACK), restores
// packets from parity, and says when only a key frame helps; on the sending side it keeps what may be asked for (History)
// and makes parity, which is forward error correction.
//
// It neither sends nor receives: its users pass packets in and out. It knows the order of packets from package jitter, and
// nothing of networks, encryption or bit rates.
package repair
