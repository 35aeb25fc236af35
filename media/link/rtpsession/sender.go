// SPDX-License-Identifier: Apache-2.0

package rtpsession

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

	// keyFrameInterval is the shortest time between two calls of KeyFrameRequest. It is below repair.RequestInterval so
	// that the jitter of the network does not swallow a repeated request.
	keyFrameInterval = 200 * time.Millisecond
)

// SenderOptions say what a Sender sends and how. SendRTP, SendRTCP and Resend must not block, since they are called with a
// lock held.
type SenderOptions struct {
	Medium   Medium
	CNAME    string
	Now      func() time.Time
	SendRTP  func(header *rtp.Header, payload []byte)
	SendRTCP func(compound []byte)

	// Resend sends again what a NACK asks for, and returns how many packets that is. It is nil where packets are not sent
	// again.
	Resend func(*rtcp.TransportLayerNack) (count uint64)

	// KeyFrameRequest tells that the peer needs a key frame. It may be nil, and is called at most five times a second.
	KeyFrameRequest func()
}

// Sender is the sending half of an RTP session: sender reports out, receiver reports and key frame requests in. Safe for
// concurrent use.
type Sender struct {
	o     SenderOptions
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

// NewSender returns a sender that sends no reports until Start is called.
func NewSender(o SenderOptions) (*Sender, error) {
	factory, err := report.NewSenderInterceptor(report.SenderInterval(reportInterval), report.SenderNow(o.Now))
	if err != nil {
		return nil, err
	}
	chain, err := factory.NewInterceptor("")
	if err != nil {
		return nil, err
	}
	return &Sender{o: o, chain: chain, known: map[uint32]bool{}}, nil
}

// Start begins to send reports; Close ends that.
func (s *Sender) Start() {
	s.chain.BindRTCPWriter(interceptor.RTCPWriterFunc(s.writeRTCP))
}

// Close stops the reports and waits for the one under way.
func (s *Sender) Close() { _ = s.chain.Close() } // has no error to give

// WriteRTP takes one packet of ours.
func (s *Sender) WriteRTP(packet []byte) error {
	header := &rtp.Header{}
	n, err := header.Unmarshal(packet)
	if err != nil {
		return fmt.Errorf("link: %v packet to send is not RTP: %w", s.o.Medium, err)
	}
	if !isVersion2(packet) {
		return fmt.Errorf("link: %v packet to send is not RTP: version %d", s.o.Medium, packet[0]>>6)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.info == nil || s.info.SSRC != header.SSRC {
		s.bind(header)
	}
	s.stats.Packets++
	s.stats.Bytes += uint64(len(packet))
	s.stats.LastSent = s.o.Now()
	_, err = s.write.Write(header, packet[n:], nil)
	return err
}

// bind makes the SSRC of the header the one that we send. The old one says goodbye first, so that the peer does not wait
// for it.
func (s *Sender) bind(header *rtp.Header) {
	if s.info != nil {
		s.goodbye()
		s.chain.UnbindLocalStream(s.info)
	}
	s.info = &interceptor.StreamInfo{
		SSRC: header.SSRC, PayloadType: header.PayloadType, ClockRate: s.o.Medium.clockRate(),
	}
	s.write = s.chain.BindLocalStream(s.info, interceptor.RTPWriterFunc(
		func(header *rtp.Header, payload []byte, _ interceptor.Attributes) (int, error) {
			s.o.SendRTP(header, payload)
			return len(payload), nil
		}))
	s.asks = false
	clear(s.known)
	s.stats.SSRC, s.stats.LastReport = header.SSRC, time.Time{}
	s.stats.RemoteLost, s.stats.RemoteFractionLost, s.stats.RemoteJitter, s.stats.RTT = 0, 0, 0, 0
}

// Goodbye sends a BYE for the SSRC that we send, if there is one. Call it when no other method is called any more.
func (s *Sender) Goodbye() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.goodbye()
}

func (s *Sender) goodbye() {
	if s.info == nil {
		return
	}
	if b, err := compound(s.info.SSRC, s.o.CNAME, &rtcp.Goodbye{Sources: []uint32{s.info.SSRC}}); err == nil {
		s.o.SendRTCP(b)
	}
}

// writeRTCP takes the reports of the interceptors.
func (s *Sender) writeRTCP(packets []rtcp.Packet, _ interceptor.Attributes) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.info == nil || s.o.Now().Sub(s.stats.LastSent) > idleAfter {
		return 0, nil
	}
	for _, p := range packets {
		if sr, ok := p.(*rtcp.SenderReport); ok {
			// pion takes what is written for what is captured now.
			sr.RTPTime += uint32(s.age.Seconds() * float64(s.o.Medium.clockRate()))
		}
	}
	b, err := compound(s.info.SSRC, s.o.CNAME, packets...)
	if err != nil {
		return 0, err
	}
	s.o.SendRTCP(b)
	return len(b), nil
}

