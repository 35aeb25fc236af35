// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"fmt"
	"time"
)

// breakTail is how long the card and the silence last after a break. What was said on the break is still on its way to us then
// (67 to 258 ms on a busy machine, measured, 32.2.2), as are pictures of the empty scene for the peer (OBS's virtual camera: 68
// to 206 ms at 30 a second, measured, 29.0.2).
const breakTail = 250 * time.Millisecond

// breaks decides when the peer gets a card and silence in our place: while the programme shows a private scene, while we do
// not know whether it does, and while the user is away by order.
//
// Its methods may be called from any goroutine.
type breaks struct {
	silencer[bool]
	changed func()          // after why has another answer
	told    func(away bool) // gets with each change whether there is a break; must not call back; may be nil

	away    bool   // by order
	private string // why the peer must not see the programme, or empty
	until   time.Time
}

// attach makes breaks cover a time on air. cover must not call back.
func (b *breaks) attach(cover func(bool)) { b.silencer.attach(cover, b.apply) }

// order takes what the user orders.
func (b *breaks) order(away bool) { b.set(func() { b.away = away }) }

// programme takes which private scene the programme shows, "" if it shows none. While known is false it may show any.
func (b *breaks) programme(scene string, known bool) {
	b.set(func() {
		switch {
		case !known:
			b.private = "costream-obs does not know right now whether the programme is private"
		case scene != "":
			b.private = fmt.Sprintf("the scene %q is private", scene)
		default:
			b.private = ""
		}
	})
}

// forget is for off air, where nobody looks at the programme.
func (b *breaks) forget() { b.set(func() { b.private = "" }) }

func (b *breaks) set(change func()) {
	b.mu.Lock()
	before := b.reason()
	change()
	after := b.reason()
	if b.silence != nil {
		if before != "" && after == "" {
			b.until = time.Now().Add(breakTail)
		}
		b.apply()
	}
	if b.told != nil {
		b.told(after != "")
	}
	b.mu.Unlock()
	if before != after {
		b.changed()
	}
}

// apply passes the decision on; the mutex is held.
func (b *breaks) apply() {
	wait := time.Until(b.until)
	if wait > 0 {
		b.later(wait, b.apply)
	}
	b.silence(b.reason() != "" || wait > 0)
}

// why says what the break is for, "" if there is none.
func (b *breaks) why() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reason()
}

// ordered reports whether the user is away by order.
func (b *breaks) ordered() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.away
}

func (b *breaks) reason() string {
	if b.away {
		return "until `costream-obs peer back`"
	}
	return b.private
}
