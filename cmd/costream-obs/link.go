// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/costream-obs/costream-obs/internal/companion"
	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/media/link"
)

// needPeer refuses to start without an address to talk to.
func needPeer(c *config.Config) error {
	if c.Peer == "" {
		return usageError{companion.ErrNoPeer}
	}
	return nil
}

// plainLink is the link of 2020 as the settings want it.
func plainLink(c *call) link.PlainOptions {
	return link.PlainOptions{Peer: c.config.Peer, Listen: c.config.Listen, BasePort: c.config.BasePort, Log: c.log}
}
