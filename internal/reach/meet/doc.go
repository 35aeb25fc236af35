// SPDX-License-Identifier: Apache-2.0

// Package meet lets two friends find each other without a server: each leaves a sealed note with its addresses in the
// BitTorrent DHT, under a key that follows from their common secret, and reads the other's. The keys change each UTC day,
// so that nobody can follow a pair from one day to the next by its keys.
//
// It connects nothing and checks no address; the link does. It gathers none of our addresses; its user passes them. Package
// dht knows how items are stored.
package meet
