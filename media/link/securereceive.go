// SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/pion/rtcp"
)

// askAgain is how long beyond the round trip a check waits for its answer before the peer's news are worth another one.
const askAgain = 25 * time.Millisecond

// audioPayloadType tells sound from picture where both use one port.
const audioPayloadType = 97

const (
	rtpHeaderSize  = 12
	rtcpHeaderSize = 8
	sealSize       = 16 // what encryption adds to a packet
)

// take sorts what comes in by its first byte (RFC 7983).
func (s *Secure) take(from netip.AddrPort, datagram []byte) {
	ok := false
	switch {
	case len(datagram) == 0:
	case datagram[0] < 4:
		ok = s.takeCheck(from, datagram)
	case datagram[0] >= 20 && datagram[0] < 64:
		if p := s.pipe.Load(); p != nil && s.knows(from) {
			ok = p.put(datagram)
		}
	case datagram[0] >= 128 && datagram[0] < 192:
		ok = s.takeMedia(from, datagram)
	}
	if !ok {
		s.refused.Add(1)
	}
}

// knows tells whether the peer has proved lately that it is at an address.
func (s *Secure) knows(a netip.AddrPort) bool {
	s.pathMu.Lock()
	defer s.pathMu.Unlock()
	p := s.paths.find(a)
	return p != nil && time.Since(p.answered) < consent
}

// takeMedia decrypts a packet and hands it to its session.
func (s *Secure) takeMedia(from netip.AddrPort, datagram []byte) bool {
	session := s.session.Load()
	if session == nil || len(datagram) < 2 {
		return false
	}
	// RFC 5761, 4.
	if kind := datagram[1]; kind >= 192 && kind < 224 {
		b, ok := session.openRTCP(datagram)
		if !ok {
			return false
		}
		if b[1] == byte(rtcp.TypeTransportSpecificFeedback) && b[0]&0x1f == rtcp.FormatTCC {
			return s.takeReport(b)
		}
		// Each session looks for what is about its own SSRC.
		for _, snd := range s.senders {
			snd.readRTCP(b)
		}
		for _, r := range s.receivers {
			r.readRTCP(from, b)
		}
		return true
	}
	b, ok := session.openRTP(datagram)
	if !ok {
		return false
	}
	b, number, twice, numbered := takeNumber(b)
	m := Video
	if b[1]&0x7f == audioPayloadType {
		m = Audio
		b[1] = b[1]&0x80 | payloadType
	}
	if numbered {
		missing := s.arrivals.came(time.Now(), binary.BigEndian.Uint32(b[8:]), number)
		if m == Audio {
			s.soundCame(binary.BigEndian.Uint16(b[2:]), missing, twice)
		}
	}
	if b[1]&0x7f == parityPayloadType && len(b) >= rtpHeaderSize {
		s.receivers[Video].readParity(from, b[rtpHeaderSize:])
		return true
	}
	s.receivers[m].readRTP(from, b)
	return true
}

// soundCame notes a packet of sound. Where more is missing before it than sound, the end of a picture may be lost: that
// shows sooner than by the next picture.
func (s *Secure) soundCame(number uint16, missing int, twice bool) {
	if twice {
		s.receivers[Audio].comesTwice()
	}
	missing -= max(int(int16(number-s.heard))-1, 0)
	s.heard = number
	if missing > 0 {
		s.receivers[Video].suspect(missing)
	}
}

// report tells the peer what came of it, until ctx ends.
func (s *Secure) report(ctx context.Context) {
	ticker := time.NewTicker(feedbackInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.arrivals.report(s.sendRTCP)
		}
	}
}

// takeReport takes in what the peer tells of our packets.
func (s *Secure) takeReport(packet []byte) bool {
	var report rtcp.TransportLayerCC
	if report.Unmarshal(packet) != nil {
		return false
	}
	picture, all, news := s.flow.report(time.Now(), &report)
	s.pacer.setRate(all)
	if news {
		s.tell(picture)
	}
	return true
}

// tell passes on what the path takes of a picture.
func (s *Secure) tell(bits int) {
	if s.onRate != nil {
		s.onRate(bits)
	}
}

// takeCheck answers a request, and notes a response.
func (s *Secure) takeCheck(from netip.AddrPort, datagram []byte) bool {
	k, ok := s.checker.decode(datagram)
	if !ok {
		return s.prober.take(from, datagram)
	}
	now := time.Now()
	s.pathMu.Lock()
	defer s.pathMu.Unlock()
	if k.response {
		if !s.paths.answer(now, from, k.transaction) {
			return false
		}
		s.met(k)
		s.setTarget(now)
		return true
	}
	b, err := s.checker.encode(check{response: true, transaction: k.transaction, from: s.own, knows: s.offered}, from)
	if err == nil {
		s.probes.send(from, b)
	}
	checkNow := s.paths.heard(now, from)
	// An offer that we do not know, or a peer that does not know ours: asking brings an answer that is surely fresh.
	if k.from != s.offered || !s.understood {
		if p := s.paths.find(from); p != nil && p.last(now) > time.Duration(s.rtt.Load())+askAgain {
			p.due, checkNow = now, true
		}
	}
	if checkNow {
		signal(s.lookNow)
	}
	return true
}

// met notes what a fresh response says about the peer.
func (s *Secure) met(k check) {
	understood := k.knows == s.own
	if k.from == s.offered && understood == s.understood {
		return
	}
	// The peer must learn that we know it before it begins: it does so from our next check.
	if k.from != s.offered {
		for _, p := range s.paths.all {
			if p == s.paths.selected {
				p.due = time.Time{}
			}
		}
		signal(s.lookNow)
	}
	s.offered, s.understood = k.from, understood
	signal(s.news)
}

// setTarget makes the selected path the one to send to, or none when nobody answers there.
func (s *Secure) setTarget(now time.Time) {
	if !s.paths.alive(now) {
		if s.target.Swap(nil) != nil {
			s.log.Info("peer does not answer any more", "session", s.session.Load() != nil)
			signal(s.news)
		}
		return
	}
	s.rtt.Store(int64(s.paths.selected.rtt))
	if old := s.target.Load(); old == nil || *old != s.paths.selected.addr {
		addr := s.paths.selected.addr
		s.target.Store(&addr)
		s.flow.moved()
		s.log.Info("peer answers", "address", addr, "rtt", s.paths.selected.rtt)
		signal(s.news)
	}
}
