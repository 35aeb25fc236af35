// SPDX-License-Identifier: Apache-2.0

// Package reach finds the peer of a secure link, whatever routers lie between: it has the own router open a port, meets the
// peer in BitTorrent's DHT, and takes a relay where nothing else does. It starts these parts around a link, gives the link the
// addresses of the peer that they find, and says in words what was found out. Each part is a package below this one.
//
// It moves no packets of pictures and sound: that is package link. Without Options.Auto it asks nobody anything.
package reach

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/reach/dht"
	"github.com/costream-obs/costream-obs/internal/reach/meet"
	"github.com/costream-obs/costream-obs/internal/reach/portmap"
	"github.com/costream-obs/costream-obs/internal/reach/relay"
	"github.com/costream-obs/costream-obs/media/link"
)

// Options say whom a Manager looks for, and whom it may ask.
type Options struct {
	// Secure is what each link is made with. Its Handler is replaced.
	Secure link.SecureOptions
	// Auto allows to ask the own router, BitTorrent's DHT and the relay. Without it nothing is sent to anybody but the peer.
	Auto bool
	// Own and Peer are what the keys of our notes and of the peer's follow from. Nobody else may know them.
	Own, Peer [32]byte
	// MeetNodes are the nodes of the DHT to ask first, as host:port; none means well-known public ones.
	MeetNodes []string
	// NodesFile keeps the nodes that answered for the next start; empty keeps none.
	NodesFile string
	// Relay is a TURN server, as turn:USER:PASSWORD@HOST:PORT; empty is none.
	Relay string
	Log   *slog.Logger // nil discards
}

// Manager looks for one peer. It outlives the links that it makes, of which one runs at a time. Its methods are safe for
// concurrent use.
type Manager struct {
	o       Options
	log     *slog.Logger
	server  *relay.Server   // nil without a relay
	mapper  *portmap.Mapper // nil, as client, where only the peer may be asked
	client  *dht.Client
	changed chan struct{}

	addresses ownCache

	mu     sync.Mutex
	search *search          // around the link that runs; nil while none does
	note   []meet.Candidate // the newest of the peer's
	before []netip.Addr     // our addresses when they were last looked at
}

// New returns a manager that asks nobody yet. Its error says what is wrong with the relay.
func New(o Options) (*Manager, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Secure.Port == 0 {
		o.Secure.Port = link.DefaultSecurePort
	}
	m := &Manager{o: o, log: o.Log, changed: make(chan struct{}, 1)}
	if o.Relay != "" {
		server, err := relay.Parse(o.Relay)
		if err != nil {
			return nil, err
		}
		m.server = &server
	}
	if !o.Auto {
		return m, nil
	}
	if o.Own == o.Peer {
		return nil, errors.New("reach: the notes of the two sides need different secrets")
	}
	m.mapper = portmap.New(portmap.Options{Port: uint16(o.Secure.Port), Log: o.Log})
	m.client = dht.New(dht.Options{
		Send: m.sendNode, Bootstrap: o.MeetNodes, Nodes: loadNodes(o.NodesFile, o.Log), Reaches: m.reaches, Own: m.isOwn,
		OuterChanged: m.ownChanged, Log: o.Log,
	})
	return m, nil
}

// Run keeps the port open at the own router until ctx ends, whether or not a link runs, and then closes it.
func (m *Manager) Run(ctx context.Context) {
	if m.mapper == nil {
		<-ctx.Done()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.mapper.Run(ctx)
	}()
	for {
		select {
		case <-ctx.Done():
			<-done
			return
		case <-m.mapper.Changed():
			m.ownChanged()
		}
	}
}

// Link makes a link that looks for the peer while it runs.
func (m *Manager) Link(h link.Handler) (link.Link, error) {
	o := m.o.Secure
	o.Handler, o.LAN = h, m.o.Auto
	if m.o.Auto {
		o.Beside = func(from netip.AddrPort, datagram []byte) { m.client.Take(from, datagram) }
	}
	l, err := link.NewSecure(o)
	if err != nil {
		return nil, err
	}
	return &reachingLink{l, newSearch(m, l)}, nil
}

// Changed passes a message on after State has changed.
func (m *Manager) Changed() <-chan struct{} { return m.changed }

// tell passes on that State may have changed.
func (m *Manager) tell() { signal(m.changed) }

// signal puts a message into a channel that has room for one, and never blocks.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// current is the search around the link that runs, or nil.
func (m *Manager) current() *search {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.search
}

func (m *Manager) setCurrent(s *search) {
	m.mu.Lock()
	m.search = s
	m.mu.Unlock()
	m.tell()
}

// sendNode sends a datagram to a node of the DHT, while a link has the port.
func (m *Manager) sendNode(to netip.AddrPort, b []byte) {
	if s := m.current(); s != nil {
		s.link.SendBeside(to, b)
	}
}

// reaches tells whether the link can send to an address.
func (m *Manager) reaches(a netip.Addr) bool {
	listen, err := netip.ParseAddr(strings.Trim(m.o.Secure.Listen, "[]"))
	return err != nil || listen.Unmap().Is4() == a.Unmap().Is4()
}

// ownChanged notes that our own addresses may be others.
func (m *Manager) ownChanged() {
	if s := m.current(); s != nil {
		s.ownChanged()
	}
	m.tell()
}

// found takes what the peer has noted.
func (m *Manager) found(note []meet.Candidate) {
	m.mu.Lock()
	m.note = slices.Clone(note)
	s := m.search
	m.mu.Unlock()
	if s != nil {
		s.read()
	}
	m.tell()
}

// noted are the addresses of the peer's newest note.
func (m *Manager) noted() []meet.Candidate {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.note)
}

// surveyWithin is how long Survey waits for what is not known yet.
const surveyWithin = 5 * time.Second

// Survey finds out what is not known yet, as far as that can be in some seconds. A link must run meanwhile.
func (m *Manager) Survey(ctx context.Context) State {
	s := m.current()
	if !m.o.Auto || s == nil {
		return m.State()
	}
	defer s.hold()()
	ctx, cancel := context.WithTimeout(ctx, surveyWithin)
	defer cancel()
	look := time.NewTicker(surveyWithin / 50)
	defer look.Stop()
	for {
		if state := m.State(); state.surveyed() {
			return state
		}
		select {
		case <-ctx.Done():
			return m.State()
		case <-look.C:
		}
	}
}
