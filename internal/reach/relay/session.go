// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v3"
	"github.com/pion/turn/v4"
)

const (
	// openWithin bounds an attempt over one transport: where UDP is blocked there must be time left for the others
	// before the relay is needed. answerWithin bounds a question to a server that has answered before.
	openWithin   = 2500 * time.Millisecond
	answerWithin = 1500 * time.Millisecond

	// firstRetransmission is the time until a question is sent again; the next ones take twice as long each.
	firstRetransmission = 100 * time.Millisecond

	// wakeInterval is the time between two messages that keep the NATs between us and the server open, and renewInterval
	// that between two renewals of the permissions, which end after five minutes (RFC 8656, 9).
	wakeInterval  = 20 * time.Second
	renewInterval = time.Minute

	// watchInterval is the time between two looks at the session, and silence how long nothing may come from a server
	// that we send to.
	watchInterval = 500 * time.Millisecond
	silence       = time.Second

	// maxPeers is how many addresses are used with one lease: pion forgets none, and renews all of them in one datagram.
	maxPeers = 64
)

// session is one lease of an address, on one connection to the server.
type session struct {
	c       *Client
	over    Transport
	conn    net.PacketConn // as dial opened it
	guard   *guard         // around conn
	client  *turn.Client
	relayed net.PacketConn
	address netip.AddrPort

	failed  chan error // has room for one
	began   time.Time
	newest  atomic.Int64 // when the server's newest message came, in nanoseconds since began
	sent    atomic.Int64 // when we sent the newest datagram of the peer's, or 0
	workers sync.WaitGroup
	once    sync.Once

	mu      sync.Mutex
	granted map[netip.Addr]bool // whether the server permits it
	used    map[netip.AddrPort]bool
}

// newSession asks for an address over a transport.
func newSession(ctx context.Context, c *Client, over Transport) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	conn, err := dial(ctx, c.o.Server, over)
	if err != nil {
		return nil, err
	}
	s := &session{
		c: c, over: over, conn: conn, failed: make(chan error, 1), granted: map[netip.Addr]bool{}, used: map[netip.AddrPort]bool{},
		guard: newGuard(conn, c.o.Server), began: time.Now(),
	}
	s.newest.Store(int64(time.Since(s.began)))
	s.client, err = turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: c.o.Server.String(), Username: c.o.Server.User, Password: c.o.Server.Password, RTO: firstRetransmission,
		Conn: s.guard, Net: connected{}, LoggerFactory: &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled},
	})
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	s.workers.Add(1)
	go s.read()
	if err := s.allocate(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// connected is the network of a client that has one connection, and only asks for the address of the server.
type connected struct{ transport.Net }

// ResolveUDPAddr returns any address: packets go to the other end of the connection.
func (connected) ResolveUDPAddr(string, string) (*net.UDPAddr, error) {
	return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: defaultPort}, nil
}

// allocate asks the server for an address.
func (s *session) allocate(ctx context.Context) error {
	done := make(chan error, 1)
	go func() {
		conn, err := s.client.Allocate()
		s.relayed = conn
		done <- err
	}()
	var err error
	select {
	case err = <-done:
	case lost := <-s.failed:
		s.client.Close()
		<-done
		return lost
	case <-ctx.Done():
		s.client.Close()
		<-done
		return ErrSilent
	}
	if err != nil {
		return s.guard.explain(err)
	}
	at, ok := s.relayed.LocalAddr().(*net.UDPAddr)
	if !ok {
		return fmt.Errorf("the relay lends us %v, which is no UDP address", s.relayed.LocalAddr())
	}
	s.address = netip.AddrPortFrom(at.AddrPort().Addr().Unmap(), at.AddrPort().Port())
	if !s.address.IsValid() || s.address.Port() == 0 || s.address.Addr().IsUnspecified() || s.address.Addr().IsMulticast() {
		return fmt.Errorf("the relay lends us %v, which is no address to send to", s.address)
	}
	return nil
}

// read takes in what the server sends until the connection ends. What pion cannot read is dropped: its own loop would end.
func (s *session) read() {
	defer s.workers.Done()
	buf := make([]byte, maxFrame)
	for {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			s.fail(err)
			return
		}
		switch s.guard.admit(buf[:n]) {
		case good:
			s.newest.Store(int64(time.Since(s.began)))
			_, _ = s.client.HandleInbound(buf[:n], from)
		case mismatch:
			s.fail(errLost)
		}
	}
}

func (s *session) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

// hold keeps the lease until ctx ends or the session fails, and returns why.
func (s *session) hold(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.workers.Add(2)
	go s.deliver()
	go s.write(ctx)
	watch := time.NewTicker(watchInterval)
	defer watch.Stop()
	renewed, woken := time.Time{}, time.Now()
	for {
		now := time.Now()
		var err error
		switch heard := s.began.Add(time.Duration(s.newest.Load())); {
		case now.Sub(renewed) > renewInterval, now.Sub(heard) > silence && s.sentLately(now):
			renewed = now
			err = s.renew(ctx)
		case now.Sub(woken) > wakeInterval && now.Sub(heard) > wakeInterval:
			woken = now
			err = s.ask(ctx, func() { _, _ = s.client.SendBindingRequestTo(s.client.TURNServerAddr()) })
		}
		if err == nil && s.moved() {
			err = errMoved
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-s.failed:
			return err
		case <-s.c.permits:
			if err := s.permit(ctx); err != nil {
				return err
			}
		case <-watch.C:
		}
	}
}

