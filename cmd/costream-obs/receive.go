// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/companion"
	"github.com/costream-obs/costream-obs/media"
)

func receiveCommand() *command {
	return &command{
		name:  "receive",
		short: "show and play what the peer sends, without OBS",
		long: "Writes the peer's picture to a video device and plays the peer's voice on the default sound output until you press Ctrl-C. It does not change OBS: add the device to a scene yourself. The peer runs costream-obs send, or the send-to-peer.go of 2020.\n\n" +
			"While nothing arrives, the device shows a placeholder. You can also write flags as in 2020: -peer, -listen, -v4l2sink_device.",
		settings: []string{"peer", "peer-name", "listen", "base-port", "video-in", "video-format", "verbose"},
		bind:     func(*pflag.FlagSet) action { return receive },
	}
}

func receive(ctx context.Context, c *invocation) error {
	if err := needPeer(c.config); err != nil {
		return err
	}
	format, err := deviceFormat(c.config, c.config.VideoIn)
	if err != nil {
		return err
	}
	name := c.config.PeerName
	if name == "" {
		name = c.config.Peer
	}
	placeholder, err := media.NewPlaceholder(format, name)
	if err != nil {
		return err
	}
	screen, err := media.NewDeviceScreen(c.config.VideoIn, media.ScreenOptions{Format: format, Placeholder: placeholder, Log: c.log})
	if err != nil {
		return err
	}
	link := plainOptions(c)
	link.Receive = true
	return call.Receive(ctx, call.Options{
		Link: plainLink(link), Format: format, External: call.ExternalLatency{Speaker: companion.SpeakerLatency}, Log: c.log,
	}, screen, nil)
}
