// SPDX-License-Identifier: Apache-2.0

// Package reach finds the peer of a secure link, whatever routers lie between: it has the own router open a port, meets the
// peer in BitTorrent's DHT, and takes a relay where nothing else does. It starts these parts around a link, gives the link the
// addresses of the peer that they find, and says in words what was found out. Each part is a package below this one.
//
// It moves no packets of pictures and sound: that is package link. Without Options.Auto it asks nobody anything.
package reach

import (
	"context"
	"log/slog"
	"sync"

	"github.com/costream-obs/costream-obs/media/link"
)

// Options say whom a Manager looks for, and whom it may ask.
type Options struct {
	// Secure is what each link is made with. Its Handler is replaced.
	Secure link.SecureOptions
	// Auto allows to ask the own router, BitTorrent's DHT and the relay. Without it nothing is sent to anybody but the peer.
	Auto bool
	// Secret is what the two sides' notes follow from: the same at both, and known to nobody else.
	Secret []byte
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
	changed chan struct{}

	mu sync.Mutex
}

// New returns a manager that asks nobody yet. Its error says what is wrong with the relay.
func New(o Options) (*Manager, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Manager{o: o, log: o.Log, changed: make(chan struct{}, 1)}, nil
}

// Run keeps the port open at the own router until ctx ends, whether or not a link runs, and then closes it.
func (m *Manager) Run(ctx context.Context) { <-ctx.Done() }

// Link makes a link that looks for the peer while it runs.
func (m *Manager) Link(h link.Handler) (link.Link, error) {
	o := m.o.Secure
	o.Handler = h
	return link.NewSecure(o)
}

// State is what is known now.
func (m *Manager) State() State { return State{Auto: m.o.Auto, Port: m.o.Secure.Port} }

// Changed passes a message on after State has changed.
func (m *Manager) Changed() <-chan struct{} { return m.changed }

// Survey finds out what is not known yet, as far as that can be in some seconds. A link must run meanwhile.
func (m *Manager) Survey(context.Context) State { return m.State() }
