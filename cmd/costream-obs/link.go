// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/costream-obs/costream-obs/internal/companion"
	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/internal/pairing"
	"github.com/costream-obs/costream-obs/internal/reach"
	"github.com/costream-obs/costream-obs/media/link"
)

// The words of the setting link.
const (
	linkAuto   = "auto"
	linkSecure = "secure"
	linkPlain  = "plain"
)

// The words of the setting reach.
const (
	reachDirect = "direct"
	reachAuto   = "auto"
)

// needPeer refuses to start without an address to talk to.
func needPeer(c *config.Config) error {
	if c.Peer == "" {
		return usageError{companion.ErrNoPeer}
	}
	return nil
}

// plainOptions are those of the link of 2020 as the settings want it.
func plainOptions(c *invocation) link.PlainOptions {
	return link.PlainOptions{Peer: c.config.Peer, Listen: c.config.Listen, BasePort: c.config.BasePort, Log: c.log}
}

// plainLink makes links of 2020.
func plainLink(o link.PlainOptions) func(link.Handler) (link.Link, error) {
	return func(h link.Handler) (link.Link, error) {
		o.Handler = h
		return link.NewPlain(o)
	}
}

// choosePair returns the pair for the secure link, or nil where the settings want the plain one. A pair that is there and
// cannot be read is no reason to go without encryption.
func choosePair(c *config.Config) (*pairing.Pair, error) {
	if c.Link == linkPlain {
		return nil, needPeer(c)
	}
	path, err := pairing.DefaultFile()
	if err != nil {
		return nil, err
	}
	pair, err := pairing.Load(path)
	switch {
	case errors.Is(err, pairing.ErrNotPaired) && c.Link != linkSecure:
		if c.Peer == "" {
			return nil, usageError{fmt.Errorf("%w; or pair with a friend: costream-obs pair --help", companion.ErrNoPeer)}
		}
		return nil, nil
	case err != nil:
		return nil, err
	case pair.Role == pairing.Guest && c.Peer == "" && len(pair.PeerAddresses()) == 0 && !mayReach(c, pair):
		return nil, usageError{errors.New("the invite contains no address for your friend: give --peer ADDRESS")}
	}
	return pair, nil
}

// mayReach tells whether others than the peer may be asked, so that the two machines find each other: the settings say so,
// or else both sides did when they paired.
func mayReach(c *config.Config, pair *pairing.Pair) bool {
	if c.Reach != "" {
		return c.Reach == reachAuto
	}
	return pair.Agreed()
}

// unusedRelay says why the relay of the settings is not used, or is empty.
func unusedRelay(c *config.Config, pair *pairing.Pair) string {
	switch {
	case c.Relay == nil:
		return ""
	case pair == nil:
		return "the relay is not used, because only the secure link has one; see: costream-obs pair --help"
	case !mayReach(c, pair):
		return "the relay is not used, because reach is direct; to use it, add --reach auto on both sides"
	}
	return ""
}

// findPeer makes what makes links to the peer of a pair.
func findPeer(c *config.Config, pair *pairing.Pair, log *slog.Logger) (*reach.Manager, error) {
	identity, err := pair.Identity()
	if err != nil {
		return nil, err
	}
	state, err := stateDir()
	if err != nil {
		return nil, err
	}
	peers := pair.PeerAddresses()
	if c.Peer != "" {
		peers = append([]string{c.Peer}, peers...)
	}
	own, peer := pair.MeetingSecrets()
	o := reach.Options{
		Secure: link.SecureOptions{
			Identity: identity, Peers: peers, Listen: c.Listen, Port: c.BasePort, Log: log,
			MinBitrate: 1000 * c.MinBitrate, MaxBitrate: 1000 * c.Bitrate,
		},
		Auto: mayReach(c, pair), Own: own, Peer: peer, MeetNodes: c.MeetNodes,
		NodesFile: filepath.Join(state, "meet-nodes.json"), Log: log,
	}
	if c.Relay != nil {
		o.Relay = c.Relay.Reveal()
	}
	m, err := reach.New(o)
	if err != nil {
		return nil, usageError{err}
	}
	return m, nil
}
