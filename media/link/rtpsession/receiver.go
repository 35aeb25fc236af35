// SPDX-License-Identifier: Apache-2.0

package rtpsession

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/costream-obs/costream-obs/media/link/internal/wait"
	"github.com/costream-obs/costream-obs/media/link/jitter"
	"github.com/costream-obs/costream-obs/media/link/repair"
)

// PayloadType is the RTP payload type of both media, as the 2020 scripts have it by GStreamer's default.
const PayloadType = 96

// ReceiverOptions say what a Receiver receives and how. SendRTCP must not block, since it is called with a lock held.
type ReceiverOptions struct {
	Medium   Medium
	CNAME    string
	Now      func() time.Time
	SendRTCP func(compound []byte)
	Log      *slog.Logger

	// RTP takes one packet, which is valid only during the call, and End tells that a stream is over. Calls come one after
	// the other. Either may be nil.
	RTP func(m Medium, s Stream, packet []byte)
	End func(m Medium, s Stream)

	// RTT is the round-trip time to the peer. It is nil where nothing is encrypted: packets may then come from anybody, are
	// passed on as they come, and are not sent again. Where it is set, only the peer's packets come; lost ones are asked for,
	// and the others passed on in their order.
	RTT func() time.Duration

	// Trusted tells whether an address is the peer's, and Heard that a stream comes from there. They must be set where RTT
	// is nil.
	Trusted func(netip.Addr) bool
	Heard   func(netip.Addr)
}

// Receiver is the receiving half of an RTP session: packets in, receiver reports and requests for key frames and lost
// packets out. Safe for concurrent use.
type Receiver struct {
	o    ReceiverOptions
	ssrc uint32 // ours, in what we report

	chain    interceptor.Interceptor
	readSR   interceptor.RTCPReader
	deadline chan struct{} // run has something to wait for earlier than it knows
	armed    time.Time     // what it knows; with mu held

	calls sync.Mutex // held while handler functions run, so that they keep their order; taken before mu

	mu        sync.Mutex
	source    sourceFilter
	ids       uint64
	info      *interceptor.StreamInfo // of the current stream; nil when there is none
	read      interceptor.RTPReader
	sequence  jitter.Sequence
	keyFrames repair.KeyFrameRequester
	gaps      repair.Gaps // in sound
	lastTwice time.Time   // when sound was last said to come twice
	nack      repair.NACKGenerator
	stats     ReceiveStats

	assembler *jitter.FrameAssembler // nil where packets are passed on as they come; used with calls held
	parity    repair.ParityDecoder   // used with calls held
}

// NewReceiver returns a receiver that sends no reports until Run is called.
func NewReceiver(o ReceiverOptions) (*Receiver, error) {
	factory, err := report.NewReceiverInterceptor(report.ReceiverInterval(reportInterval), report.ReceiverNow(o.Now))
	if err != nil {
		return nil, err
	}
	chain, err := factory.NewInterceptor("")
	if err != nil {
		return nil, err
	}
	r := &Receiver{o: o, ssrc: RandomSSRC(), chain: chain, deadline: make(chan struct{}, 1)}
	if o.RTT != nil {
		r.o.Trusted, r.o.Heard = func(netip.Addr) bool { return true }, func(netip.Addr) {}
		r.nack.Enabled = true
		r.assembler = jitter.NewFrameAssembler(o.Medium == Video)
	}
	r.source = sourceFilter{trusted: r.o.Trusted, authentic: o.RTT != nil}
	r.readSR = chain.BindRTCPReader(interceptor.RTCPReaderFunc(passThrough))
	return r, nil
}

// SSRC is ours, in what we report.
func (r *Receiver) SSRC() uint32 { return r.ssrc }

// passThrough is the end of an interceptor chain whose caller has read the datagram already.
func passThrough(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
	return len(b), a, nil
}

// Run sends reports and key frame requests and ends silent streams, until ctx ends.
func (r *Receiver) Run(ctx context.Context) {
	r.chain.BindRTCPWriter(interceptor.RTCPWriterFunc(r.writeRTCP))
	defer func() { _ = r.chain.Close() }() // waits for the report under way; has no error to give
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-r.deadline:
		}
		timer.Reset(r.tick())
	}
}

// tick does what is due and returns the time until it must be called again.
func (r *Receiver) tick() time.Duration {
	r.calls.Lock()
	defer r.calls.Unlock()
	now := r.o.Now()
	r.mu.Lock()
	over := r.stats.Stream
	if !r.source.expire(now) {
		again, lost := r.wait(now)
		r.mu.Unlock()
		r.giveUp(over, lost)
		return again
	}
	r.unbind()
	r.mu.Unlock()
	r.o.Log.Info("peer's stream fell silent", "medium", r.o.Medium, "stream", over.ID)
	r.end(over)
	return time.Hour
}

