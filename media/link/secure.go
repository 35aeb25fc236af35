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

	// MinBitrate and MaxBitrate bound what Handler.Bitrate tells, in bit/s; 0 is DefaultMinBitrate and DefaultMaxBitrate.
	MinBitrate, MaxBitrate int
}

// Secure is the encrypted link of two peers who are paired: RTP and RTCP of both media both ways over one UDP port, as
// SRTP with the keys of a DTLS handshake, in which both show the certificate of the pairing. Where the peer is, and
// whether it is still there, is found out by STUN checks as ICE has them. See docs/security.md.
//
// One of the two sides must know an address at which the other can be reached; the other learns where its peer is. Either
// may start first, start again, move to another address or be away for any time. Nothing is sent to anybody but the
// addresses in Peers and those from which the peer has called, and nothing but checks until the peer is there.
type Secure struct {
	id    Identity
	names []endpoint
	find  lookup
	log   *slog.Logger
	fits  func(netip.Addr) bool

	conn      *net.UDPConn
	outlet    *outlet // for packets and the handshake
	probes    *outlet // for checks, which may find nobody
	senders   []*sender
	receivers []*receiver
	checker   checker
	prober    *prober
	buffers   sync.Pool // of *[]byte, for packets on their way to be encrypted

	flow     *flow
	pacer    *pacer      // of the picture
	parity   parityMaker // used by the picture's sender, with its lock held
	sent     [2]history  // by Medium
	heard    uint16      // number of the newest packet of sound; used by the receiving goroutine alone
	arrivals *arrivals
	onRate   func(bits int) // may be nil

	pathMu     sync.Mutex
	paths      paths
	own        instance      // what we offer
	offered    instance      // what the peer offers; 0 before it was heard
	understood bool          // the peer knows what we offer
	lookNow    chan struct{} // a check is due earlier than the checking goroutine knows
	news       chan struct{} // the peer, an offer or the session has changed

	target  atomic.Pointer[netip.AddrPort] // where to send; nil while the peer is not there
	rtt     atomic.Int64                   // nanoseconds
	session atomic.Pointer[session]
	pipe    atomic.Pointer[pipe]
	dropped [2]atomic.Uint64 // by Medium: packets that found no peer
	refused atomic.Uint64    // datagrams that were nothing of the peer's

	life
}

var _ Link = &Secure{}

// endpoint is a place where the peer may be.
type endpoint struct {
	host string
	port uint16
}

// NewSecure binds the port, which is held until Run returns or Close is called. Names of the peer are resolved later, and
// again and again; a name of ours now. Its errors are a *NameError or a *PortError, or say which option is wrong.
func NewSecure(o SecureOptions) (*Secure, error) { return newSecure(o, systemLookup) }

func newSecure(o SecureOptions, find lookup) (*Secure, error) {
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
		id: o.Identity, find: find, log: o.Log, own: newInstance(),
		lookNow: make(chan struct{}, 1), news: make(chan struct{}, 1),
		buffers: sync.Pool{New: func() any { b := make([]byte, 0, 1500); return &b }},
	}
	s.checker.id = &s.id
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
	s.outlet, s.probes = newOutlet(s.conn, o.Log), newOutlet(s.conn, slog.New(slog.DiscardHandler))
	s.prober = newProber(&s.id, s.probes.send)
	s.flow = newFlow(orDefault(o.MinBitrate, DefaultMinBitrate), orDefault(o.MaxBitrate, DefaultMaxBitrate))
	s.onRate = o.Handler.Bitrate
	s.parity.ssrc = randomSSRC()
	s.pacer = newPacer(time.Now, whole(s.flow.rate()), s.transmit, s.resend)
	if err := s.sessions(o.Handler); err != nil {
		_ = s.conn.Close()
		return nil, err
	}
	s.arrivals = newArrivals(time.Now(), s.receivers[Video].ssrc)
	s.paths.configure(time.Now(), s.literals())
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
		if listen, err = resolve(context.Background(), s.find, "listen", o.Listen); err != nil {
			return err
		}
	}
	var err error
	for _, addr := range listen {
		s.fits = func(a netip.Addr) bool { return !addr.IsValid() || a.Is4() == addr.Is4() }
		if s.conn, err = bind(addr, o.Port); err == nil || !errors.Is(err, syscall.EADDRNOTAVAIL) {
			break
		}
	}
	return err
}

// sessions makes the RTP sessions of both media.
func (s *Secure) sessions(h Handler) error {
	cname, now := newCNAME(), steadyClock()
	for _, m := range []Medium{Video, Audio} {
		r, err := newReceiver(m, cname, now, &peer{}, h, s.log)
		if err != nil {
			return err
		}
		r.secure(func() time.Duration { return time.Duration(s.rtt.Load()) })
		r.sendRR = s.sendRTCP
		s.receivers = append(s.receivers, r)

		snd, err := newSender(m, cname, now, h.KeyFrameRequest)
		if err != nil {
			return err
		}
		snd.sendRTP = func(h *rtp.Header, payload []byte) { s.sendRTP(m, h, payload) }
		snd.sendAgain = func(nack *rtcp.TransportLayerNack) uint64 { return s.sendAgain(m, nack) }
		snd.sendSR = s.sendRTCP
		s.senders = append(s.senders, snd)
	}
	return nil
}

