// SPDX-License-Identifier: Apache-2.0

// Package ice finds the peer and keeps knowing where it is, by the connectivity checks of ICE (RFC 8445): STUN binding
// requests under keys that both sides have from their pairing. Its checks also tell each side what DTLS session the other
// offers, and its probes measure the path.
//
// It is not a whole ICE agent. There is no signalling, so there are no candidates but those that its user knows and the
// addresses that the peer's requests come from (peer-reflexive), and no nomination: both sides check all addresses all the
// time, and each sends to one that answers. A relay (TURN) is a second base, which is left alone until nobody answers
// directly. The package opens no socket and speaks no TURN: its user passes datagrams in, and a function that sends them.
package ice
