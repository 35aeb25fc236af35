// SPDX-License-Identifier: Apache-2.0

package tally

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/media/link/internal/linktest"
)

var (
	live  = State{OnAir: true}
	shows = State{OnAir: true, PeerShown: true}
)

// next is the word that is due.
func next(t *testing.T, e *Exchange, now time.Time) Word {
	t.Helper()
	w, send, _ := e.Due(now)
	if !send {
		t.Fatal("no word is due")
	}
	return w
}

// TestExchange is the plain course of things: each side tells, and the other answers.
func TestExchange(t *testing.T) {
	clock := linktest.NewClock()
	alice, bob := NewExchange(live), NewExchange(shows)
	if _, known := bob.Peer(); known {
		t.Error("Bob knows of Alice before she has said anything")
	}
	answer, send, news := bob.Take(next(t, alice, clock.Now()))
	if !send || !news {
		t.Fatalf("Bob takes the first word: answer %t, news %t, want both", send, news)
	}
	if got, known := bob.Peer(); !known || got != live {
		t.Errorf("Bob knows %+v (%t), want %+v", got, known, live)
	}
	// The answer tells what Bob would have told.
	if _, send, news = alice.Take(answer); send || !news {
		t.Errorf("Alice takes the answer: answer %t, news %t, want news alone", send, news)
	}
	if got, known := alice.Peer(); !known || got != shows {
		t.Errorf("Alice knows %+v (%t), want %+v", got, known, shows)
	}
	if _, send, wait := alice.Due(clock.Now().Add(time.Hour)); send || wait != 0 {
		t.Errorf("Alice, whom Bob has heard, sends again: %t, waits %v", send, wait)
	}

	// The same state again is nothing to tell.
	alice.Set(live)
	if _, send, _ := alice.Due(clock.Now().Add(time.Hour)); send {
		t.Error("the same state is told again")
	}
	clock.Pass(time.Second)
	alice.Set(shows)
	if _, _, news = bob.Take(next(t, alice, clock.Now())); !news {
		t.Error("a change is no news")
	}
	if got, _ := bob.Peer(); got != shows {
		t.Errorf("Bob knows %+v, want %+v", got, shows)
	}
}

// TestOldWordsChangeNothing: words that were overtaken or are repeated.
func TestOldWordsChangeNothing(t *testing.T) {
	clock := linktest.NewClock()
	alice, bob := NewExchange(live), NewExchange(State{})
	first := next(t, alice, clock.Now())
	alice.Set(shows)
	clock.Pass(leastGap + repeatFirst)
	second := next(t, alice, clock.Now())
	bob.Take(second)
	for _, old := range []Word{first, second, first} {
		answer, send, news := bob.Take(old)
		if news {
			t.Errorf("the word %+v is news after %+v", old, second)
		}
		if !send || answer.Heard != second.Number {
			t.Errorf("the answer to %+v is %+v (%t), want one that says what was heard last", old, answer, send)
		}
		if got, _ := bob.Peer(); got != shows {
			t.Errorf("Bob knows %+v, want %+v", got, shows)
		}
	}

	// An answer to the first word is none to the second, and one to a word that was never said is none at all.
	for _, heard := range []uint32{first.Number, second.Number + 1} {
		alice.Take(Word{Number: 1, Heard: heard, Answer: true})
		clock.Pass(time.Second)
		if w := next(t, alice, clock.Now()); w.State != second.State || w.Number != second.Number {
			t.Errorf("after an answer to %d: got %+v, want %+v again", heard, w, second)
		}
	}
	alice.Take(Word{Number: 1, Heard: second.Number, Answer: true})
	clock.Pass(time.Second)
	if _, send, _ := alice.Due(clock.Now()); send {
		t.Error("what Bob has is sent again")
	}
	// An answer that comes late takes nothing back.
	alice.Take(Word{Number: 1, Heard: first.Number, Answer: true})
	if _, send, _ := alice.Due(clock.Now().Add(time.Second)); send {
		t.Error("what Bob has is sent again after a late answer")
	}
}

// count is how many words are sent in a time, with what Set is called with on the way.
func count(e *Exchange, clock *linktest.Clock, d time.Duration, on func()) (words int) {
	for end := clock.Now().Add(d); clock.Now().Before(end); clock.Pass(time.Millisecond) {
		if on != nil {
			on()
		}
		if _, send, _ := e.Due(clock.Now()); send {
			words++
		}
	}
	return words
}

