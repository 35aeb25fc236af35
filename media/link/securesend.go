// SPDX-License-Identifier: Apache-2.0

package link

import (
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/costream-obs/costream-obs/media/link/bwe"
	"github.com/costream-obs/costream-obs/media/link/dtlssrtp"
	"github.com/costream-obs/costream-obs/media/link/repair"
	"github.com/costream-obs/costream-obs/media/link/rtpsession"
)

// audioPayloadType tells sound from picture where both use one port.
const audioPayloadType = 97

// streamOf returns the stream of a packet as it is before encryption.
func streamOf(packet []byte) bwe.Stream {
	switch packet[1] & 0x7f {
	case audioPayloadType:
		return bwe.Sound
	case repair.ParityPayloadType:
		return bwe.Parity
	}
	return bwe.Picture
}

// mediumOf is what a stream is of.
func mediumOf(s bwe.Stream) Medium {
	if s == bwe.Sound {
		return Audio
	}
	return Video
}

// sendRTP sends a packet if the peer is there: sound at once, the picture as the path takes it.
func (s *Secure) sendRTP(m Medium, header *rtp.Header, payload []byte) {
	of := bwe.Picture
	if m == Audio {
		of = bwe.Sound
	}
	if s.session.Load() == nil || s.agent.Target() == nil {
		s.skip(of)
		return
	}
	buffer := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(buffer)
	size := header.MarshalSize()
	if cap(*buffer) < size+len(payload) {
		*buffer = make([]byte, 0, size+len(payload))
	}
	n, err := header.MarshalTo((*buffer)[:size])
	if err != nil {
		s.skip(of)
		return
	}
	packet := append((*buffer)[:n], payload...)
	packet[1] = packet[1]&0x80 | rtpsession.PayloadType
	if m == Video {
		s.pacer.Put(packet)
		s.parity.Add(packet, s.rate.ParityLevel(), s.pacer.Put)
		return
	}
	packet[1] = packet[1]&0x80 | audioPayloadType
	s.transmit(packet)
	if s.soundTwice() {
		if b := s.sent[Audio].Before(time.Now(), header.SSRC, header.SequenceNumber); b != nil {
			s.resend(b)
		}
	}
}

// soundTwice tells whether each packet of sound is sent a second time, with the one after it: where some are lost here
// and there. It costs little, and the copy is there sooner than an answer.
func (s *Secure) soundTwice() bool { return s.rate.ParityLevel() > 0 }

// transmit numbers, encrypts and sends a packet.
func (s *Secure) transmit(packet []byte) {
	of := streamOf(packet)
	session, to := s.session.Load(), s.agent.Target()
	if session == nil || to == nil {
		s.skip(of)
		return
	}
	buffer := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(buffer)
	now := time.Now()
	number := s.rate.Sent(now, of, len(packet)+bwe.ExtensionSize+dtlssrtp.Overhead)
	*buffer = bwe.AppendNumber((*buffer)[:0], packet, number, of == bwe.Sound && s.soundTwice())
	err := session.SealRTP(*buffer, func(b []byte) {
		if of != bwe.Parity {
			s.sent[mediumOf(of)].Keep(now, b)
		}
		s.sendNumbered(*to, b, number)
	})
	if err != nil {
		s.dropped[mediumOf(of)].Add(1)
	}
}

// sendAgain sends what a NACK asks for, and returns how many packets that is.
func (s *Secure) sendAgain(m Medium, nack *rtcp.TransportLayerNack) uint64 {
	copies := s.sent[m].Copies(time.Now(), nack)
	for _, b := range copies {
		s.rate.Asked(b)
		if m == Video {
			s.pacer.PutAgain(b)
		} else {
			s.resend(b)
		}
	}
	return uint64(len(copies))
}

// resend sends a datagram of ours another time.
func (s *Secure) resend(datagram []byte) {
	if to := s.agent.Target(); to != nil {
		s.rate.Resent(len(datagram))
		s.sendMedia(*to, datagram)
	}
}

// skip counts a packet that is not sent.
func (s *Secure) skip(of bwe.Stream) {
	s.rate.Skipped(of)
	s.dropped[mediumOf(of)].Add(1)
}

// sendRTCP encrypts and sends a compound packet if the peer is there.
func (s *Secure) sendRTCP(packet []byte) {
	if session := s.session.Load(); session != nil {
		s.sealRTCP(session, packet)
	}
}

func (s *Secure) sealRTCP(session *dtlssrtp.Session, packet []byte) {
	if to := s.agent.Target(); to != nil {
		_ = session.SealRTCP(packet, func(b []byte) { s.send(s.media, *to, b) }) // a lost report is none
	}
}

// sendDTLS sends a datagram of the handshake to where the peer is, if it is anywhere.
func (s *Secure) sendDTLS(datagram []byte) {
	if to := s.agent.Target(); to != nil {
		s.send(s.media, *to, datagram)
	}
}
