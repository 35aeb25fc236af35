// SPDX-License-Identifier: Apache-2.0

package meet

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/reach/dht"
)

// Options say what a meeting works with.
type Options struct {
	Client *dht.Client
	// Own and Peer are the secrets of the notes of both sides.
	Own, Peer Secret
	// Candidates returns our addresses, the most useful first. It is called when a note is made.
	Candidates func() []Candidate
	// Found is called with our friend's addresses, the newest first, each time a newer note was read.
	Found func([]Candidate)
	// Clock is nil for that of this machine.
	Clock dht.Clock
	Log   *slog.Logger
}

// State is how far a meeting has come.
type State struct {
	Reached int         // nodes of the DHT that answer
	Holders int         // nodes that have our note of today
	Stored  time.Time   // when we last sent a note; zero: never
	Found   time.Time   // when we last read a newer note of our friend; zero: never
	Peer    []Candidate // what our friend's notes say
}

// Meeting leaves our notes and looks for those of our friend. Its functions never block, and may be called from any
// goroutine. It calls Candidates and Found without a lock.
type Meeting struct {
	opts  Options
	clock dht.Clock
	log   *slog.Logger

	mu        sync.Mutex
	started   bool
	closed    bool
	timer     dht.Timer
	wakeAt    time.Time
	own       map[string]*ownDay
	peer      map[string]*peerDay
	connected bool
	asking    time.Time // since when we look for our friend
	turn      int       // of slow questions
	changed   time.Time // when our candidates changed since the last note; zero: not
	settle    time.Duration
	noted     []Candidate
	seq       int64 // of our last note
	stored    time.Time
	found     time.Time
	all       []Candidate // of our friend
}

// New returns a meeting. It does nothing before Run.
func New(opts Options) *Meeting {
	m := &Meeting{opts: opts, clock: opts.Clock, log: opts.Log, own: make(map[string]*ownDay), peer: make(map[string]*peerDay), settle: settleFirst}
	if m.clock == nil {
		m.clock = dht.SystemClock{}
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	return m
}

// Run meets until ctx ends. It is called once.
func (m *Meeting) Run(ctx context.Context) {
	m.start()
	<-ctx.Done()
	m.stop()
}

func (m *Meeting) start() {
	m.mu.Lock()
	m.started = true
	m.asking = m.clock.Now()
	m.mu.Unlock()
	m.step()
}

func (m *Meeting) stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	if m.timer != nil {
		m.timer.Stop()
	}
	for _, d := range m.own {
		d.topic.Close()
	}
	for _, d := range m.peer {
		d.topic.Close()
	}
}

// Changed says that Candidates may return others than before.
func (m *Meeting) Changed() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.changed.IsZero() {
		m.changed = m.clock.Now()
	}
	m.wake(m.settle)
}

// SetConnected says whether the link has our friend. While it has, nothing is asked.
func (m *Meeting) SetConnected(connected bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.connected == connected {
		return
	}
	m.connected = connected
	if !connected {
		m.asking, m.settle = m.clock.Now(), settleAgain // our address may be another one, which must be known at once
		for _, d := range m.peer {
			d.searched = time.Time{}
		}
		m.wake(0)
	}
}

// State returns how far the meeting has come.
func (m *Meeting) State() State {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := State{Reached: m.opts.Client.Reached(), Stored: m.stored, Found: m.found, Peer: slices.Clone(m.all)}
	if d := m.own[day(m.clock.Now())]; d != nil {
		s.Holders = d.topic.State().Holders
	}
	return s
}

// wake has step called after a while, or earlier when it would be anyway.
func (m *Meeting) wake(after time.Duration) {
	at := m.clock.Now().Add(after)
	if !m.started || m.closed || m.timer != nil && !m.wakeAt.After(at) {
		return
	}
	if m.timer != nil {
		m.timer.Stop()
	}
	m.wakeAt = at
	m.timer = m.clock.AfterFunc(after, m.step)
}

// step does what is due.
func (m *Meeting) step() {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return
	}
	if m.timer != nil {
		m.timer.Stop()
		m.timer = nil
	}
	now := m.clock.Now()
	m.turnDays(now)
	due := m.due(now)
	m.mu.Unlock()

	var candidates []Candidate
	if due {
		candidates = choose(m.opts.Candidates())
	}

	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	if due {
		m.publish(now, candidates)
	}
	m.watch(now)
	m.wake(m.ask(now))
}

// day is the name of a UTC day.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// ownDays are the days under whose keys we leave notes: around midnight both, for a friend whose clock differs from ours.
func ownDays(now time.Time) []string {
	return slices.Compact([]string{day(now.Add(-noteMargin)), day(now.Add(noteMargin))})
}

// peerDays are the days under whose keys we look, today's first: our friend's clock may be wrong by a day.
func peerDays(now time.Time) []string {
	return []string{day(now), day(now.Add(-24 * time.Hour)), day(now.Add(24 * time.Hour))}
}

// turnDays opens the topics of the days that matter and closes the others.
func (m *Meeting) turnDays(now time.Time) {
	own, peer := ownDays(now), peerDays(now)
	for name, d := range m.own {
		if !slices.Contains(own, name) {
			d.topic.Close()
			delete(m.own, name)
		}
	}
	for name, d := range m.peer {
		if !slices.Contains(peer, name) {
			d.topic.Close()
			delete(m.peer, name)
		}
	}
	for _, name := range own {
		if m.own[name] == nil {
			m.own[name] = m.openOwn(name)
		}
	}
	for _, name := range peer {
		if m.peer[name] == nil {
			m.peer[name] = m.openPeer(name)
		}
	}
}

// read takes an item that was found under our friend's key of a day.
func (m *Meeting) read(d *peerDay, item dht.Item) {
	candidates, ok := d.keys.read(item)
	if !ok {
		return
	}
	m.mu.Lock()
	if m.closed || item.Seq <= d.seq {
		m.mu.Unlock()
		return
	}
	d.seq, d.candidates = item.Seq, candidates
	m.found = m.clock.Now()
	days := slices.SortedFunc(maps.Values(m.peer), func(a, b *peerDay) int {
		switch {
		case a.seq > b.seq:
			return -1
		case a.seq < b.seq:
			return 1
		}
		return 0
	})
	var all []Candidate
	for _, d := range days {
		all = append(all, d.candidates...)
	}
	m.all = choose(all)
	all = slices.Clone(m.all)
	m.mu.Unlock()
	m.log.Debug("meeting: our friend left a note", "day", d.keys.day, "addresses", len(candidates))
	m.opts.Found(all)
}
