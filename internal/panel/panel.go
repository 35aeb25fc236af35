// SPDX-License-Identifier: Apache-2.0

// Package panel serves the page on which the user sees the co-stream and steers it, in a browser or in a dock of OBS.
//
// The page is part of the program. The server passes what the user does there on as the orders of `costream-obs peer`; it
// decides nothing itself and knows no OBS. Everything is below a secret first part of the path, the token. There is no cookie:
// browsers send a cookie to every port of a machine, also to another user's server, and with requests of other pages.
package panel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/scenes"
)

// Limits of the server. A page needs a stream of events, and two or three more connections now and then. Browsers open six
// connections to a server, for all its pages together.
const (
	maxConnections = 64
	maxPages       = 4
	maxOrders      = 4
	maxBody        = 4 << 10
	maxHeader      = 8 << 10
	headerWithin   = 2 * time.Second
	requestWithin  = 5 * time.Second
	// writeWithin is how long a page may take for one message or picture; a page that is slower is dropped.
	writeWithin = 5 * time.Second
	idleFor     = 30 * time.Second
	// orderWithin is how long an order may take. OBS answers within milliseconds, unless it loads something.
	orderWithin = 15 * time.Second
	// elsewhereEvery is the time between two attempts to listen on Options.Listen.
	elsewhereEvery = 10 * time.Second
)

// Options are what a panel shows and steers.
type Options struct {
	// StateDir has the file with the port and the token.
	StateDir string
	// Listen is another address of this machine to listen on, beside 127.0.0.1; 0.0.0.0 and :: mean all, and empty none.
	Listen string
	// Elsewhere is told why the page is not served on Listen too, and nil once it is; may be nil. While it is not, Run tries
	// again and serves the page on this machine.
	Elsewhere func(error)
	// Status is what is going on. It is asked once a second.
	Status func() control.Status
	// Order carries an order out in the OBS that we are connected to.
	Order func(context.Context, control.PeerOrder) (control.PeerAnswer, error)
	// Visible reports whether there is a picture now. It is asked before each picture is sent, also one that was taken before.
	Visible func(Whose) bool
	// Picture takes a small JPEG.
	Picture func(context.Context, Whose) ([]byte, error)
	// Saved are the user's saved layouts.
	Saved func() (map[string]scenes.Saved, error)
	// Repairs finds and does what can be repaired; nil where nothing can.
	Repairs Repairs
	// Serves is told the page's address on this machine once it is served, and "" when it no longer is; may be nil.
	Serves func(address string)
	Log    *slog.Logger
}

// Whose says what a picture shows.
type Whose string

// The pictures.
const (
	// OfFriend is what the friend sends.
	OfFriend Whose = "friend"
	// Sent is what the friend is sent.
	Sent Whose = "sent"
)

// A Repair is something that `costream-obs doctor --fix` would do.
type Repair struct {
	// ID is the code of the problem that it repairs.
	ID string `json:"id"`
	// What is a sentence: what will be done.
	What string `json:"what"`
}

// Repairs finds and does what `costream-obs doctor --fix` would do.
type Repairs interface {
	// Find returns those for the problems with these codes.
	Find(ctx context.Context, codes []string) []Repair
	// Do does one of them, and returns what was done.
	Do(ctx context.Context, id string) (done string, err error)
}

// Server is the panel of one running costream-obs.
type Server struct {
	o       Options
	retry   time.Duration // elsewhereEvery
	begun   time.Time     // of the curves
	orders  chan struct{} // has room for those that are carried out
	feed    feed
	shots   map[Whose]*shot
	mu      sync.Mutex
	access  Access
	serving []string
}

// New returns a panel that does not listen yet.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Serves == nil {
		o.Serves = func(string) {}
	}
	if o.Elsewhere == nil {
		o.Elsewhere = func(error) {}
	}
	s := &Server{o: o, retry: elsewhereEvery, begun: time.Now(), orders: make(chan struct{}, maxOrders), shots: map[Whose]*shot{OfFriend: {}, Sent: {}}}
	s.feed.init()
	return s
}

// Addresses are those of the page while Run runs, the one of this machine first. They contain the token.
func (s *Server) Addresses() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.serving)
}

// Changed makes the pages show a change at once. It never blocks.
func (s *Server) Changed() { s.feed.wake() }

