// SPDX-License-Identifier: Apache-2.0

package tally

import "time"

const (
	// repeatFirst is the time until a word is repeated that nobody has answered, for quickRepeats times. Then it doubles each
	// time, up to repeatLast, and up to repeatUnknown for a peer that has said nothing in this session: it may be of a version
	// that does not know words.
	repeatFirst   = 20 * time.Millisecond
	quickRepeats  = 5
	repeatLast    = 100 * time.Millisecond
	repeatUnknown = time.Second

	// leastGap is the shortest time between two words, however often the state changes.
	leastGap = 10 * time.Millisecond
)

// An Exchange decides what one side says in one session. It is not safe for concurrent use.
type Exchange struct {
	own      State
	number   uint32 // of own
	sent     int    // how often own was sent
	last     time.Time
	accepted uint32 // the number of our newest state that the peer has

	peer  State
	heard uint32 // the number of peer; 0 while it is unknown
}

// NewExchange begins a session in which the first word tells own.
func NewExchange(own State) *Exchange { return &Exchange{own: own, number: 1} }

// Set changes what is told.
func (e *Exchange) Set(own State) {
	if own != e.own {
		e.own, e.sent = own, 0
		e.number++
	}
}

// Due returns the word that must be sent now, if there is one, and how long from now to ask again; 0 means not before Set is
// called.
func (e *Exchange) Due(now time.Time) (w Word, send bool, wait time.Duration) {
	if e.accepted == e.number {
		return Word{}, false, 0
	}
	if wait = e.last.Add(e.pause()).Sub(now); wait > 0 {
		return Word{}, false, wait
	}
	e.last = now
	e.sent++
	return e.word(false), true, e.pause()
}

// pause is the time between the last word and the next.
func (e *Exchange) pause() time.Duration {
	switch {
	case e.sent == 0:
		return leastGap
	case e.sent <= quickRepeats:
		return repeatFirst
	}
	most := repeatLast
	if e.heard == 0 {
		most = repeatUnknown
	}
	return min(repeatFirst<<min(e.sent-quickRepeats, 16), most)
}

func (e *Exchange) word(answer bool) Word {
	return Word{State: e.own, Number: e.number, Heard: e.heard, Answer: answer}
}

// Farewell is the last word of a session: we are off air. It asks for no answer, because we will not be there to hear it.
func (e *Exchange) Farewell() Word {
	e.Set(State{})
	return e.word(true)
}

// Take takes a word of the peer. It returns the answer where that needs one, and whether the peer's state is another one now.
// A word that was overtaken by a newer one changes nothing.
func (e *Exchange) Take(w Word) (answer Word, send, news bool) {
	if w.Heard > e.accepted && w.Heard <= e.number {
		e.accepted = w.Heard
	}
	if w.Number > e.heard {
		news = e.heard == 0 || w.State != e.peer
		e.heard, e.peer = w.Number, w.State
	}
	if w.Answer {
		return Word{}, false, news
	}
	return e.word(true), true, news
}

// Peer is the peer's newest state; known is false while there is none.
func (e *Exchange) Peer() (state State, known bool) { return e.peer, e.heard != 0 }
