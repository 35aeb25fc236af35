// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/companion"
	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/media"
)

func sendCommand() *command {
	return &command{
		name:  "send",
		short: "send a video device and a sound source, without OBS",
		long: "Sends the picture of a video device and the sound of a PulseAudio source to the peer until you press Ctrl-C. It is not encrypted. It does not change OBS: start its virtual camera and set its monitoring yourself. The peer runs costream-obs receive, or the recv-from-peer.go of 2020.\n\n" +
			"Without --mic-source it sends " + companion.ToPeerSink + ".monitor, which is what OBS monitors into the null sink " + companion.ToPeerSink + ". You can also write flags as in 2020: -peer, -listen, -v4l2src_device, -pulsesrc_device.",
		settings: []string{"peer", "listen", "base-port", "video-out", "video-format", "encoder", "bitrate", "mic-source", "verbose"},
		bind:     func(*pflag.FlagSet) action { return send },
	}
}

func send(ctx context.Context, c *invocation) error {
	if err := needPeer(c.config); err != nil {
		return err
	}
	format, err := deviceFormat(c.config, c.config.VideoOut)
	if err != nil {
		return err
	}
	sound := c.config.MicSource
	if sound == "" {
		sound = companion.ToPeerSink + ".monitor"
		if _, err := (pulse.Client{}).SinkNamed(ctx, companion.ToPeerSink); errors.Is(err, pulse.ErrNotFound) {
			return fmt.Errorf("there is no sound sink %[1]s: make it with `pactl load-module module-null-sink sink_name=%[1]s "+
				"sink_properties=device.description=CoStreamToPeer` and let OBS monitor into it, or name a source with --mic-source", companion.ToPeerSink)
		} else if err != nil {
			return err
		}
	}
	chooser, err := newEncoders(c.config, c.log)
	if err != nil {
		return err
	}
	chooser.Prepare(ctx, format)
	link := plainOptions(c)
	link.Send = true
	return call.Send(ctx, call.Options{
		Link: plainLink(link), Picture: media.DeviceSource{Path: c.config.VideoOut, VideoFormat: format}, FrameTime: format.FrameTime(),
		BitrateKbps: c.config.Bitrate, Encoders: chooser, Microphone: sound, Log: c.log,
	})
}
