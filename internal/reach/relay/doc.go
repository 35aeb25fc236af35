// SPDX-License-Identifier: Apache-2.0

// Package relay keeps an address at a TURN server (RFC 8656), through which the peer is reached where both networks let no
// direct way be. It holds the lease, the permissions and the connection to the server, over UDP, or TCP or TLS where UDP is
// blocked, and begins anew when one of them is lost.
//
// It does not decide when the relay is used, and it does not know what it passes on: that is encrypted from peer to peer.
package relay
