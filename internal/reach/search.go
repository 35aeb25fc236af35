// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/media/link"
)

const (
	// headStart is how long the peer has time to answer at the addresses that are known before others are asked: on one LAN
	// nobody else hears of the two.
	headStart = 300 * time.Millisecond
	// linger is how long others are asked on after a probe, for a peer that probes a little later.
	linger = 10 * time.Second
	// silentAfter is how long a peer that was there has not answered when it is looked for again: three checks of it were in
	// vain. That it is there is believed for longer, since a network may lose so many. silentLook is the time between two looks.
	silentAfter = 600 * time.Millisecond
	silentLook  = 50 * time.Millisecond
	// lookInterval is the time between two looks at our own addresses while others are asked.
	lookInterval = 2 * time.Second
)

// search looks for the peer of one link while that runs.
type search struct {
	m     *Manager
	link  *link.Secure
	poked chan struct{} // something that the loop goes by has changed

	mu       sync.Mutex
	onAir    bool
	holds    int       // probes and surveys under way
	began    time.Time // the first of them, or of those shortly before
	released time.Time // when the last of them ended
	reads    int       // notes of the peer that were read
	probed   link.Way
	helpers  *helpers // nil while nobody but the peer is asked
}

func newSearch(m *Manager, l *link.Secure) *search {
	return &search{m: m, link: l, poked: make(chan struct{}, 1)}
}

// goOnAir says that the peer is looked for as long as the link runs, not for probes alone.
func (s *search) goOnAir() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onAir = true
}

// around searches while work does its work, and returns what that returned.
func (s *search) around(ctx context.Context, work func(context.Context) error) error {
	s.m.setCurrent(s)
	defer s.m.setCurrent(nil)
	// The link says goodbye when ctx ends, perhaps through the relay.
	searching, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.run(searching)
	}()
	s.useNote()
	err := work(ctx)
	stop()
	<-done
	return err
}

// run asks others when that is worth it, until ctx ends.
func (s *search) run(ctx context.Context) {
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	silence := time.NewTicker(silentLook)
	defer silence.Stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	defer func() { s.help(ctx, false) }()
	for {
		way := s.link.Way()
		wanted, again := s.wanted(time.Now(), way)
		s.help(ctx, wanted)
		if again > 0 {
			timer.Reset(again)
		}
		var silent, look <-chan time.Time // of no use while nobody is asked
		if wanted {
			silent, look = silence.C, ticker.C
		}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-silent:
		case <-s.poked:
		case <-s.link.WayChanged():
			s.m.tell()
		case <-look:
			s.m.lookAtOwn()
		}
	}
}

// wanted tells whether others are to be asked, and after which time that may be different.
func (s *search) wanted(now time.Time, way link.Way) (wanted bool, again time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.m.o.Auto:
		return false, 0
	case s.holds > 0, s.onAir && s.helpers != nil:
		return true, 0
	case !s.onAir:
		left := linger - now.Sub(s.released)
		return left > 0, left
	case way.Connected():
		return false, 0
	}
	left := headStart - now.Sub(way.Since)
	return left <= 0, left
}

// hold has others asked until release is called.
func (s *search) hold() (release func()) {
	s.mu.Lock()
	if now := time.Now(); s.holds == 0 && now.Sub(s.released) > linger {
		s.began = now
	}
	s.holds++
	s.mu.Unlock()
	signal(s.poked)
	return func() {
		s.mu.Lock()
		s.holds--
		s.released = time.Now()
		s.mu.Unlock()
		signal(s.poked)
	}
}

// setProbed notes where a probe has found the peer; an invalid address: nowhere.
func (s *search) setProbed(at link.Way) {
	s.mu.Lock()
	s.probed = at
	s.mu.Unlock()
	s.m.tell()
}

// notes is how many notes of the peer were read.
func (s *search) notes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

// worthAnother tells whether a probe that found nobody is worth another one, where so many notes were read before it.
func (s *search) worthAnother(before int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.m.o.Auto && (!s.onAir || s.reads != before)
}

// read notes that a note was read.
func (s *search) read() {
	s.mu.Lock()
	s.reads++
	s.mu.Unlock()
	s.useNote()
}

// useNote gives the link the addresses of the peer's note.
func (s *search) useNote() {
	var addrs []netip.AddrPort
	var hosts []netip.Addr
	for _, c := range s.m.noted() {
		addrs = append(addrs, c.Addr)
		if !slices.Contains(hosts, c.Addr.Addr()) {
			hosts = append(hosts, c.Addr.Addr())
		}
	}
	s.link.SetFound(addrs)
	// On air the link itself says whom the relay may let in.
	s.mu.Lock()
	h, onAir := s.helpers, s.onAir
	s.mu.Unlock()
	if h != nil && h.relay != nil && !onAir {
		h.relay.Permit(hosts)
	}
}

// ownChanged says that our own addresses may be others.
func (s *search) ownChanged() {
	if h := s.helping(); h != nil {
		for _, meeting := range h.meetings() {
			meeting.Changed()
		}
	}
}

func (s *search) helping() *helpers {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.helpers
}

// help starts or ends what asks others, and tells it whether the peer is there.
func (s *search) help(ctx context.Context, wanted bool) {
	h := s.helping()
	switch {
	case wanted && h == nil:
		h = s.m.newHelpers(s)
		s.setHelpers(h)
		h.start(ctx)
		s.useNote()
	case !wanted && h != nil:
		s.setHelpers(nil)
		h.stop()
		return
	}
	if h != nil {
		connected := s.link.Way().Connected() && s.link.Silent() < silentAfter
		for _, meeting := range h.meetings() {
			meeting.SetConnected(connected)
		}
	}
}

func (s *search) setHelpers(h *helpers) {
	s.mu.Lock()
	s.helpers = h
	s.mu.Unlock()
	s.m.tell()
}
