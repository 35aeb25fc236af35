// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// retryFirst is the time until a relay that failed is tried again. It doubles each time, up to retryLast.
	retryFirst = 200 * time.Millisecond
	retryLast  = 30 * time.Second

	// queueLength is how many datagrams may wait for the connection to the server.
	queueLength = 1024
)

// Options say which server to use, and who takes what comes from there.
type Options struct {
	Server Server

	// Take takes a datagram that came in at our address at the relay. It may change the bytes, which are valid only during
	// the call.
	Take func(from netip.AddrPort, datagram []byte)
	Log  *slog.Logger // nil discards
}

// State is what is known of the relay.
type State struct {
	// Address is ours at the relay. It is invalid while there is none.
	Address netip.AddrPort
	// Transport is how we talk to the server.
	Transport Transport
	// Err is why there is no address; nil while the first attempt is under way.
	Err error
}

// Errors of State, beside those of the network.
var (
	ErrSilent  = errors.New("the relay does not answer")
	ErrRefused = errors.New("the relay does not accept the user or the password")
	ErrFull    = errors.New("the relay has no address to spare")
	ErrName    = errors.New("the relay's host name does not resolve")
	errLost    = errors.New("the relay has forgotten us")
	errMoved   = errors.New("our own address has changed")
	errCrowd   = errors.New("too many addresses were used with one lease")
)

// Client keeps an address at a TURN server. Its methods are safe for concurrent use and never block, except Run.
type Client struct {
	o       Options
	changed chan struct{}
	permits chan struct{} // permitted has changed
	queue   chan *packet
	spare   sync.Pool // of *packet

	mu        sync.Mutex
	state     State
	permitted []netip.Addr
	session   *session // nil while there is no address
}

type packet struct {
	to    netip.AddrPort
	bytes []byte
}

// New returns a client that does nothing before Run.
func New(o Options) *Client {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Client{
		o: o, changed: make(chan struct{}, 1), permits: make(chan struct{}, 1), queue: make(chan *packet, queueLength),
		spare: sync.Pool{New: func() any { return &packet{bytes: make([]byte, 0, 1500)} }},
	}
}

// Host is the name of the relay.
func (c *Client) Host() string { return c.o.Server.Host }

// State returns what is known of the relay.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Changed passes a message on after State has changed. It is for one goroutine.
func (c *Client) Changed() <-chan struct{} { return c.changed }

// Permit has the relay take datagrams from these addresses, instead of those named before.
func (c *Client) Permit(addrs []netip.Addr) {
	c.mu.Lock()
	same := slices.Equal(c.permitted, addrs)
	c.permitted = slices.Clone(addrs)
	c.mu.Unlock()
	if !same {
		signal(c.permits)
	}
}

// Lets tells whether the relay passes datagrams on to an address, and from there.
func (c *Client) Lets(a netip.Addr) bool {
	c.mu.Lock()
	s := c.session
	c.mu.Unlock()
	return s != nil && s.allowed(a)
}

func (c *Client) setSession(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session = s
}

func (c *Client) wanted() []netip.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.permitted)
}

// Send sends a datagram from our address at the relay. While there is none, or where the relay may not send, it is dropped.
func (c *Client) Send(to netip.AddrPort, datagram []byte) {
	p := c.spare.Get().(*packet)
	p.to, p.bytes = to, append(p.bytes[:0], datagram...)
	select {
	case c.queue <- p:
	default:
		c.spare.Put(p)
	}
}

// Run keeps an address at the relay until ctx ends, and then gives it back.
func (c *Client) Run(ctx context.Context) {
	defer c.set(State{})
	pause := retryFirst
	for {
		s, err := c.open(ctx)
		if err == nil {
			pause = retryFirst
			c.o.Log.Info("the relay lends us an address", "relay", c.o.Server, "over", s.over, "address", s.address)
			c.set(State{Address: s.address, Transport: s.over})
			c.setSession(s)
			err = s.hold(ctx)
			c.setSession(nil)
			s.close()
		}
		if ctx.Err() != nil {
			return
		}
		c.fail(err)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		pause = min(2*pause, retryLast)
	}
}

// open tries the transports one after the other. What the server itself says is not said differently over another one, and its
// name is the same.
func (c *Client) open(ctx context.Context) (*session, error) {
	var all []string
	for _, over := range c.o.Server.Transports {
		s, err := newSession(ctx, c, over)
		if err == nil {
			return s, nil
		}
		if errors.Is(err, ErrRefused) || errors.Is(err, ErrFull) {
			return nil, err
		}
		if name := (*net.DNSError)(nil); errors.As(err, &name) {
			return nil, fmt.Errorf("%w: %s", ErrName, name.Err)
		}
		all = append(all, fmt.Sprintf("%s: %v", over, err))
	}
	return nil, fmt.Errorf("%w (%s)", ErrSilent, strings.Join(all, "; "))
}

// fail notes why there is no address, and logs what is new.
func (c *Client) fail(err error) {
	if before := c.State().Err; before == nil || before.Error() != err.Error() {
		c.o.Log.Warn("no relay for now", "relay", c.o.Server, "err", err)
	}
	c.set(State{Err: err})
}

func (c *Client) set(s State) {
	c.mu.Lock()
	c.state = s
	c.mu.Unlock()
	signal(c.changed)
}

// signal puts a message into a channel that has room for one, and never blocks.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
