// SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/costream-obs/costream-obs/media/link/bwe"
	"github.com/costream-obs/costream-obs/media/link/dtlssrtp"
	"github.com/costream-obs/costream-obs/media/link/ice"
	"github.com/costream-obs/costream-obs/media/link/internal/wait"
	"github.com/costream-obs/costream-obs/media/link/repair"
	"github.com/costream-obs/costream-obs/media/link/rtpsession"
	"github.com/costream-obs/costream-obs/media/link/udp"
)

// DefaultSecurePort is the one UDP port of a secure link.
const DefaultSecurePort = DefaultBasePort

// SecureOptions say whom a Secure link connects and how.
type SecureOptions struct {
	Identity Identity
	Peers    []string // where the peer may be, as host or host:port; none waits for the peer to call
	Listen   string   // name or address of this machine to bind to; empty binds to all addresses
	Port     int      // to bind, and the peer's where Peers names none; 0 is DefaultSecurePort
	Handler  Handler
	Log      *slog.Logger // nil discards

	// MinBitrate and MaxBitrate bound what Handler.Bitrate tells, in bit/s; 0 is bwe.DefaultMinBitrate and
	// bwe.DefaultMaxBitrate.
	MinBitrate, MaxBitrate int

	// LAN has the peer looked for in the local networks, too: checks go to all machines there once a second until the
	// peer answers.
	LAN bool

	// Beside takes datagrams of another protocol that shares the port: those that begin with the letter d, as the
	// messages of the BitTorrent DHT do. They may be anybody's. It is called like the functions of a Handler, also in
	// Standby; nil refuses such datagrams. SendBeside is the way back.
	Beside func(from netip.AddrPort, datagram []byte)
}

// Secure is the encrypted link of two peers who are paired: RTP and RTCP of both media both ways over one UDP port, as
// SRTP with the keys of a DTLS handshake, in which both show the certificate of the pairing. Where the peer is, and
// whether it is still there, is found out by STUN checks as ICE has them. See docs/security.md.
//
// One of the two sides must know an address at which the other can be reached; the other learns where its peer is. Either
// may start first, start again, move to another address or be away for any time. Nothing is sent to anybody but the
// addresses in Peers and those from which the peer has called, and nothing but checks until the peer is there.
type Secure struct {
	dtls  dtlssrtp.Identity
	names []endpoint
	find  udp.Lookup
	log   *slog.Logger
	fits  func(netip.Addr) bool
	bound netip.Addr // the address of ours that conn is bound to; the zero Addr for all
	lan   bool

	conn      *net.UDPConn
	media     *udp.Writer // for packets and the handshake
	checks    *udp.Writer // for checks, which may find nobody
	beside    *udp.Writer // for another protocol
	onBeside  func(from netip.AddrPort, datagram []byte)
	where     candidates
	relay     atomic.Pointer[relayBox]
	agent     *ice.Agent
	senders   []*rtpsession.Sender
	receivers []*rtpsession.Receiver
	buffers   sync.Pool // of *[]byte, for packets on their way to be encrypted

	rate     *bwe.Controller
	pacer    *bwe.Pacer            // of the picture
	parity   *repair.ParityEncoder // used by the picture's sender, with its lock held
	sent     [2]repair.History     // by Medium
	heard    uint16                // number of the newest packet of sound; used by the receiving goroutine alone
	feedback *bwe.FeedbackRecorder
	onRate   func(bits int) // may be nil
	tally    tallies

	session atomic.Pointer[dtlssrtp.Session]
	pipe    atomic.Pointer[dtlssrtp.Pipe]
	dropped [2]atomic.Uint64 // by Medium: packets that found no peer
	late    atomic.Uint64    // pictures that waited for too long
	refused atomic.Uint64    // datagrams that were nothing of the peer's

	wayChanged chan struct{}

	taking sync.Mutex // held while a datagram is taken in
	taker  taker      // what takes it in; nil before Run or Standby and after it

	lifecycle
}

var _ Link = &Secure{}

