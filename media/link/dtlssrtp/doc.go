// SPDX-License-Identifier: Apache-2.0

// Package dtlssrtp agrees on keys with the peer by a DTLS handshake, in which both show the certificate of the pairing, and
// encrypts and decrypts RTP and RTCP with those keys (RFC 5763, RFC 5764).
//
// It is pion/dtls and pion/srtp with what they lack against somebody who makes up datagrams. It opens no socket, does not
// know where the peer is, and does not decide when to make or end a session.
package dtlssrtp
