// SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/pion/rtp"

	"github.com/costream-obs/costream-obs/media/link/rtpsession"
	"github.com/costream-obs/costream-obs/media/link/udp"
)

// DefaultBasePort is the first of the UDP ports that the 2020 scripts use.
const DefaultBasePort = 5000

// maxBasePort leaves room for the seven ports after it.
const maxBasePort = 65535 - 7

// The ports of the 2020 scripts, counted from the base port: where a receiver listens for packets and for sender reports,
// and where a sender listens for receiver reports.
func rtpPort(m Medium) int            { return 2 * int(m) }
func senderReportPort(m Medium) int   { return 2*int(m) + 1 }
func receiverReportPort(m Medium) int { return 2*int(m) + 5 }

// PlainOptions say what a Plain link connects and how.
type PlainOptions struct {
	Peer     string // name or address of the peer, without a port
	Listen   string // name or address of this machine to bind to; empty binds to all addresses
	BasePort int    // 0 is DefaultBasePort; both peers must use the same
	Send     bool   // binds base port +5 and +7
	Receive  bool   // binds base port +0 to +3
	Handler  Handler
	Log      *slog.Logger // nil discards
}

// Plain is the unencrypted link of the 2020 scripts, to the last port: picture at base port +0, its sender reports at +1,
// sound at +2, its sender reports at +3, and back to the sender the receiver reports at +5 and +7. Payload type 96 is
// H.264 or Opus. What the 2020 scripts do not have is harmless to them: requests for key frames, which GStreamer's
// rtpbin obeys even in them, and goodbyes.
//
// Anyone can send to these ports. The link takes packets from one source at a time and prefers the peer's addresses, but
// it cannot know who really sent them: use it with 2020 peers and on trusted networks.
//
// While nothing was given to WriteRTP for a second, a Plain link sends nothing for the medium at all. A 2020 receiver ends
// with an error when the SSRC of what it gets changes (GStreamer 1.22, measured), so a sender should keep its own.
type Plain struct {
	peer *udp.Peer
	base int
	log  *slog.Logger

	conns     []*net.UDPConn
	writers   []*udp.Writer
	senders   []*plainSender   // by Medium; empty when not sending
	receivers []*plainReceiver // by Medium; empty when not receiving

	lifecycle
}

type plainSender struct {
	*rtpsession.Sender
	conn   *net.UDPConn // for receiver reports, and the way out for everything
	writer *udp.Writer
}

type plainReceiver struct {
	*rtpsession.Receiver
	packets, reports *net.UDPConn
}

var _ Link = &Plain{}

// NewPlain resolves the names, which takes up to 5 s for each when name servers do not answer, and binds the ports, which
// are held until Run returns or Close is called. Its errors are a *NameError or a *PortError, or say which option is wrong.
func NewPlain(o PlainOptions) (*Plain, error) { return newPlain(o, udp.SystemLookup) }