// SetAge notes how long before WriteRTP a packet's content was captured.
func (s *Sender) SetAge(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.age = max(d, 0)
}

// Joined makes a key frame for a peer that has just begun to listen, before it can ask.
func (s *Sender) Joined() {
	if s.o.KeyFrameRequest == nil {
		return
	}
	s.mu.Lock()
	s.lastCall = s.o.Now()
	s.mu.Unlock()
	s.o.KeyFrameRequest()
}

// Skip makes a key frame because packets before it will not be sent.
func (s *Sender) Skip() {
	s.mu.Lock()
	now := s.o.Now()
	due := s.o.KeyFrameRequest != nil && now.Sub(s.lastCall) >= keyFrameInterval
	if due {
		s.lastCall = now
	}
	s.mu.Unlock()
	if due {
		s.o.KeyFrameRequest()
	}
}

// ReadRTCP takes a datagram of the peer. What is not about the SSRC that we send is ignored: a stranger who does not see
// our packets cannot guess it.
func (s *Sender) ReadRTCP(datagram []byte) {
	if !isVersion2(datagram) {
		return
	}
	packets, err := rtcp.Unmarshal(datagram)
	if err != nil {
		return
	}
	if s.feedback(packets) && s.o.KeyFrameRequest != nil {
		s.o.KeyFrameRequest()
	}
}

// feedback notes what the peer says and tells whether a key frame is due.
func (s *Sender) feedback(packets []rtcp.Packet) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.info == nil {
		return false
	}
	now, wanted := s.o.Now(), false
	for _, p := range packets {
		switch p := p.(type) {
		case *rtcp.ReceiverReport:
			wanted = s.report(now, p.SSRC, p.Reports) || wanted
		case *rtcp.SenderReport:
			wanted = s.report(now, p.SSRC, p.Reports) || wanted
		case *rtcp.TransportLayerNack:
			if p.MediaSSRC == s.info.SSRC && s.o.Resend != nil {
				s.stats.Resent += s.o.Resend(p)
			}
		case *rtcp.PictureLossIndication:
			wanted = s.asked(p.MediaSSRC) || wanted
		case *rtcp.FullIntraRequest:
			for _, e := range p.FIR {
				wanted = s.asked(e.SSRC) || wanted
			}
		}
	}
	if !wanted || s.o.Medium != Video || now.Sub(s.lastCall) < keyFrameInterval {
		return false
	}
	s.lastCall = now
	return true
}

func (s *Sender) asked(ssrc uint32) bool {
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
func (s *Sender) report(now time.Time, from uint32, blocks []rtcp.ReceptionReport) bool {
	for _, b := range blocks {
		if b.SSRC != s.info.SSRC {
			continue
		}
		s.stats.LastReport = now
		s.stats.RemoteLost = int64(int32(b.TotalLost<<8) >> 8) // 24 bits with sign
		s.stats.RemoteFractionLost = float64(b.FractionLost) / 256
		s.stats.RemoteJitter = time.Duration(uint64(b.Jitter) * uint64(time.Second) / uint64(s.o.Medium.clockRate()))
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

// Stats returns the figures up to now.
func (s *Sender) Stats() SendStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}
