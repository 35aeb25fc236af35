// SPDX-License-Identifier: Apache-2.0

// Package reach tests how two friends reach each other from any home. Its tests make homes, providers and an internet of
// network namespaces, with real parts in them: routers of nftables, miniupnpd and coturn. In two of the homes a peer runs, a
// process with the secure link and all that finds the other one's address.
//
// A picture here is one canned H.264 access unit in one packet: there is no OBS, and no coding. What is measured is how long
// the way takes to be found, not how long a picture takes.
//
// As an ordinary user the tests need user namespaces. All of it ends with the test's process.
package reach
