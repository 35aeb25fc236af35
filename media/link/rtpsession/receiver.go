// SPDX-License-Identifier: Apache-2.0

package link

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
)

// payloadType is the RTP payload type of both media, as the 2020 scripts have it by GStreamer's default.
const payloadType = 96

// receiver is the receiving half of one RTP session: packets in, receiver reports and key frame requests out. Its sendRR
// must not block, since it is called with mu held.
type receiver struct {
	medium  Medium
	cname   string
	ssrc    uint32 // ours, in what we report
	now     func() time.Time
	trusted func(netip.Addr) bool // whether an address is the peer's
	heard   func(netip.Addr)      // a stream comes from there
	sendRR  func([]byte)
	handler Handler
	log     *slog.Logger
	rtt     func() time.Duration // to the peer; nil where packets are not sent again

	chain    interceptor.Interceptor
	readSR   interceptor.RTCPReader
	deadline chan struct{} // run has something to wait for earlier than it knows
	armed    time.Time     // what it knows; with mu held

	calls sync.Mutex // held while handler functions run, so that they keep their order; taken before mu

	mu        sync.Mutex
	latch     latch
	ids       uint64
	info      *interceptor.StreamInfo // of the current stream; nil when there is none
	read      interceptor.RTPReader
	sequence  sequence
	picture   picture
	gaps      gaps      // in sound
	lastTwice time.Time // when sound was last said to come twice
	repair    repair
	stats     ReceiveStats

	assembly *assembly // nil where packets are handed on as they come; used with calls held
	parity   parity    // of all packets of the newest group; used with calls held
}

func newReceiver(m Medium, cname string, now func() time.Time, p *peer, h Handler, log *slog.Logger) (*receiver, error) {
	factory, err := report.NewReceiverInterceptor(report.ReceiverInterval(reportInterval), report.ReceiverNow(now))
	if err != nil {
		return nil, err
	}
	chain, err := factory.NewInterceptor("")
	if err != nil {
		return nil, err
	}
	r := &receiver{
		medium: m, cname: cname, ssrc: randomSSRC(), now: now, trusted: p.trusted, heard: p.heard, handler: h, log: log,
		chain: chain, deadline: make(chan struct{}, 1), latch: latch{trusted: p.trusted},
	}
	r.readSR = chain.BindRTCPReader(interceptor.RTCPReaderFunc(passThrough))
	return r, nil
}

// secure makes the receiver trust its packets, since only the peer's come to it, and ask for those that are missing.
func (r *receiver) secure(rtt func() time.Duration) {
	r.latch.authentic = true
	r.trusted = func(netip.Addr) bool { return true }
	r.heard = func(netip.Addr) {}
	r.rtt = rtt
	r.repair.enabled = true
	r.assembly = &assembly{pictures: r.medium == Video}
}

// passThrough is the end of an interceptor chain whose caller has read the datagram already.
func passThrough(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
	return len(b), a, nil
}