func newPlain(o PlainOptions, find udp.Lookup) (*Plain, error) {
	switch {
	case !o.Send && !o.Receive:
		return nil, errors.New("link: neither to send nor to receive")
	case o.Peer == "":
		return nil, &NameError{Role: "peer", Name: "", Err: errors.New("is missing")}
	case o.BasePort == 0:
		o.BasePort = DefaultBasePort
	case o.BasePort < 1 || o.BasePort > maxBasePort:
		return nil, fmt.Errorf("base port %d: must be from 1 to %d", o.BasePort, maxBasePort)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	ctx := context.Background()
	peers, err := udp.Resolve(ctx, find, "peer", o.Peer)
	if err != nil {
		return nil, err
	}
	listen := []netip.Addr{{}}
	if o.Listen != "" {
		if listen, err = udp.Resolve(ctx, find, "listen", o.Listen); err != nil {
			return nil, err
		}
	}
	p := &Plain{base: o.BasePort, log: o.Log, peer: udp.NewPeer(o.Peer, find, o.Log)}
	// A name of ours may have addresses of both kinds, or some that this machine does not have right now.
	for _, addr := range listen {
		if err = p.peer.Use(udp.Reaches(addr), peers); err != nil {
			continue
		}
		if err = p.open(addr, o); err == nil {
			return p, nil
		}
		p.release()
		if !errors.Is(err, syscall.EADDRNOTAVAIL) {
			break
		}
	}
	return nil, err
}

// open binds the ports and makes the sessions on them.
func (p *Plain) open(addr netip.Addr, o PlainOptions) error {
	cname, now := rtpsession.NewCNAME(), rtpsession.SteadyClock()
	for _, m := range []Medium{Video, Audio} {
		if o.Receive {
			if err := p.openReceiver(m, addr, cname, now, o.Handler); err != nil {
				return err
			}
		}
		if o.Send {
			if err := p.openSender(m, addr, cname, now, o.Handler); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Plain) openReceiver(m Medium, addr netip.Addr, cname string, now func() time.Time, h Handler) error {
	packets, err := p.bind(addr, rtpPort(m))
	if err != nil {
		return err
	}
	reports, err := p.bind(addr, senderReportPort(m))
	if err != nil {
		return err
	}
	out := p.writer(reports)
	r, err := rtpsession.NewReceiver(rtpsession.ReceiverOptions{
		Medium: m, CNAME: cname, Now: now, Log: p.log, RTP: h.RTP, End: h.End, Trusted: p.peer.Trusted, Heard: p.peer.Heard,
		SendRTCP: func(b []byte) { out.Send(p.to(receiverReportPort(m)), b) },
	})
	if err != nil {
		return err
	}
	p.receivers = append(p.receivers, &plainReceiver{r, packets, reports})
	return nil
}

func (p *Plain) openSender(m Medium, addr netip.Addr, cname string, now func() time.Time, h Handler) error {
	conn, err := p.bind(addr, receiverReportPort(m))
	if err != nil {
		return err
	}
	// Sending from the port where the reports come in lets them through a stateful firewall on our side.
	out := p.writer(conn)
	s, err := rtpsession.NewSender(rtpsession.SenderOptions{
		Medium: m, CNAME: cname, Now: now, KeyFrameRequest: h.KeyFrameRequest,
		SendRTP:  func(h *rtp.Header, payload []byte) { out.SendRTP(p.to(rtpPort(m)), h, payload) },
		SendRTCP: func(b []byte) { out.Send(p.to(senderReportPort(m)), b) },
	})
	if err != nil {
		return err
	}
	p.senders = append(p.senders, &plainSender{s, conn, out})
	return nil
}

func (p *Plain) bind(addr netip.Addr, offset int) (*net.UDPConn, error) {
	conn, err := udp.Listen(addr, p.base+offset)
	if err == nil {
		p.conns = append(p.conns, conn)
	}
	return conn, err
}

func (p *Plain) writer(conn *net.UDPConn) *udp.Writer {
	w := udp.NewWriter(conn, p.log)
	p.writers = append(p.writers, w)
	return w
}

func (p *Plain) to(offset int) netip.AddrPort {
	return netip.AddrPortFrom(p.peer.Addr(), uint16(p.base+offset))
}

// release closes the sockets and forgets all that open made.
func (p *Plain) release() {
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns, p.writers, p.senders, p.receivers = nil, nil, nil, nil
}

// Close releases the ports of a link that was never run. After Run was called it does nothing.
func (p *Plain) Close() error {
	p.abandon(p.release)
	return nil
}

// WriteRTP implements Link.
func (p *Plain) WriteRTP(m Medium, packet []byte) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	switch {
	case p.closed:
		return ErrClosed
	case int(m) >= len(p.senders):
		return ErrNotSending
	}
	return p.senders[m].WriteRTP(packet)
}

// SetAge implements Link.
func (p *Plain) SetAge(m Medium, age time.Duration) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if int(m) < len(p.senders) {
		p.senders[m].SetAge(age)
	}
}

// RequestKeyFrame implements Link.
func (p *Plain) RequestKeyFrame() {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if len(p.receivers) > 0 {
		p.receivers[Video].RequestKeyFrame()
	}
}

// Stats implements Link.
func (p *Plain) Stats() Stats {
	p.mu.RLock()
	defer p.mu.RUnlock()
	stats := Stats{Peer: p.peer.Addr()}
	for i, m := range []*MediumStats{&stats.Video, &stats.Audio} {
		if len(p.senders) > 0 {
			m.Send = p.senders[i].Sender.Stats()
			m.Send.Dropped = p.senders[i].writer.Dropped()
		}
		if len(p.receivers) > 0 {
			m.Receive = p.receivers[i].Receiver.Stats()
		}
	}
	return stats
}

// Run implements Link.
func (p *Plain) Run(ctx context.Context) error {
	if err := p.startOnce(); err != nil {
		return err
	}
	workers := []worker{withoutError(p.peer.Run)}
	read := func(conn *net.UDPConn, take func(netip.AddrPort, []byte)) {
		workers = append(workers, func(ctx context.Context) error {
			return udp.Read(ctx, conn, func(_ time.Time, from netip.AddrPort, b []byte) { take(from, b) })
		})
	}
	for _, w := range p.writers {
		workers = append(workers, withoutError(w.Run))
	}
	for _, s := range p.senders {
		s.Start()
		read(s.conn, func(_ netip.AddrPort, b []byte) { s.ReadRTCP(b) })
	}
	for _, r := range p.receivers {
		workers = append(workers, withoutError(r.Run))
		read(r.packets, r.ReadRTP)
		read(r.reports, r.ReadRTCP)
	}
	err := runAll(ctx, func() {
		for _, c := range p.conns {
			_ = c.SetDeadline(time.Now()) // wakes those who wait for the network
		}
	}, workers)
	p.finish()
	return err
}

// finish says goodbye and closes the sockets, after all goroutines but the senders' have ended.
func (p *Plain) finish() {
	p.lifecycle.end() // waits for those in WriteRTP
	for _, s := range p.senders {
		s.Close()
	}
	for _, w := range p.writers {
		w.Discard()
	}
	for _, s := range p.senders {
		s.Goodbye()
	}
	for _, r := range p.receivers {
		r.Goodbye()
	}
	for _, w := range p.writers {
		w.Flush()
	}
	for _, c := range p.conns {
		_ = c.Close()
	}
}
