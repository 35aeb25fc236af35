// SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/pion/rtcp"

	"github.com/costream-obs/costream-obs/media/link/bwe"
	"github.com/costream-obs/costream-obs/media/link/ice"
	"github.com/costream-obs/costream-obs/media/link/repair"
	"github.com/costream-obs/costream-obs/media/link/rtpsession"
	"github.com/costream-obs/costream-obs/media/link/tally"
)

// besideByte begins the datagrams of another protocol: a dictionary of the BitTorrent DHT. No other of ours does.
const besideByte = 'd'

// rtpHeaderSize is that of RTP without contributing sources (RFC 3550, 5.1).
const rtpHeaderSize = 12

// take sorts what comes in by its first byte (RFC 7983).
func (s *Secure) take(at time.Time, from ice.Way, datagram []byte) {
	ok := false
	switch {
	case len(datagram) == 0:
	case datagram[0] < 4:
		ok = s.agent.Take(from, datagram)
	case datagram[0] >= 20 && datagram[0] < 64:
		if p := s.pipe.Load(); p != nil && s.agent.Consents(from) {
			ok = p.Put(datagram)
		}
	case datagram[0] >= 128 && datagram[0] < 192:
		ok = s.takeMedia(at, from.Addr, datagram)
	case datagram[0] == besideByte:
		ok = s.takeBeside(from, datagram)
	}
	if !ok {
		s.refused.Add(1)
	}
}

// takeOffAir sorts what comes in where there is to be no session.
func (s *Secure) takeOffAir(_ time.Time, from ice.Way, datagram []byte) {
	if len(datagram) > 0 && datagram[0] == besideByte {
		s.takeBeside(from, datagram)
		return
	}
	s.agent.TakeProbe(from, datagram)
}

// takeBeside passes a datagram of another protocol on, which does not use our relay.
func (s *Secure) takeBeside(from ice.Way, datagram []byte) bool {
	if s.onBeside == nil || from.Relayed {
		return false
	}
	s.onBeside(from.Addr, datagram)
	return true
}

// takeMedia decrypts a packet and hands it to its session.
func (s *Secure) takeMedia(at time.Time, from netip.AddrPort, datagram []byte) bool {
	session := s.session.Load()
	if session == nil || len(datagram) < 2 {
		return false
	}
	// RFC 5761, 4.
	if kind := datagram[1]; kind >= 192 && kind < 224 {
		b, ok := session.OpenRTCP(datagram)
		if !ok {
			return false
		}
		if b[1] == byte(rtcp.TypeTransportSpecificFeedback) && b[0]&0x1f == rtcp.FormatTCC {
			return s.takeFeedback(b)
		}
		if tally.IsWord(b) {
			s.tally.take(session, b)
			return true
		}
		// Each session looks for what is about its own SSRC.
		for _, snd := range s.senders {
			snd.ReadRTCP(b)
		}
		for _, r := range s.receivers {
			r.ReadRTCP(from, b)
		}
		return true
	}
	b, ok := session.OpenRTP(datagram)
	if !ok {
		return false
	}
	b, number, twice, numbered := bwe.TakeNumber(b)
	m := Video
	if b[1]&0x7f == audioPayloadType {
		m = Audio
		b[1] = b[1]&0x80 | rtpsession.PayloadType
	}
	if numbered {
		arrival := bwe.Arrival{SSRC: binary.BigEndian.Uint32(b[8:]), Number: number, Bytes: len(datagram)}
		if !twice {
			arrival.Again = s.agent.RTT()
		}
		missing := s.feedback.Arrived(at, arrival)
		if m == Audio {
			s.soundCame(binary.BigEndian.Uint16(b[2:]), missing, twice)
		}
	}
	if b[1]&0x7f == repair.ParityPayloadType && len(b) >= rtpHeaderSize {
		s.receivers[Video].ReadParity(from, b[rtpHeaderSize:])
		return true
	}
	s.receivers[m].ReadRTP(from, b)
	return true
}

// soundCame notes a packet of sound. Where more is missing before it than sound, the end of a picture may be lost: that
// shows sooner than by the next picture.
func (s *Secure) soundCame(number uint16, missing int, twice bool) {
	if twice {
		s.receivers[Audio].ComesTwice()
	}
	missing -= max(int(int16(number-s.heard))-1, 0)
	s.heard = number
	if missing > 0 {
		s.receivers[Video].SuspectLoss(missing)
	}
}

// sendFeedback tells the peer when its packets came, until ctx ends.
func (s *Secure) sendFeedback(ctx context.Context) {
	ticker := time.NewTicker(bwe.FeedbackInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.feedback.Report(s.sendRTCP)
		}
	}
}

// takeFeedback takes in what the peer tells of our packets.
func (s *Secure) takeFeedback(packet []byte) bool {
	var report rtcp.TransportLayerCC
	if report.Unmarshal(packet) != nil {
		return false
	}
	picture, all, news := s.rate.Report(time.Now(), &report)
	s.pacer.SetRate(all)
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
