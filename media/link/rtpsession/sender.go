// SPDX-License-Identifier: Apache-2.0

package link

import (
	"fmt"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

const (
	// idleAfter is how long after the last packet sender reports go on.
	idleAfter = time.Second

	// keyFrameInterval is the shortest time between two calls of KeyFrameRequest. It is below askInterval so that the
	// jitter of the network does not swallow a repeated request.
	keyFrameInterval = 200 * time.Millisecond
)

// sender is the sending half of one RTP session: sender reports out, receiver reports and key frame requests in. Its
// send functions must not block, since they are called with mu held.
type sender struct {
	medium  Medium
	cname   string
	now     func() time.Time
	sendRTP func(*rtp.Header, []byte)
	sendSR  func([]byte)
	onKey   func() // may be nil

	sendAgain func(*rtcp.TransportLayerNack) (count uint64) // nil where packets are not sent again

	chain interceptor.Interceptor

	mu       sync.Mutex
	age      time.Duration           // of what is written
	info     *interceptor.StreamInfo // of the SSRC that we send; nil before the first packet
	write    interceptor.RTPWriter
	stats    SendStats
	asks     bool            // the peer asked for a key frame at least once
	known    map[uint32]bool // receivers that reported
	lastCall time.Time       // of onKey
}

func newSender(m Medium, cname string, now func() time.Time, onKey func()) (*sender, error) {
	factory, err := report.NewSenderInterceptor(report.SenderInterval(reportInterval), report.SenderNow(now))
	if err != nil {
		return nil, err
	}
	chain, err := factory.NewInterceptor("")
	if err != nil {
		return nil, err
	}
	return &sender{medium: m, cname: cname, now: now, onKey: onKey, chain: chain, known: map[uint32]bool{}}, nil
}

// start begins to send reports; close ends that.
func (s *sender) start() {
	s.chain.BindRTCPWriter(interceptor.RTCPWriterFunc(s.writeRTCP))
}

// close stops the reports and waits for the one under way.
func (s *sender) close() { _ = s.chain.Close() } // has no error to give

// writeRTP takes one packet of ours.
func (s *sender) writeRTP(packet []byte) error {
	header := &rtp.Header{}
	n, err := header.Unmarshal(packet)
	if err != nil {
		return fmt.Errorf("link: %v packet to send is not RTP: %w", s.medium, err)
	}
	if !isVersion2(packet) {
		return fmt.Errorf("link: %v packet to send is not RTP: version %d", s.medium, packet[0]>>6)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.info == nil || s.info.SSRC != header.SSRC {
		s.bind(header)
	}
	s.stats.Packets++
	s.stats.Bytes += uint64(len(packet))
	s.stats.LastSent = s.now()
	_, err = s.write.Write(header, packet[n:], nil)
	return err
}

// bind makes the SSRC of the header the one that we send. The old one says goodbye first, so that the peer does not wait
// for it.
func (s *sender) bind(header *rtp.Header) {
	if s.info != nil {
		s.goodbye()
		s.chain.UnbindLocalStream(s.info)
	}
	s.info = &interceptor.StreamInfo{
		SSRC: header.SSRC, PayloadType: header.PayloadType, ClockRate: s.medium.clockRate(),
	}
	s.write = s.chain.BindLocalStream(s.info, interceptor.RTPWriterFunc(
		func(header *rtp.Header, payload []byte, _ interceptor.Attributes) (int, error) {
			s.sendRTP(header, payload)
			return len(payload), nil
		}))
	s.asks = false
	clear(s.known)
	s.stats.SSRC, s.stats.LastReport = header.SSRC, time.Time{}
	s.stats.RemoteLost, s.stats.RemoteFractionLost, s.stats.RemoteJitter, s.stats.RTT = 0, 0, 0, 0
}

// goodbye sends a BYE for the SSRC that we send, if there is one. The caller holds mu or is the last user.
func (s *sender) goodbye() {
	if s.info == nil {
		return
	}
	if b, err := compound(s.info.SSRC, s.cname, &rtcp.Goodbye{Sources: []uint32{s.info.SSRC}}); err == nil {
		s.sendSR(b)
	}
}

// writeRTCP takes the reports of the interceptors.
func (s *sender) writeRTCP(packets []rtcp.Packet, _ interceptor.Attributes) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.info == nil || s.now().Sub(s.stats.LastSent) > idleAfter {
		return 0, nil
	}
	for _, p := range packets {
		if sr, ok := p.(*rtcp.SenderReport); ok {
			// pion takes what is written for what is captured now.
			sr.RTPTime += uint32(s.age.Seconds() * float64(s.medium.clockRate()))
		}
	}
	b, err := compound(s.info.SSRC, s.cname, packets...)
	if err != nil {
		return 0, err
	}
	s.sendSR(b)
	return len(b), nil
}

// setAge notes how long before writeRTP a packet's content was captured.
func (s *sender) setAge(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.age = max(d, 0)
}

// joined makes a key frame for a peer that has just begun to listen, before it can ask.
func (s *sender) joined() {
	if s.onKey == nil {
		return
	}
	s.mu.Lock()
	s.lastCall = s.now()
	s.mu.Unlock()
	s.onKey()
}

// skip makes a key frame because packets before it will not be sent.
func (s *sender) skip() {
	s.mu.Lock()
	now := s.now()
	due := s.onKey != nil && now.Sub(s.lastCall) >= keyFrameInterval
	if due {
		s.lastCall = now
	}
	s.mu.Unlock()
	if due {
		s.onKey()
	}
}

// readRTCP takes a datagram of the peer. What is not about the SSRC that we send is ignored: a stranger who does not see
// our packets cannot guess it.
func (s *sender) readRTCP(datagram []byte) {
	if !isVersion2(datagram) {
		return
	}
	packets, err := rtcp.Unmarshal(datagram)
	if err != nil {
		return
	}
	if s.feedback(packets) && s.onKey != nil {
		s.onKey()
	}
}

// feedback notes what the peer says and tells whether a key frame is due.
func (s *sender) feedback(packets []rtcp.Packet) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.info == nil {
		return false
	}
	now, wanted := s.now(), false
	for _, p := range packets {
		switch p := p.(type) {
		case *rtcp.ReceiverReport:
			wanted = s.report(now, p.SSRC, p.Reports) || wanted
		case *rtcp.SenderReport:
			wanted = s.report(now, p.SSRC, p.Reports) || wanted
		case *rtcp.TransportLayerNack:
			if p.MediaSSRC == s.info.SSRC && s.sendAgain != nil {
				s.stats.Resent += s.sendAgain(p)
			}
		case *rtcp.PictureLossIndication:
			wanted = s.asked(p.MediaSSRC) || wanted
		case *rtcp.FullIntraRequest:
			for _, e := range p.FIR {
				wanted = s.asked(e.SSRC) || wanted
			}
		}
	}
	if !wanted || s.medium != Video || now.Sub(s.lastCall) < keyFrameInterval {
		return false
	}
	s.lastCall = now
	return true
}