// Run serves the page until ctx ends, and does not wait for browsers then. started is called once it listens.
func (s *Server) Run(ctx context.Context, started func()) error {
	own, access, err := s.listen(ctx)
	if err != nil {
		return err
	}
	everywhere := own.Addr().(*net.TCPAddr).IP.IsUnspecified()
	if everywhere {
		s.open(access, s.networkHosts()...)
	} else {
		s.open(access)
	}
	defer s.open(Access{})
	srv := &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: headerWithin,
		ReadTimeout:       requestWithin,
		IdleTimeout:       idleFor,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log.New(io.Discard, "", 0), // It would name addresses, which contain the token.
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, visitor{}, sync.OnceValue(func() bool { return mayVisit(conn) }))
		},
	}
	working, stop := context.WithCancel(ctx)
	var parts sync.WaitGroup
	defer parts.Wait()
	defer stop()
	parts.Add(1)
	go func() {
		defer parts.Done()
		s.follow(working)
	}()
	// Close, not Shutdown: a page that is open must not delay the end.
	defer context.AfterFunc(working, func() { _ = srv.Close() })()
	room := make(chan struct{}, maxConnections)
	serve := func(l net.Listener) error { return srv.Serve(&bounded{Listener: l, room: room}) }
	ended := make(chan error, 1)
	go func() { ended <- serve(own) }()
	started()
	if s.o.Listen != "" && !everywhere {
		parts.Add(1)
		go func() {
			defer parts.Done()
			s.serveElsewhere(working, access, serve)
		}()
	}
	s.o.Serves(access.URL())
	defer s.o.Serves("")
	err = <-ended
	_ = srv.Close()
	if ctx.Err() != nil || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("the panel ended: %w", err)
}

// listen takes the port that the panel had last time. If another program has it, the port and the token are made anew: pages
// that waited for us may have told that program the token.
func (s *Server) listen(ctx context.Context) (net.Listener, Access, error) {
	access, known, err := load(s.o.StateDir)
	if err != nil {
		return nil, Access{}, err
	}
	host := loopback
	if ip, err := netip.ParseAddr(s.o.Listen); err == nil && ip.IsUnspecified() {
		host = s.o.Listen // It takes the port of 127.0.0.1, too.
	}
	own, err := listenOn(ctx, host, access.Port)
	if errors.Is(err, syscall.EADDRINUSE) {
		if known {
			s.o.Log.Warn("another program has the panel's port, so the panel has a new address: see `costream-obs panel`", "port", access.Port)
		}
		access = newAccess(0)
		own, err = listenOn(ctx, host, 0)
	}
	if err != nil && host != loopback {
		own, err = listenOn(ctx, loopback, access.Port)
	}
	if err != nil {
		return nil, Access{}, fmt.Errorf("the page cannot be served: %w", err)
	}
	access.Port = own.Addr().(*net.TCPAddr).Port
	if err := access.save(s.o.StateDir); err != nil {
		_ = own.Close()
		return nil, Access{}, err
	}
	return own, access, nil
}

// serveElsewhere serves the page on Listen too, whenever that works. Its failures do not concern the page on this machine.
func (s *Server) serveElsewhere(ctx context.Context, access Access, serve func(net.Listener) error) {
	for {
		l, err := listenOn(ctx, s.o.Listen, access.Port)
		if err == nil {
			s.open(access, s.o.Listen)
			s.o.Elsewhere(nil)
			err = serve(l)
			s.open(access)
		}
		if ctx.Err() != nil || errors.Is(err, http.ErrServerClosed) {
			return
		}
		s.o.Elsewhere(s.notElsewhere(access.Port, err))
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.retry):
		}
	}
}

// notElsewhere says why the page is not served on Listen.
func (s *Server) notElsewhere(port int, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("another program has port %d of --panel-listen %s, so the page is served on this machine alone until that program ends; `ss -ltnp sport = :%[1]d` shows it: %[3]w",
			port, s.o.Listen, err)
	}
	return fmt.Errorf("--panel-listen %s: %w; the page is served on this machine alone until that is an address of this machine (`ip address` lists them)", s.o.Listen, err)
}

const loopback = "127.0.0.1"

func listenOn(ctx context.Context, host string, port int) (net.Listener, error) {
	network := "tcp"
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is4() {
		network = "tcp4" // Go takes 0.0.0.0 for IPv6 as well otherwise.
	}
	return new(net.ListenConfig).Listen(ctx, network, net.JoinHostPort(host, strconv.Itoa(port)))
}

// open makes requests with this token welcome, and says by which other hosts; without a token none is.
func (s *Server) open(access Access, others ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.access, s.serving = access, nil
	if access.Token == "" {
		return
	}
	s.serving = append(s.serving, access.URL())
	for _, host := range others {
		s.serving = append(s.serving, access.at(host))
	}
}

// networkHosts are this machine's addresses in its networks, of the kinds that Listen means.
func (s *Server) networkHosts() []string {
	ip, err := netip.ParseAddr(s.o.Listen)
	if err != nil {
		return nil
	}
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var hosts []string
	for _, a := range interfaces {
		prefix, err := netip.ParsePrefix(a.String())
		if at := prefix.Addr(); err == nil && !at.IsLoopback() && !at.IsLinkLocalUnicast() && (at.Is4() || ip.Is6()) {
			hosts = append(hosts, at.String())
		}
	}
	return hosts
}