// run sends reports and key frame requests and ends silent streams, until ctx ends.
func (r *receiver) run(ctx context.Context) {
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
func (r *receiver) tick() time.Duration {
	r.calls.Lock()
	defer r.calls.Unlock()
	now := r.now()
	r.mu.Lock()
	over := r.stats.Stream
	if !r.latch.expire(now) {
		wait, lost := r.wait(now)
		r.mu.Unlock()
		r.giveUp(over, lost)
		return wait
	}
	r.unbind()
	r.mu.Unlock()
	r.log.Info("peer's stream fell silent", "medium", r.medium, "stream", over.ID)
	r.end(over)
	return time.Hour
}

// wait asks for what is due. It returns the time until the next deadline, and the last packet that was given up.
func (r *receiver) wait(now time.Time) (time.Duration, uint64) {
	if !r.latch.live {
		return time.Hour, 0
	}
	at, lost := r.ask(now)
	r.armed = sooner(r.latch.last.Add(streamTimeout), at)
	return r.armed.Sub(now), lost
}

// giveUp hands on what waits for packets that are lost.
func (r *receiver) giveUp(s Stream, lost uint64) {
	if r.assembly != nil && lost > 0 {
		r.assembly.giveUp(lost, r.handOn(s))
	}
}

// handOn passes packets of a stream to the handler.
func (r *receiver) handOn(s Stream) func([]byte) {
	return func(datagram []byte) {
		if r.handler.RTP != nil {
			r.handler.RTP(r.medium, s, datagram)
		}
	}
}

// readRTP takes one datagram from the RTP port.
func (r *receiver) readRTP(from netip.AddrPort, datagram []byte) {
	now := r.now()
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
	switch r.latch.see(now, from, header.SSRC) {
	case ignore:
		r.stats.Ignored++
		r.mu.Unlock()
		return
	case begin:
		r.bind(header, from)
	case accept:
		r.stats.Source = from
	}
	n, before, at := r.sequence.add(now, header.SequenceNumber, header.Timestamp)
	if at == restart {
		r.bind(header, from)
		n, before, at = r.sequence.add(now, header.SequenceNumber, header.Timestamp)
	}
	if at == outlier {
		r.stats.Ignored++
		r.mu.Unlock()
		return
	}
	r.stats.LastArrival = now
	r.stats.Packets++
	r.stats.Bytes += uint64(len(datagram))
	_, _, _ = r.read.Read(datagram, attributes) // for the reports; cannot fail on what is parsed already
	var lost uint64
	if at != duplicate {
		r.mend(now, n, before, at, !header.Marker)
		if r.medium == Video {
			r.picture.packet(now, payload, n, before, at)
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
	if at == duplicate {
		return
	}
	if r.assembly == nil {
		r.handOn(stream)(datagram)
		return
	}
	if over != stream {
		r.assembly.begin()
	}
	p := parcel{number: n, datagram: datagram, stamp: header.Timestamp, last: header.Marker}
	if r.medium == Video {
		p.sps, p.idr = h264KeyFrame(payload)
	}
	r.assembly.put(p, r.handOn(stream))
	r.giveUp(stream, lost)
}

// parseRTP checks that a datagram is an RTP packet of the payload type we take.
func parseRTP(a interceptor.Attributes, datagram []byte) (*rtp.Header, []byte, bool) {
	if !isVersion2(datagram) {
		return nil, nil, false
	}
	var packet rtp.Packet
	if packet.Unmarshal(datagram) != nil || packet.PayloadType != payloadType {
		return nil, nil, false
	}
	header, err := a.GetRTPHeader(datagram)
	return header, packet.Payload, err == nil
}

// bind makes the SSRC of the header the stream that we receive.
func (r *receiver) bind(header *rtp.Header, from netip.AddrPort) {
	if r.info != nil {
		r.unbind()
	}
	r.ids++
	r.stats.Stream = Stream{ID: r.ids, SSRC: header.SSRC}
	r.stats.Source = from
	r.sequence = sequence{clockRate: r.medium.clockRate()}
	r.picture = picture{needed: true, lastAsk: r.picture.lastAsk}
	r.gaps = nil
	r.repair.missing, r.repair.tail = r.repair.missing[:0], time.Time{}
	r.info = &interceptor.StreamInfo{
		SSRC: header.SSRC, PayloadType: header.PayloadType, ClockRate: r.medium.clockRate(),
	}
	r.read = r.chain.BindRemoteStream(r.info, interceptor.RTPReaderFunc(passThrough))
	r.wake()
	r.heard(from.Addr())
	if r.trusted(from.Addr()) {
		r.log.Info("receiving from peer", "medium", r.medium, "source", from, "stream", r.ids)
	} else {
		r.log.Warn("receiving from an address that is not the peer's", "medium", r.medium, "source", from, "stream", r.ids)
	}
}

// unbind ends the current stream.
func (r *receiver) unbind() {
	r.chain.UnbindRemoteStream(r.info)
	r.info = nil
	r.stats.Stream, r.stats.Source = Stream{}, netip.AddrPort{}
}

// readRTCP takes one datagram from the port of sender reports.
func (r *receiver) readRTCP(from netip.AddrPort, datagram []byte) {
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
		r.log.Info("peer's stream ended", "medium", r.medium, "stream", over.ID)
		r.end(over)
		return
	}
	r.mu.Unlock()
}

// feedback notes what the peer's sender says and tells whether that is goodbye.
func (r *receiver) feedback(from netip.AddrPort, packets []rtcp.Packet) bool {
	if r.info == nil {
		return false
	}
	for _, p := range packets {
		switch p := p.(type) {
		case *rtcp.SenderReport:
			if p.SSRC == r.info.SSRC {
				r.stats.LastSenderReport, r.stats.SenderNTP, r.stats.SenderRTP = r.now(), p.NTPTime, p.RTPTime
			}
		case *rtcp.Goodbye:
			for _, ssrc := range p.Sources {
				if ssrc == r.info.SSRC && (r.latch.authentic || from.Addr() == r.stats.Source.Addr()) {
					r.latch.end(r.now())
					return true
				}
			}
		}
	}
	return false
}

// writeRTCP takes the reports of the interceptors.
func (r *receiver) writeRTCP(packets []rtcp.Packet, _ interceptor.Attributes) (int, error) {
	for _, p := range packets {
		if rr, ok := p.(*rtcp.ReceiverReport); ok {
			rr.SSRC = r.ssrc // pion has one for each stream, but we are one and the same receiver
		}
	}
	r.send(packets...)
	return 0, nil
}

func (r *receiver) send(packets ...rtcp.Packet) {
	if b, err := compound(r.ssrc, r.cname, packets...); err == nil {
		r.sendRR(b)
	}
}

// goodbye ends the current stream and sends a BYE if the peer may have heard of us. Only after run has returned.
func (r *receiver) goodbye() {
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

// requestKeyFrame asks the peer for a key frame as soon as may be.
func (r *receiver) requestKeyFrame() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.info != nil {
		r.picture.needed = true
		r.wake()
	}
}

// wake makes run work out its deadline anew.
func (r *receiver) wake() {
	select {
	case r.deadline <- struct{}{}:
	default:
	}
}

func (r *receiver) end(s Stream) {
	if s.ID != 0 && r.handler.End != nil {
		r.handler.End(r.medium, s)
	}
}

func (r *receiver) snapshot() ReceiveStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	stats := r.stats
	stats.Lost, stats.Reordered, stats.Duplicates = r.sequence.lost(), r.sequence.reordered, r.sequence.duplicates
	stats.Jitter = r.sequence.jitterTime()
	return stats
}