// TestRateIsBounded for a peer that knows no words, one that is gone, and a state that changes all the time.
func TestRateIsBounded(t *testing.T) {
	clock := linktest.NewClock()
	deaf := NewExchange(live)
	if n := count(deaf, clock, 100*time.Millisecond, nil); n != 5 {
		t.Errorf("in the first 100 ms %d words, want 5", n)
	}
	count(deaf, clock, 3*time.Second, nil)
	if n := count(deaf, clock, time.Minute, nil); n != 60 {
		t.Errorf("%d words a minute to a peer that knows none, want one each second", n)
	}
	deaf.Take(Word{State: live, Number: 1})
	count(deaf, clock, time.Second, nil)
	if n := count(deaf, clock, time.Minute, nil); n != 600 {
		t.Errorf("%d words a minute to a peer that answers nothing, want ten each second", n)
	}
	wild, state := NewExchange(live), live
	n := count(wild, clock, time.Second, func() {
		state.Muted = !state.Muted
		wild.Set(state)
	})
	if n != 100 {
		t.Errorf("%d words a second while the state changes all the time, want 100", n)
	}
}

func TestFarewell(t *testing.T) {
	clock := linktest.NewClock()
	alice, bob := NewExchange(shows), NewExchange(live)
	bob.Take(next(t, alice, clock.Now()))
	if _, send, news := bob.Take(alice.Farewell()); send || !news {
		t.Errorf("Bob takes the farewell: answer %t, news %t, want news alone", send, news)
	}
	if got, known := bob.Peer(); !known || got != (State{}) {
		t.Errorf("Bob knows %+v (%t), want that she is off air", got, known)
	}
}

// wire is a network between two exchanges that loses words, delays them and changes their order.
type wire struct {
	rng   *rand.Rand
	loss  float64
	delay func() time.Duration
	bound []inFlight
}

type inFlight struct {
	at time.Time
	to int
	Word
}

func (w *wire) send(now time.Time, to int, word Word) {
	if w.rng.Float64() >= w.loss {
		w.bound = append(w.bound, inFlight{now.Add(w.delay()), to, word})
	}
}

// TestChangeArrivesInTime over a network that loses and overtakes: it takes the way, and 100 ms more at most.
func TestChangeArrivesInTime(t *testing.T) {
	const (
		way    = 50 * time.Millisecond
		jitter = 30 * time.Millisecond
	)
	for _, tt := range []struct {
		loss    float64
		late    int // changes of 1000 that may take longer
		perWord int // words for each change, answers included
	}{
		// Six words are sent in the 100 ms, so that 0.3^6 of the changes are expected to be late.
		{0, 0, 14}, {0.1, 0, 14}, {0.3, 3, 14},
	} {
		clock := linktest.NewClock()
		rng := rand.New(rand.NewPCG(1, 2))
		net := wire{rng: rng, loss: tt.loss, delay: func() time.Duration { return way + time.Duration(rng.Int64N(int64(jitter))) }}
		sides := [2]*Exchange{NewExchange(live), NewExchange(live)}
		words, late := 0, 0
		var took []time.Duration
		step := func() {
			for i, e := range sides {
				if w, send, _ := e.Due(clock.Now()); send {
					words++
					net.send(clock.Now(), 1-i, w)
				}
			}
			due := net.bound
			net.bound = nil
			for _, f := range due {
				if f.at.After(clock.Now()) {
					net.bound = append(net.bound, f)
					continue
				}
				if answer, send, _ := sides[f.to].Take(f.Word); send {
					words++
					net.send(clock.Now(), 1-f.to, answer)
				}
			}
			clock.Pass(time.Millisecond)
		}
		const changes = 1000
		for i := range changes {
			state := states()[1+i%15]
			began := clock.Now()
			sides[i%2].Set(state)
			for {
				step()
				if got, known := sides[1-i%2].Peer(); known && got == state {
					break
				}
				if clock.Now().Sub(began) > 10*time.Second {
					t.Fatalf("loss %.0f %%: change %d has not arrived", 100*tt.loss, i)
				}
			}
			d := clock.Now().Sub(began)
			took = append(took, d)
			if d > way+jitter+100*time.Millisecond {
				late++
			}
			for range 300 {
				step()
			}
		}
		slices.Sort(took)
		t.Logf("loss %.0f %%, one way %v to %v: median %v, longest %v, %d late; %.1f words each",
			100*tt.loss, way, way+jitter, took[changes/2], took[changes-1], late, float64(words)/changes)
		if late > tt.late {
			t.Errorf("loss %.0f %%: %d of %d changes were late, want %d at most", 100*tt.loss, late, changes, tt.late)
		}
		if words > tt.perWord*changes {
			t.Errorf("loss %.0f %%: %d words for %d changes, want %d each at most", 100*tt.loss, words, changes, tt.perWord)
		}
	}
}
