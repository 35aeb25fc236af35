// SPDX-License-Identifier: Apache-2.0

package meet

import (
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/internal/reach/dht"
)

const (
	// Our candidates must rest before a note is made: routers answer one after the other. When they change again and again,
	// notes become rarer, until they have been the same for calmTime.
	settleFirst, settleMost = 200 * time.Millisecond, 10 * time.Second
	calmTime                = time.Minute
	// settleAgain takes the place of settleFirst in mid-call, where nothing but our address has changed.
	settleAgain = 50 * time.Millisecond
	// everyone is more nodes than keep a note.
	everyone = 16

	// At first all nodes near our friend's note are asked each firstPause, soon each fastPause. Later one of them, in turn,
	// each slowPause: all together then get less than 100 bytes a second, and a note is still seen soon, since it is put at
	// all of them.
	firstTime, firstPause = 4 * time.Second, 200 * time.Millisecond
	fastTime, fastPause   = 30 * time.Second, time.Second
	slowPause             = 1750 * time.Millisecond
	// With every neighbourTurn-th question the day before or after is asked for; instead of every second one near midnight.
	neighbourTurn = 8
	nearMidnight  = time.Hour
	// neighbourDelay gives the notes of today the first packets.
	neighbourDelay = 1500 * time.Millisecond

	// Where few nodes have answered, as on a network that was about to come up, a note may belong elsewhere: it is looked up
	// anew after fewPause, and then less and less often.
	fewPause = 3 * time.Second
	// Nodes come and go: where our friend's note belongs is looked up anew.
	searchPause, neighbourSearchPause = 15 * time.Minute, time.Hour

	// Notes are kept for two hours (BEP 44).
	publishPause = time.Hour
	noteMargin   = 15 * time.Minute
	// checkPause is how often we look whether our notes are still there, and checkTime how long answers take.
	checkPause, checkTime = 10 * time.Minute, 5 * time.Second
	// After a note that nobody has taken, or that was lost, we try again: first soon, then less often.
	retryFirst, retryMost = 10 * time.Second, 5 * time.Minute

	idlePause = 10 * time.Second
)

// ownDay is where we leave our notes of a day.
type ownDay struct {
	keys    keys
	topic   *dht.Topic
	put     time.Time // when a note was put; zero: never
	checked time.Time
	most    int // nodes that had our last note
	retry   time.Duration
	again   bool // the note must be put anew
	few     fewFound
}

// peerDay is where our friend leaves notes of a day.
type peerDay struct {
	keys       keys
	topic      *dht.Topic
	searched   time.Time
	asked      time.Time
	seq        int64
	candidates []Candidate
	few        fewFound
}

// fewFound says when to search anew where few nodes have answered.
type fewFound struct {
	next  time.Time
	pause time.Duration
}

func (f *fewFound) due(now time.Time, s dht.State) bool {
	switch {
	case s.Searching || !s.Few:
		return false
	case f.next.IsZero():
		f.pause = fewPause
	case now.Before(f.next):
		return false
	}
	due := !f.next.IsZero()
	f.next, f.pause = now.Add(f.pause), min(2*f.pause, searchPause)
	return due
}

func (m *Meeting) openOwn(name string) *ownDay {
	d := &ownDay{keys: newKeys(m.opts.Own, name), retry: retryFirst}
	d.topic = m.opts.Client.Topic(d.keys.public(), func(item dht.Item) {
		m.mu.Lock()
		defer m.mu.Unlock()
		// Nobody else can have signed it: an earlier run did, perhaps with a clock that was ahead.
		if item.Seq >= m.seq {
			m.seq = item.Seq
			if !d.put.IsZero() {
				d.again = true
				m.wake(0)
			}
		}
	})
	// The nodes are found before our addresses are known, and tell the outer one.
	d.topic.Search()
	return d
}

func (m *Meeting) openPeer(name string) *peerDay {
	d := &peerDay{keys: newKeys(m.opts.Peer, name), seq: -1}
	d.topic = m.opts.Client.Topic(d.keys.public(), func(item dht.Item) { m.read(d, item) })
	return d
}

// due tells whether a note must be made now, if our candidates are others than before or an old note must be replaced.
func (m *Meeting) due(now time.Time) bool {
	if !m.changed.IsZero() && now.Sub(m.changed) >= m.settle {
		return true
	}
	for _, d := range m.own {
		if d.due(now) {
			return true
		}
	}
	return false
}

