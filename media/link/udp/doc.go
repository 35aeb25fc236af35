// SPDX-License-Identifier: Apache-2.0

// Package udp has the network below a link: UDP ports of this machine and who has them, a writer that never blocks, a
// reader, and the addresses behind names. It knows nothing of what the datagrams contain; only Writer.SendRTP, which saves
// a copy, knows the header of RTP.
package udp
