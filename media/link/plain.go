// SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"
	"errors"
	"log/slog"
)

// DefaultBasePort is the first of the UDP ports that the 2020 scripts use.
const DefaultBasePort = 5000

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

// Plain is the unencrypted link of the 2020 scripts.
type Plain struct{}

var _ Link = &Plain{}

// NewPlain resolves the names and binds the ports, which are held until Run returns or Close is called.
func NewPlain(PlainOptions) (*Plain, error) { return nil, errors.ErrUnsupported }

// Run implements Link.
func (p *Plain) Run(context.Context) error { return errors.ErrUnsupported }

// Close releases the ports of a link that is not to be run. It does nothing once Run was called.
func (p *Plain) Close() error { return nil }

// WriteRTP implements Link.
func (p *Plain) WriteRTP(Medium, []byte) error { return ErrClosed }

// RequestKeyFrame implements Link.
func (p *Plain) RequestKeyFrame() {}

// Stats implements Link.
func (p *Plain) Stats() Stats { return Stats{} }
