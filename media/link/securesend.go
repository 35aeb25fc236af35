// SPDX-License-Identifier: Apache-2.0

package link

import (
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// sendRTP sends a packet if the peer is there: sound at once, the picture as the path takes it.
func (s *Secure) sendRTP(m Medium, header *rtp.Header, payload []byte) {
	of := pictureStream
	if m == Audio {
		of = soundStream
	}
	if s.session.Load() == nil || s.target.Load() == nil {
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
	packet[1] = packet[1]&0x80 | payloadType
	if m == Video {
		s.pacer.put(packet)
		s.parity.add(packet, s.flow.parityNow(), s.pacer.put)
		return
	}
	packet[1] = packet[1]&0x80 | audioPayloadType
	s.transmit(packet)
	if s.soundTwice() {
		if b := s.sent[Audio].before(time.Now(), header.SSRC, header.SequenceNumber); b != nil {
			s.resend(b)
		}
	}
}

// soundTwice tells whether each packet of sound is sent a second time, with the one after it: where some are lost here
// and there. It costs little, and the copy is there sooner than an answer.
func (s *Secure) soundTwice() bool { return s.flow.parityNow() > 0 }

// transmit numbers, encrypts and sends a packet.
func (s *Secure) transmit(packet []byte) {
	of := streamOf(packet)
	session, to := s.session.Load(), s.target.Load()
	if session == nil || to == nil {
		s.skip(of)
		return
	}
	buffer := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(buffer)
	now := time.Now()
	number := s.flow.enter(now, of, len(packet)+extensionSize+sealSize)
	*buffer = putNumber((*buffer)[:0], packet, number, of == soundStream && s.soundTwice())
	err := session.sealRTP(*buffer, func(b []byte) {
		if of != parityStream {
			s.sent[of.medium()].keep(now, b)
		}
		s.outlet.send(*to, b)
	})
	if err != nil {
		s.dropped[of.medium()].Add(1)
	}
}

// sendAgain sends what a NACK asks for, and returns how many packets that is.
func (s *Secure) sendAgain(m Medium, nack *rtcp.TransportLayerNack) uint64 {
	copies := s.sent[m].copies(time.Now(), nack)
	for _, b := range copies {
		if m == Video {
			s.pacer.putAgain(b)
		} else {
			s.resend(b)
		}
	}
	return uint64(len(copies))
}

// resend sends a datagram of ours another time.
func (s *Secure) resend(datagram []byte) {
	if to := s.target.Load(); to != nil {
		s.flow.spend(len(datagram))
		s.outlet.send(*to, datagram)
	}
}

// skip counts a packet that is not sent.
func (s *Secure) skip(of stream) {
	s.flow.skip(of)
	s.dropped[of.medium()].Add(1)
}

// sendRTCP encrypts and sends a compound packet if the peer is there.
func (s *Secure) sendRTCP(packet []byte) {
	if session, to := s.session.Load(), s.target.Load(); session != nil && to != nil {
		_ = session.sealRTCP(packet, func(b []byte) { s.outlet.send(*to, b) }) // a lost report is none
	}
}

// sendDTLS sends a datagram of the handshake to where the peer is, if it is anywhere.
func (s *Secure) sendDTLS(datagram []byte) {
	if to := s.target.Load(); to != nil {
		s.outlet.send(*to, datagram)
	}
}
