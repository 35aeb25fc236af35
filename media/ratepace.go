// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"sync"
	"time"
)

const (
	// A key frame is many times as large as another picture, so an encoder that makes one with each change of its bitrate gets
	// few changes: a lower bitrate soon, since the network does not carry the old one, and a higher one after a while.
	lowerAfter  = time.Second
	higherAfter = 5 * time.Second
	// paceEvery is how often a change that waits is looked at.
	paceEvery = 250 * time.Millisecond
)

// ratePace rations changes of an encoder's bitrate. The zero value passes each on at once.
type ratePace struct {
	slow bool // each change makes a key frame

	mu      sync.Mutex
	wanted  int // kbit/s
	current int
	at      time.Time // of the last change
}

// want takes the bitrate that is wanted now, and calls apply if it is time.
func (p *ratePace) want(kbps int, apply func(int)) {
	if !p.slow {
		apply(kbps)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted = kbps
	p.look(time.Now(), apply)
}

// run returns a function that applies what waits, until ctx ends.
func (p *ratePace) run(apply func(int)) func(context.Context) {
	return func(ctx context.Context) {
		if !p.slow {
			return
		}
		tick := time.NewTicker(paceEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case now := <-tick.C:
				p.mu.Lock()
				p.look(now, apply)
				p.mu.Unlock()
			}
		}
	}
}

// look applies what is wanted if it differs enough from what is, and the last change is long enough ago.
func (p *ratePace) look(now time.Time, apply func(int)) {
	since := now.Sub(p.at)
	switch {
	case p.wanted == 0:
		return
	case p.current == 0:
	case 10*p.wanted <= 9*p.current && since >= lowerAfter:
	case 5*p.wanted >= 6*p.current && since >= higherAfter:
	default:
		return
	}
	p.current, p.at = p.wanted, now
	apply(p.wanted)
}