func (s *sender) asked(ssrc uint32) bool {
	if ssrc != s.info.SSRC {
		return false
	}
	s.asks = true
	s.stats.KeyFrameRequests++
	return true
}

// maxReceivers bounds what made-up reports can make us remember.
const maxReceivers = 16

// report notes what one receiver says. It tells whether that calls for a key frame: the 2020 receiver never asks for
// one, so there a new receiver, and loss, stand for the question.
func (s *sender) report(now time.Time, from uint32, blocks []rtcp.ReceptionReport) bool {
	for _, b := range blocks {
		if b.SSRC != s.info.SSRC {
			continue
		}
		s.stats.LastReport = now
		s.stats.RemoteLost = int64(int32(b.TotalLost<<8) >> 8) // 24 bits with sign
		s.stats.RemoteFractionLost = float64(b.FractionLost) / 256
		s.stats.RemoteJitter = time.Duration(uint64(b.Jitter) * uint64(time.Second) / uint64(s.medium.clockRate()))
		if rtt := roundTrip(now, b); rtt > 0 {
			s.stats.RTT = rtt
		}
		old := s.known[from]
		if !old && len(s.known) == maxReceivers {
			clear(s.known)
		}
		s.known[from] = true
		return !s.asks && (!old || b.FractionLost > 0)
	}
	return false
}

func (s *sender) snapshot() SendStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}