// parseEndpoint reads host or host:port, where an IPv6 host with a port stands in brackets.
func parseEndpoint(text string, port int) (endpoint, error) {
	if addr, ok := literal(text); ok {
		return endpoint{addr.String(), uint16(port)}, nil
	}
	host, number, err := net.SplitHostPort(text)
	if err != nil {
		host, number = text, strconv.Itoa(port)
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil || n == 0 || host == "" {
		return endpoint{}, &NameError{"peer", text, errors.New("is neither host nor host:port")}
	}
	return endpoint{host, uint16(n)}, nil
}

// literals are the addresses of the peer that need no resolving.
func (s *Secure) literals() (found []netip.AddrPort) {
	for _, e := range s.names {
		if addr, ok := literal(e.host); ok && s.fits(addr) {
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
	return s.senders[m].writeRTP(packet)
}

// catchUp gives up pictures that wait for too long, and begins anew with a key frame.
func (s *Secure) catchUp() {
	stale := 0
	drop := func(packet []byte) {
		stale++
		s.skip(streamOf(packet))
	}
	if s.pacer.stale(drop) {
		s.log.Debug("pictures were too late to be sent", "packets", stale)
		s.sent[Video].forget()
		s.senders[Video].skip()
	}
}

// SetAge implements Link.
func (s *Secure) SetAge(m Medium, age time.Duration) {
	if int(m) < len(s.senders) {
		s.senders[m].setAge(age)
	}
}

// RequestKeyFrame implements Link.
func (s *Secure) RequestKeyFrame() { s.receivers[Video].requestKeyFrame() }

// Stats implements Link.
func (s *Secure) Stats() Stats {
	stats := Stats{RTT: time.Duration(s.rtt.Load()), Bitrate: s.flow.rate()}
	if to := s.target.Load(); to != nil && s.session.Load() != nil {
		stats.Peer = to.Addr()
	}
	for i, m := range []*MediumStats{&stats.Video, &stats.Audio} {
		m.Send, m.Receive = s.senders[i].snapshot(), s.receivers[i].snapshot()
		m.Send.Dropped = s.outlet.dropped.Load() + s.dropped[i].Load()
		m.Receive.Ignored += s.refused.Load()
	}
	return stats
}

// Run implements Link.
func (s *Secure) Run(ctx context.Context) error {
	if err := s.startOnce(); err != nil {
		return err
	}
	for _, snd := range s.senders {
		snd.start()
	}
	var hangUp func()
	connected := make(chan func(), 1)
	workers := []worker{
		tireless(s.outlet.run), tireless(s.pacer.run), tireless(s.report), tireless(s.probes.run),
		tireless(s.check), tireless(s.resolve), s.listen(s.take),
		func(ctx context.Context) error {
			connected <- s.connect(ctx)
			return nil
		},
	}
	for _, r := range s.receivers {
		workers = append(workers, tireless(r.run))
	}
	err := runAll(ctx, func() {
		hangUp = <-connected
		s.wake()
	}, workers)
	s.finish(hangUp)
	return err
}

// listen makes a worker of a function that takes what comes in.
func (s *Secure) listen(take func(netip.AddrPort, []byte)) worker {
	return func(ctx context.Context) error { return readLoop(ctx, s.conn, take) }
}

// wake wakes those who wait for the network.
func (s *Secure) wake() { _ = s.conn.SetDeadline(time.Now()) }

// finish says goodbye and closes the socket, after all goroutines but the senders' have ended.
func (s *Secure) finish(hangUp func()) {
	s.life.end() // waits for those in WriteRTP
	for _, snd := range s.senders {
		snd.close()
	}
	s.outlet.discard()
	s.probes.discard()
	for _, snd := range s.senders {
		snd.goodbye()
	}
	for _, r := range s.receivers {
		r.goodbye()
	}
	hangUp()
	s.outlet.flush()
	_ = s.conn.Close()
}

// resolve looks the peer's names up, again and again until ctx ends.
func (s *Secure) resolve(ctx context.Context) {
	if len(s.literals()) == len(s.names) {
		return
	}
	ticker := time.NewTicker(resolveInterval)
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
		addrs, err := resolve(ctx, s.find, "peer", e.host)
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
	s.pathMu.Lock()
	s.paths.configure(time.Now(), found)
	s.pathMu.Unlock()
	signal(s.lookNow)
	return all
}

// signal leaves a message in a channel that holds one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
