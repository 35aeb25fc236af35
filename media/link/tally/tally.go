// SPDX-License-Identifier: Apache-2.0

// Package tally is how each of two peers tells the other what it does with their picture and voice. It has the form of the
// words, and decides which word is sent when. It sends nothing itself, encrypts nothing, and does not find out what to tell.
package tally

// State is what one side tells the other of itself.
type State struct {
	// OnAir says that it sends.
	OnAir bool `json:"on_air"`
	// PeerShown says that the other's picture is in its programme.
	PeerShown bool `json:"peer_shown"`
	// Muted says that it sends silence.
	Muted bool `json:"muted"`
	// Away says that it is on a break: it sends a card and silence.
	Away bool `json:"away"`
}
