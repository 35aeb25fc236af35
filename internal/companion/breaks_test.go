// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/control"
)

// TestBreaks: when the peer gets a card, and why, with a word to the session for each change.
func TestBreaks(t *testing.T) {
	changes := 0
	b := breaks{changed: func() { changes++ }}
	var covered []bool
	b.attach(func(on bool) { covered = append(covered, on) })
	want := func(what, why string, on bool, news int) {
		t.Helper()
		if got := b.why(); (got == "") != (why == "") || !strings.Contains(got, why) {
			t.Errorf("%s: got a break for %q, want for %q", what, got, why)
		}
		if got := covered[len(covered)-1]; got != on {
			t.Errorf("%s: covered: got %t, want %t", what, got, on)
		}
		if changes != news {
			t.Errorf("%s: got %d words to the session, want %d", what, changes, news)
		}
	}
	want("at first", "", false, 0)
	b.programme("", true)
	want("an open scene", "", false, 0)
	b.order(true)
	want("by order", "peer back", true, 1)
	b.programme("Secret", true)
	want("by order, and a private scene", "peer back", true, 1)
	b.order(false)
	want("a private scene", `the scene "Secret" is private`, true, 2)
	b.programme("", false)
	want("not known", "does not know", true, 3)
	b.order(true)
	b.programme("", true)
	b.order(false)
	over := func(what string, news int) {
		t.Helper()
		want(what, "", true, news) // what was said on the break is under way
		deadline := time.Now().Add(20 * breakTail)
		for on := true; on; {
			if time.Now().After(deadline) {
				t.Fatalf("%s: the card stays", what)
			}
			time.Sleep(time.Millisecond)
			b.mu.Lock()
			on = covered[len(covered)-1]
			b.mu.Unlock()
		}
	}
	over("back", 5)
	b.order(true)
	b.order(false)
	over("back by order", 7)

	// Off air nothing is covered; a time on air begins with what is known then.
	b.detach()
	b.programme("Secret", true)
	b.programme("", true)
	n := len(covered)
	b.attach(func(on bool) { covered = append(covered, on) })
	if diff := cmp.Diff([]bool{false}, covered[n:]); diff != "" {
		t.Errorf("on air after a private scene (-want +got):\n%s", diff)
	}
	b.detach()
	b.programme("Secret", true)
	b.attach(func(on bool) { covered = append(covered, on) })
	want("on air in a private scene", "Secret", true, 10)
	b.detach()
	b.forget()
	b.attach(func(on bool) { covered = append(covered, on) })
	want("off air, and on air again", "", false, 11)
}

// TestGatePauses: on a break the peer hears nothing, whatever the microphone does.
func TestGatePauses(t *testing.T) {
	g := gate{always: true} // the microphone past OBS
	var silent bool
	g.pause(true)
	g.reset()
	g.attach(func(s bool) { silent = s })
	g.meter(nil)
	g.place(true)
	if !silent {
		t.Error("a break that was there before the time on air: got sound, want none")
	}
	g.pause(false)
	if silent {
		t.Error("the break is over: got silence")
	}
	g.pause(true)
	g.set([]string{"Mic"}, map[string]bool{"Mic": false}, nil)
	if !silent {
		t.Error("a break: got sound, want none")
	}
}

// TestAwayWithoutOBS: peer away and peer back need no OBS.
func TestAwayWithoutOBS(t *testing.T) {
	c := &Companion{breaks: breaks{changed: func() {}}}
	for _, step := range []struct {
		do   control.PeerAction
		away bool
	}{{control.PeerAway, true}, {control.PeerAway, true}, {control.PeerBack, false}, {control.PeerBack, false}} {
		answer, err := c.carryPeer(t.Context(), control.PeerOrder{Do: step.do})
		if err != nil || (answer.Break != "") != step.away || (c.breaks.why() != "") != step.away {
			t.Errorf("%s: got %+v, %v and a break for %q, want one: %t", step.do, answer, err, c.breaks.why(), step.away)
		}
	}
}
