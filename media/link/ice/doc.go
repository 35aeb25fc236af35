// SPDX-License-Identifier: Apache-2.0

// Package ice finds the peer and keeps knowing where it is, by the connectivity checks of ICE (RFC 8445): STUN binding
// requests under keys that both sides have from their pairing. Its checks also tell each side what DTLS session the other
// offers, and its probes measure the path.
//
// It is not a whole ICE agent. There is no signalling, so there are no candidates but those of the configuration and the
// addresses that the peer's requests come from (peer-reflexive), no TURN, and no nomination: both sides check all addresses
// all the time, and each sends to one that answers. It opens no socket: its user passes datagrams in, and a function that
// sends them.
package ice