func (d *ownDay) due(now time.Time) bool {
	return d.again || d.put.IsZero() || now.Sub(d.put) >= publishPause
}

// publish leaves notes with candidates where they are missing.
func (m *Meeting) publish(now time.Time, candidates []Candidate) {
	if !m.changed.IsZero() && now.Sub(m.changed) >= m.settle {
		m.changed = time.Time{}
	}
	if len(candidates) == 0 {
		return // there is nothing to say yet
	}
	different := !slices.Equal(candidates, m.noted)
	var days []*ownDay
	for _, d := range m.own {
		if different || d.due(now) {
			days = append(days, d)
		}
	}
	if len(days) == 0 {
		return
	}
	// A node keeps the note with the highest number. The time rises over restarts without a file.
	m.seq = max(m.seq+1, now.Unix())
	if different {
		if m.settle = min(2*m.settle, settleMost); now.Sub(m.stored) >= calmTime {
			m.settle = settleFirst
		}
	}
	for _, d := range days {
		item, err := d.keys.write(m.seq, candidates)
		if err != nil {
			m.log.Error("meeting: our note", "err", err)
			return
		}
		if !d.put.IsZero() && !different {
			d.topic.Search() // other nodes may be the closest now
		}
		d.topic.Put(item)
		d.put, d.checked, d.again, d.most = now, now, false, 0
	}
	m.noted, m.stored = candidates, now
	m.log.Debug("meeting: our note is left", "addresses", len(candidates))
}

// watch looks whether our notes are still there.
func (m *Meeting) watch(now time.Time) {
	for _, d := range m.own {
		s := d.topic.State()
		if d.few.due(now, s) {
			d.topic.Search()
		}
		d.most = max(d.most, s.Holders)
		if s.Holders > 0 && 2*s.Holders >= d.most {
			d.retry = retryFirst
		} else if !d.put.IsZero() && !s.Searching && now.Sub(d.checked) >= checkTime && now.Sub(d.put) >= d.retry {
			d.again = true
			d.retry = min(2*d.retry, retryMost)
			m.wake(0)
		}
		if !d.put.IsZero() && now.Sub(d.checked) >= checkPause {
			d.checked = now
			d.topic.Ask(everyone)
		}
	}
}

// ask looks for our friend's notes, and returns when to do so again.
func (m *Meeting) ask(now time.Time) time.Duration {
	if m.connected {
		return idlePause
	}
	days := peerDays(now)
	today := m.peer[days[0]]
	sinceMidnight := now.Sub(now.UTC().Truncate(24 * time.Hour))
	near := sinceMidnight < nearMidnight || sinceMidnight >= 24*time.Hour-nearMidnight
	if sinceMidnight >= 12*time.Hour {
		days[1], days[2] = days[2], days[1] // the nearer one first
	}
	if today.search(now, searchPause); today.few.due(now, today.topic.State()) {
		today.topic.Search()
	}
	if now.Sub(m.asking) >= neighbourDelay || near {
		pause := neighbourSearchPause
		if near {
			pause = searchPause
		}
		m.peer[days[1]].search(now, pause)
		m.peer[days[2]].search(now, neighbourSearchPause)
	}
	if now.Sub(m.asking) < fastTime {
		today.topic.Ask(everyone)
		for i, name := range days[1:] {
			if d := m.peer[name]; !d.searched.IsZero() && (near && i == 0 || now.Sub(d.asked) >= neighbourTurn*fastPause) {
				d.asked = now
				d.topic.Ask(everyone)
			}
		}
		if now.Sub(m.asking) < firstTime {
			return firstPause
		}
		return fastPause
	}
	m.turn++
	if near && m.turn%2 == 0 {
		m.peer[days[1]].topic.Ask(1)
		return slowPause
	}
	today.topic.Ask(1)
	if m.turn%neighbourTurn == 0 {
		m.peer[days[1+m.turn/neighbourTurn%2]].topic.Ask(1)
	}
	return slowPause
}

func (d *peerDay) search(now time.Time, pause time.Duration) {
	if d.searched.IsZero() || now.Sub(d.searched) >= pause {
		d.searched = now
		d.topic.Search()
	}
}