// taker takes in a datagram that came at a time.
type taker func(at time.Time, from ice.Way, datagram []byte)

// endpoint is a place where the peer may be.
type endpoint struct {
	host string
	port uint16
}

// NewSecure binds the port, which is held until Run returns or Close is called. Names of the peer are resolved later, and
// again and again; a name of ours now. Its errors are a *NameError or a *PortError, or say which option is wrong.
func NewSecure(o SecureOptions) (*Secure, error) { return newSecure(o, udp.SystemLookup) }

func newSecure(o SecureOptions, find udp.Lookup) (*Secure, error) {
	if o.Port == 0 {
		o.Port = DefaultSecurePort
	}
	switch {
	case o.Port < 1 || o.Port > 65535:
		return nil, fmt.Errorf("port %d: must be from 1 to 65535", o.Port)
	case len(o.Identity.Password) < 16 || len(o.Identity.PeerPassword) < 16 || len(o.Identity.PeerCertificate) == 0 || o.Identity.Certificate.PrivateKey == nil:
		return nil, errors.New("link: the identity is incomplete")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Secure{
		dtls: o.Identity.handshake(), find: find, log: o.Log,
		lan: o.LAN, onBeside: o.Beside, wayChanged: make(chan struct{}, 1),
		buffers: sync.Pool{New: func() any { b := make([]byte, 0, 1500); return &b }},
	}
	for _, p := range o.Peers {
		e, err := parseEndpoint(p, o.Port)
		if err != nil {
			return nil, err
		}
		s.names = append(s.names, e)
	}
	if err := s.bind(o); err != nil {
		return nil, err
	}
	silent := slog.New(slog.DiscardHandler)
	s.media, s.checks, s.beside = udp.NewWriter(s.conn, o.Log), udp.NewWriter(s.conn, silent), udp.NewWriter(s.conn, silent)
	s.agent = ice.NewAgent(ice.Options{
		Credentials: o.Identity.credentials(), Found: s.peerFound, Lost: s.peerLost,
		Send: func(to ice.Way, b []byte) { s.send(s.checks, to, b) },
	})
	s.rate = bwe.NewController(orDefault(o.MinBitrate, bwe.DefaultMinBitrate), orDefault(o.MaxBitrate, bwe.DefaultMaxBitrate))
	s.media.Leaves = s.rate.Leaves
	s.onRate = o.Handler.Bitrate
	s.parity = repair.NewParityEncoder(rtpsession.RandomSSRC())
	s.pacer = bwe.NewPacer(time.Now, bwe.Total(s.rate.Rate()), s.transmit, s.resend)
	if err := s.sessions(o.Handler); err != nil {
		_ = s.conn.Close()
		return nil, err
	}
	s.feedback = bwe.NewFeedbackRecorder(time.Now(), s.receivers[Video].SSRC())
	s.tally = tallies{
		changed: make(chan struct{}, 1), tell: o.Handler.Tally, ssrc: s.receivers[Video].SSRC(),
		seal: s.sealRTCP,
	}
	s.setConfigured(s.literals())
	return s, nil
}

func orDefault(value, standard int) int {
	if value <= 0 {
		return standard
	}
	return value
}

// bind opens the port at the first of our addresses where that is possible.
func (s *Secure) bind(o SecureOptions) error {
	listen := []netip.Addr{{}}
	if o.Listen != "" {
		var err error
		if listen, err = udp.Resolve(context.Background(), s.find, "listen", o.Listen); err != nil {
			return err
		}
	}
	var err error
	for _, addr := range listen {
		s.bound, s.fits = addr, udp.Reaches(addr)
		if s.conn, err = udp.Listen(addr, o.Port); err == nil || !errors.Is(err, syscall.EADDRNOTAVAIL) {
			break
		}
	}
	return err
}

// sessions makes the RTP sessions of both media.
func (s *Secure) sessions(h Handler) error {
	cname, now := rtpsession.NewCNAME(), rtpsession.SteadyClock()
	for _, m := range []Medium{Video, Audio} {
		r, err := rtpsession.NewReceiver(rtpsession.ReceiverOptions{
			Medium: m, CNAME: cname, Now: now, Log: s.log, RTP: h.RTP, End: h.End, RTT: s.agent.RTT, SendRTCP: s.sendRTCP,
		})
		if err != nil {
			return err
		}
		s.receivers = append(s.receivers, r)

		snd, err := rtpsession.NewSender(rtpsession.SenderOptions{
			Medium: m, CNAME: cname, Now: now, KeyFrameRequest: h.KeyFrameRequest, SendRTCP: s.sendRTCP,
			SendRTP: func(h *rtp.Header, payload []byte) { s.sendRTP(m, h, payload) },
			Resend:  func(nack *rtcp.TransportLayerNack) uint64 { return s.sendAgain(m, nack) },
		})
		if err != nil {
			return err
		}
		s.senders = append(s.senders, snd)
	}
	return nil
}

// peerFound begins to send to where the peer answers, over a path that may be of another length.
func (s *Secure) peerFound(at ice.Way, rtt time.Duration) {
	s.rate.PathChanged()
	s.log.Info("peer answers", "address", at, "rtt", rtt)
	wait.Signal(s.wayChanged)
}

func (s *Secure) peerLost() {
	wait.Signal(s.wayChanged)
	s.log.Info("peer does not answer any more", "session", s.session.Load() != nil)
}

// parseEndpoint reads host or host:port, where an IPv6 host with a port stands in brackets.
func parseEndpoint(text string, port int) (endpoint, error) {
	if addr, ok := udp.Literal(text); ok {
		return endpoint{addr.String(), uint16(port)}, nil
	}
	host, number, err := net.SplitHostPort(text)
	if err != nil {
		host, number = text, strconv.Itoa(port)
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil || n == 0 || host == "" {
		return endpoint{}, &NameError{Role: "peer", Name: text, Err: errors.New("is neither host nor host:port")}
	}
	return endpoint{host, uint16(n)}, nil
}

// literals are the addresses of the peer that need no resolving.
func (s *Secure) literals() (found []netip.AddrPort) {
	for _, e := range s.names {
		if addr, ok := udp.Literal(e.host); ok && s.fits(addr) {
			found = append(found, netip.AddrPortFrom(addr, e.port))
		}
	}
	return found
}

// Close releases the port of a link that was never run. After Run was called it does nothing.
func (s *Secure) Close() error {
	var err error
	s.abandon(func() { err = s.conn.Close() })
	return err
}

// WriteRTP implements Link. Packets that find no peer are dropped and counted.
func (s *Secure) WriteRTP(m Medium, packet []byte) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch {
	case s.closed:
		return ErrClosed
	case int(m) >= len(s.senders):
		return ErrNotSending
	}
	if m == Video {
		s.catchUp()
	}
	return s.senders[m].WriteRTP(packet)
}

// catchUp gives up pictures that wait for too long, and begins anew with a key frame.
func (s *Secure) catchUp() {
	stale := 0
	drop := func(packet []byte) {
		stale++
		if packet[1]&0x80 != 0 { // the last one of its picture (RFC 6184)
			s.late.Add(1)
		}
		s.skip(streamOf(packet))
	}
	if s.pacer.Stale(drop) {
		s.log.Debug("pictures were too late to be sent", "packets", stale)
		s.sent[Video].Forget()
		s.senders[Video].Skip()
	}
}

// SetAge implements Link.
func (s *Secure) SetAge(m Medium, age time.Duration) {
	if int(m) < len(s.senders) {
		s.senders[m].SetAge(age)
	}
}

// RequestKeyFrame implements Link.
func (s *Secure) RequestKeyFrame() { s.receivers[Video].RequestKeyFrame() }

// Stats implements Link.
func (s *Secure) Stats() Stats {
	stats := Stats{RTT: s.agent.RTT(), Bitrate: s.rate.Rate(), Out: s.rate.Counts(), In: s.feedback.Counts()}
	if to := s.agent.Target(); to != nil && s.session.Load() != nil {
		stats.Peer = to.Addr.Addr()
	}
	for i, m := range []*MediumStats{&stats.Video, &stats.Audio} {
		m.Send, m.Receive = s.senders[i].Stats(), s.receivers[i].Stats()
		m.Send.Dropped = s.media.Dropped() + s.dropped[i].Load()
		m.Receive.Ignored += s.refused.Load()
	}
	stats.Video.Send.Late = s.late.Load()
	return stats
}

// Run implements Link.
func (s *Secure) Run(ctx context.Context) error {
	if err := s.startOnce(); err != nil {
		return err
	}
	for _, snd := range s.senders {
		snd.Start()
	}
	var hangUp func()
	connected := make(chan func(), 1)
	workers := []worker{
		withoutError(s.media.Run), withoutError(s.pacer.Run), withoutError(s.sendFeedback), withoutError(s.tally.run), withoutError(s.checks.Run),
		withoutError(s.beside.Run), withoutError(s.agent.Run), withoutError(s.resolve), withoutError(s.survey), s.listen(s.take),
		func(ctx context.Context) error {
			connected <- s.connect(ctx)
			return nil
		},
	}
	for _, r := range s.receivers {
		workers = append(workers, withoutError(r.Run))
	}
	err := runAll(ctx, func() {
		hangUp = <-connected
		s.wake()
	}, workers)
	s.finish(hangUp)
	return err
}

// listen makes a worker of a function that takes what comes in, from the port and through a relay.
func (s *Secure) listen(take taker) worker {
	return func(ctx context.Context) error {
		s.setTaker(take)
		defer s.setTaker(nil)
		return udp.Read(ctx, s.conn, func(at time.Time, from netip.AddrPort, datagram []byte) {
			s.hand(at, ice.Way{Addr: from}, datagram)
		})
	}
}

func (s *Secure) setTaker(take taker) {
	s.taking.Lock()
	defer s.taking.Unlock()
	s.taker = take
}

// hand takes a datagram in, one at a time.
func (s *Secure) hand(at time.Time, from ice.Way, datagram []byte) {
	s.taking.Lock()
	defer s.taking.Unlock()
	if s.taker != nil {
		s.taker(at, from, datagram)
	}
}

// wake wakes those who wait for the network.
func (s *Secure) wake() { _ = s.conn.SetDeadline(time.Now()) }

// finish says goodbye and closes the socket, after all goroutines but the senders' have ended.
func (s *Secure) finish(hangUp func()) {
	s.lifecycle.end() // waits for those in WriteRTP
	for _, snd := range s.senders {
		snd.Close()
	}
	s.media.Discard()
	s.checks.Discard()
	s.beside.Discard()
	s.tally.farewell()
	for _, snd := range s.senders {
		snd.Goodbye()
	}
	for _, r := range s.receivers {
		r.Goodbye()
	}
	hangUp()
	s.media.Flush()
	_ = s.conn.Close()
}

// resolve looks the peer's names up, again and again until ctx ends.
func (s *Secure) resolve(ctx context.Context) {
	if len(s.literals()) == len(s.names) {
		return
	}
	ticker := time.NewTicker(udp.ResolveInterval)
	defer ticker.Stop()
	for failing := false; ; {
		err := s.lookUp(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			s.log.Warn("cannot look up the peer's address", "err", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// lookUp looks all names up once. A name that cannot be resolved now changes nothing.
func (s *Secure) lookUp(ctx context.Context) error {
	var found []netip.AddrPort
	var all error
	for _, e := range s.names {
		addrs, err := udp.Resolve(ctx, s.find, "peer", e.host)
		all = errors.Join(all, err)
		for _, a := range addrs {
			if at := netip.AddrPortFrom(a, e.port); s.fits(a) && !slices.Contains(found, at) {
				found = append(found, at)
			}
		}
	}
	if all != nil && len(found) == 0 {
		return all
	}
	s.setConfigured(found)
	return all
}