// sentLately tells whether we have sent something of the peer's that the server should have said something to.
func (s *session) sentLately(now time.Time) bool {
	at := time.Duration(s.sent.Load())
	return at > 0 && now.Sub(s.began.Add(at)) < silence
}

// ask puts a question to the server, and returns when it is answered, be it with a refusal; or an error when it is not.
func (s *session) ask(ctx context.Context, question func()) error {
	done := make(chan struct{})
	s.workers.Add(1)
	go func() {
		defer s.workers.Done()
		defer close(done)
		question()
	}()
	timer := time.NewTimer(answerWithin)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case err := <-s.failed:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return ErrSilent
	}
}

// renew renews the permissions that we have, and asks for those that we lack.
func (s *session) renew(ctx context.Context) error {
	var ours []net.Addr
	s.mu.Lock()
	for addr, granted := range s.granted {
		if granted {
			ours = append(ours, net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 0)))
		}
	}
	s.mu.Unlock()
	if len(ours) > 0 {
		refused := false
		err := s.ask(ctx, func() { refused = s.create(ours...) != nil })
		if err != nil {
			return err
		}
		if refused {
			return errLost
		}
	}
	return s.permit(ctx)
}

// permit asks for the permissions that are wanted. Each stands alone, since a refused one takes others with it.
func (s *session) permit(ctx context.Context) error {
	wanted := s.c.wanted()
	s.mu.Lock()
	for addr := range s.granted {
		if !slices.Contains(wanted, addr) {
			delete(s.granted, addr) // the server forgets it by itself
		}
	}
	s.mu.Unlock()
	for _, addr := range wanted {
		if addr.Is4() != s.address.Addr().Is4() || addr.IsUnspecified() || addr.IsMulticast() {
			continue
		}
		s.mu.Lock()
		_, known := s.granted[addr]
		s.mu.Unlock()
		if known {
			continue
		}
		granted := false
		err := s.ask(ctx, func() { granted = s.create(net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 0))) == nil })
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.granted[addr] = granted
		s.mu.Unlock()
	}
	return nil
}

// create asks for permissions, again where the server wants a newer nonce, which pion then has.
func (s *session) create(addrs ...net.Addr) (err error) {
	for range 3 {
		if err = s.client.CreatePermission(addrs...); err == nil {
			return nil
		}
	}
	return err
}

// moved tells whether the system would now send to the server from another address of ours.
func (s *session) moved() bool {
	if s.over != UDP {
		return false // the connection breaks by itself
	}
	now, err := net.Dial("udp", s.conn.(*packets).RemoteAddr().String()) // sends nothing
	if err != nil {
		return false
	}
	defer func() { _ = now.Close() }()
	return now.LocalAddr().(*net.UDPAddr).AddrPort().Addr() != s.conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
}

// allowed tells whether the server lets us exchange datagrams with an address.
func (s *session) allowed(a netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.granted[a]
}

// deliver hands on what comes in at our address until the session ends.
func (s *session) deliver() {
	defer s.workers.Done()
	buf := make([]byte, maxFrame)
	for {
		n, from, err := s.relayed.ReadFrom(buf)
		if err != nil {
			s.fail(err)
			return
		}
		at, ok := from.(*net.UDPAddr)
		if !ok {
			continue
		}
		source := netip.AddrPortFrom(at.AddrPort().Addr().Unmap(), at.AddrPort().Port())
		if s.allowed(source.Addr()) {
			s.c.o.Take(source, buf[:n])
		}
	}
}

// write sends what is queued until ctx ends.
func (s *session) write(ctx context.Context) {
	defer s.workers.Done()
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-s.c.queue:
			if s.allowed(p.to.Addr()) && s.room(p.to) {
				s.sent.Store(int64(time.Since(s.began)))
				_, _ = s.relayed.WriteTo(p.bytes, net.UDPAddrFromAddrPort(p.to)) // the reader notices a connection that ends
			}
			s.c.spare.Put(p)
		}
	}
}

// room tells whether the lease may be used with an address.
func (s *session) room(to netip.AddrPort) bool {
	if s.used[to] {
		return true
	}
	if len(s.used) == maxPeers {
		s.fail(errCrowd)
		return false
	}
	s.used[to] = true
	return true
}

// close gives the address back and ends the connection.
func (s *session) close() {
	s.once.Do(func() {
		if s.relayed != nil {
			_ = s.relayed.Close() // tells the server
		}
		s.client.Close()
		_ = s.conn.Close()
	})
	s.workers.Wait()
}