// wait asks for what is due. It returns the time until the next deadline, and the last packet that was given up.
func (r *Receiver) wait(now time.Time) (time.Duration, uint64) {
	if !r.source.live {
		return time.Hour, 0
	}
	at, lost := r.ask(now)
	r.armed = wait.Earlier(r.source.last.Add(streamTimeout), at)
	return r.armed.Sub(now), lost
}

// giveUp passes on what waits for packets that are lost.
func (r *Receiver) giveUp(s Stream, lost uint64) {
	if r.assembler != nil && lost > 0 {
		r.assembler.GiveUp(lost, r.deliver(s))
	}
}

// deliver passes packets of a stream to the handler.
func (r *Receiver) deliver(s Stream) func([]byte) {
	return func(datagram []byte) {
		if r.o.RTP != nil {
			r.o.RTP(r.o.Medium, s, datagram)
		}
	}
}

// ReadRTP takes one datagram from the RTP port.
func (r *Receiver) ReadRTP(from netip.AddrPort, datagram []byte) {
	now := r.o.Now()
	attributes := interceptor.Attributes{}
	header, payload, ok := parseRTP(attributes, datagram)

	r.calls.Lock()
	defer r.calls.Unlock()
	r.mu.Lock()
	if !ok {
		r.stats.Ignored++
		r.mu.Unlock()
		return
	}
	over := r.stats.Stream
	switch r.source.see(now, from, header.SSRC) {
	case ignore:
		r.stats.Ignored++
		r.mu.Unlock()
		return
	case begin:
		r.bind(header, from)
	case accept:
		r.stats.Source = from
	}
	n, before, at := r.sequence.Add(now, header.SequenceNumber, header.Timestamp)
	if at == jitter.Restart {
		r.bind(header, from)
		n, before, at = r.sequence.Add(now, header.SequenceNumber, header.Timestamp)
	}
	if at == jitter.Outlier {
		r.stats.Ignored++
		r.mu.Unlock()
		return
	}
	r.stats.LastArrival = now
	r.stats.Packets++
	r.stats.Bytes += uint64(len(datagram))
	_, _, _ = r.read.Read(datagram, attributes) // for the reports; cannot fail on what is parsed already
	var lost uint64
	if at != jitter.Duplicate {
		r.noteLoss(now, n, before, at, !header.Marker)
		if r.o.Medium == Video {
			r.keyFrames.Packet(now, payload, n, before, at)
		}
		var again time.Time
		if again, lost = r.ask(now); !again.IsZero() && again.Before(r.armed) {
			r.wake()
		}
	}
	stream := r.stats.Stream
	r.mu.Unlock()

	if over != stream {
		r.end(over)
	}
	if at == jitter.Duplicate {
		return
	}
	if r.assembler == nil {
		r.deliver(stream)(datagram)
		return
	}
	if over != stream {
		r.assembler.Begin()
	}
	p := jitter.Packet{Number: n, Datagram: datagram, Timestamp: header.Timestamp, Last: header.Marker}
	if r.o.Medium == Video {
		p.SPS, p.IDR = jitter.KeyFrame(payload)
	}
	r.assembler.Put(p, r.deliver(stream))
	r.giveUp(stream, lost)
}

// parseRTP checks that a datagram is an RTP packet of the payload type we take.
func parseRTP(a interceptor.Attributes, datagram []byte) (*rtp.Header, []byte, bool) {
	if !isVersion2(datagram) {
		return nil, nil, false
	}
	var packet rtp.Packet
	if packet.Unmarshal(datagram) != nil || packet.PayloadType != PayloadType {
		return nil, nil, false
	}
	header, err := a.GetRTPHeader(datagram)
	return header, packet.Payload, err == nil
}

// bind makes the SSRC of the header the stream that we receive.
func (r *Receiver) bind(header *rtp.Header, from netip.AddrPort) {
	if r.info != nil {
		r.unbind()
	}
	r.ids++
	r.stats.Stream = Stream{ID: r.ids, SSRC: header.SSRC}
	r.stats.Source = from
	r.sequence = jitter.NewSequence(r.o.Medium.clockRate())
	r.keyFrames.Begin()
	r.gaps = nil
	r.nack.Begin()
	r.info = &interceptor.StreamInfo{
		SSRC: header.SSRC, PayloadType: header.PayloadType, ClockRate: r.o.Medium.clockRate(),
	}
	r.read = r.chain.BindRemoteStream(r.info, interceptor.RTPReaderFunc(passThrough))
	r.wake()
	r.o.Heard(from.Addr())
	if r.o.Trusted(from.Addr()) {
		r.o.Log.Info("receiving from peer", "medium", r.o.Medium, "source", from, "stream", r.ids)
	} else {
		r.o.Log.Warn("receiving from an address that is not the peer's", "medium", r.o.Medium, "source", from, "stream", r.ids)
	}
}

