// SPDX-License-Identifier: Apache-2.0

// Package dht is a client of the BitTorrent DHT (BEP 5) that stores and reads small signed items (BEP 44), so that two
// friends can leave each other a note without a server. It uses a socket of somebody else: it is handed the datagrams that
// begin with 'd', and a function that sends.
//
// It is passive (BEP 43): it answers no question, stores nothing for others and announces nothing. It knows nothing of
// what the items contain; package meet does.
//
// All that arrives comes from strangers. An answer counts only when its address and its random transaction id belong to
// a question of ours. Contacts, questions, memory and rate are bounded (limits.go). What others name is asked on credit: an
// address that has never answered gets fewer bytes than one and a half times what those sent us who named it, so that
// nobody can aim us at a victim.
package dht
