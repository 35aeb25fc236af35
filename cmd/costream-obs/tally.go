// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"strings"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/media/link"
)

// tallyTexts are for the live line: whether we are shown, and who cannot be heard.
func tallyTexts(t *control.Tally) []string {
	if t == nil || t.Peer == nil {
		return nil
	}
	words := []string{"not shown"}
	switch {
	case !t.Peer.OnAir:
		return []string{"friend off air"}
	case t.Peer.PeerShown:
		words[0] = "shown"
	}
	switch {
	case t.Peer.Away:
		words = append(words, "friend away")
	case t.Peer.Muted:
		words = append(words, "friend muted")
	}
	if t.Me.Muted && !t.Me.Away {
		words = append(words, "you muted")
	}
	return []string{strings.Join(words, ", "), words[0]}
}

// tallySentence is the whole tally, for where there is room.
func tallySentence(t *control.Tally, friend string) string {
	if t == nil {
		return ""
	}
	friend = cmp.Or(friend, "your friend")
	var said []string
	if p := t.Peer; p != nil {
		switch {
		case !p.OnAir:
			said = append(said, friend+" is off air")
		case p.PeerShown:
			said = append(said, friend+" shows you")
		default:
			said = append(said, friend+" does not show you")
		}
		switch {
		case p.Away:
			said = append(said, friend+" is on a break")
		case p.Muted:
			said = append(said, friend+" is muted")
		}
	}
	switch {
	case !t.Me.OnAir:
		said = append(said, "you are off air")
	case t.Me.PeerShown:
		said = append(said, "you show "+friend)
	default:
		said = append(said, "you do not show "+friend)
	}
	switch {
	case t.Me.Away:
		said = append(said, "you are on a break")
	case t.Me.Muted:
		said = append(said, "you are muted")
	}
	return strings.Join(said, "; ")
}

// tallyNews are the changes of the friend's side that scroll by, a sentence each. A mute may come and go with a key that is
// held down, so it is in the live line alone.
func tallyNews(before, now *control.Tally, friend string) (news []string) {
	if now == nil || now.Peer == nil {
		return nil
	}
	friend = cmp.Or(friend, "Your friend")
	var was link.Tally
	is := *now.Peer
	if before != nil && before.Peer != nil {
		was = *before.Peer
	}
	if was.OnAir && !is.OnAir {
		return []string{friend + " is off air."}
	}
	switch {
	case !was.PeerShown && is.PeerShown:
		news = append(news, friend+" shows you.")
	case was.PeerShown && !is.PeerShown:
		news = append(news, friend+" does not show you any more.")
	}
	switch {
	case !was.Away && is.Away:
		news = append(news, friend+" is on a break.")
	case was.Away && !is.Away:
		news = append(news, friend+" is back from the break.")
	}
	return news
}