// unbind ends the current stream.
func (r *Receiver) unbind() {
	r.chain.UnbindRemoteStream(r.info)
	r.info = nil
	r.stats.Stream, r.stats.Source = Stream{}, netip.AddrPort{}
}

// ReadRTCP takes one datagram from the port of sender reports.
func (r *Receiver) ReadRTCP(from netip.AddrPort, datagram []byte) {
	if !isVersion2(datagram) {
		return
	}
	attributes := interceptor.Attributes{}
	packets, err := attributes.GetRTCPPackets(datagram)
	if err != nil {
		return
	}
	_, _, _ = r.readSR.Read(datagram, attributes) // cannot fail on what is parsed already

	r.calls.Lock()
	defer r.calls.Unlock()
	r.mu.Lock()
	over := r.stats.Stream
	if r.feedback(from, packets) {
		r.unbind()
		r.mu.Unlock()
		r.o.Log.Info("peer's stream ended", "medium", r.o.Medium, "stream", over.ID)
		r.end(over)
		return
	}
	r.mu.Unlock()
}

// feedback notes what the peer's sender says and tells whether that is goodbye.
func (r *Receiver) feedback(from netip.AddrPort, packets []rtcp.Packet) bool {
	if r.info == nil {
		return false
	}
	for _, p := range packets {
		switch p := p.(type) {
		case *rtcp.SenderReport:
			if p.SSRC == r.info.SSRC {
				r.stats.LastSenderReport, r.stats.SenderNTP, r.stats.SenderRTP = r.o.Now(), p.NTPTime, p.RTPTime
			}
		case *rtcp.Goodbye:
			for _, ssrc := range p.Sources {
				if ssrc == r.info.SSRC && (r.source.authentic || from.Addr() == r.stats.Source.Addr()) {
					r.source.end(r.o.Now())
					return true
				}
			}
		}
	}
	return false
}

// writeRTCP takes the reports of the interceptors.
func (r *Receiver) writeRTCP(packets []rtcp.Packet, _ interceptor.Attributes) (int, error) {
	for _, p := range packets {
		if rr, ok := p.(*rtcp.ReceiverReport); ok {
			rr.SSRC = r.ssrc // pion has one for each stream, but we are one and the same receiver
			r.correct(rr)
		}
	}
	r.send(packets...)
	return 0, nil
}

// correct makes a report count what came late as received (RFC 3550, 6.4.1). Pion counts what is missing at the moment of
// the report, although it may have been sent again already.
func (r *Receiver) correct(rr *rtcp.ReceiverReport) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range rr.Reports {
		if r.info != nil && rr.Reports[i].SSRC == r.info.SSRC {
			// 24 bits with a sign.
			rr.Reports[i].TotalLost = uint32(min(max(r.sequence.Lost(), -1<<23), 1<<23-1)) & 0xffffff
		}
	}
}

func (r *Receiver) send(packets ...rtcp.Packet) {
	if b, err := compound(r.ssrc, r.o.CNAME, packets...); err == nil {
		r.o.SendRTCP(b)
	}
}

// Goodbye ends the current stream and sends a BYE if the peer may have heard of us. Only after Run has returned.
func (r *Receiver) Goodbye() {
	r.calls.Lock()
	defer r.calls.Unlock()
	r.mu.Lock()
	over := r.stats.Stream
	if r.info != nil {
		r.unbind()
	}
	r.mu.Unlock()
	r.end(over)
	if r.ids > 0 {
		r.send(&rtcp.Goodbye{Sources: []uint32{r.ssrc}})
	}
}

// RequestKeyFrame asks the peer for a key frame as soon as may be.
func (r *Receiver) RequestKeyFrame() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.info != nil {
		r.keyFrames.Require()
		r.wake()
	}
}

// wake makes Run work out its deadline anew.
func (r *Receiver) wake() { wait.Signal(r.deadline) }

func (r *Receiver) end(s Stream) {
	if s.ID != 0 && r.o.End != nil {
		r.o.End(r.o.Medium, s)
	}
}

// Stats returns the figures up to now.
func (r *Receiver) Stats() ReceiveStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	stats := r.stats
	stats.Lost, stats.Reordered, stats.Duplicates = r.sequence.Lost(), r.sequence.Reordered(), r.sequence.Duplicates()
	stats.Jitter = r.sequence.Jitter()
	if r.assembler != nil {
		stats.Broken = r.assembler.Lost()
	}
	return stats
}
