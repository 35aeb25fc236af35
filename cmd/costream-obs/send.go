// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/companion"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
	"github.com/costream-obs/costream-obs/setup"
)

// sendKeyInterval is a key frame each 60 pictures: a receiver of 2020 cannot ask for one when it comes later.
const sendKeyInterval = 60

func sendCommand() *command {
	return &command{
		name:  "send",
		short: "send a video device and a sound source, without OBS",
		long: "Sends the picture of a video device and the sound of a PulseAudio source to the peer until it is stopped with Ctrl-C. It is not encrypted. It does not touch OBS: start its virtual camera and set its monitoring yourself. The peer runs costream-obs receive, or the recv-from-peer.go of 2020.\n\n" +
			"Without --mic-source it sends " + companion.ToPeerSink + ".monitor, what OBS monitors into the null sink " + companion.ToPeerSink + ". Flags may also be written as in 2020: -peer, -listen, -v4l2src_device, -pulsesrc_device.",
		settings: []string{"peer", "listen", "base-port", "video-out", "video-format", "bitrate", "mic-source", "verbose"},
		bind:     func(*pflag.FlagSet) action { return send },
	}
}

func send(ctx context.Context, c *call) error {
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
		if _, err := (setup.Pulse{}).SinkNamed(ctx, companion.ToPeerSink); errors.Is(err, setup.ErrNotFound) {
			return fmt.Errorf("there is no sound sink %[1]s: make it with `pactl load-module module-null-sink sink_name=%[1]s "+
				"sink_properties=device.description=CoStreamToPeer` and let OBS monitor into it, or name a source with --mic-source", companion.ToPeerSink)
		} else if err != nil {
			return err
		}
	}
	return sendTo(ctx, plainLink(c), media.DeviceSource{Path: c.config.VideoOut, VideoFormat: format}, sound, c.config.Bitrate, c.log)
}

// sendTo sends a picture and a sound until ctx ends or one of them fails.
func sendTo(ctx context.Context, o link.PlainOptions, picture media.VideoSource, sound string, kbps int, log *slog.Logger) error {
	if err := (setup.Pulse{}).CheckSource(ctx, sound); err != nil {
		return err
	}
	var l *link.Plain
	// What the link drops it counts, and when it closes we are about to end anyway.
	out := func(m link.Medium) func([]byte) {
		return func(packet []byte) { _ = l.WriteRTP(m, packet) }
	}
	video, err := media.NewVideoSender(media.VideoSenderOptions{
		Source:  picture,
		Encoder: media.EncoderOptions{BitrateKbps: kbps, KeyInt: sendKeyInterval},
		Out:     out(link.Video), Log: log,
	})
	if err != nil {
		return err
	}
	audio, err := media.NewAudioSender(media.AudioSenderOptions{Device: sound, Out: out(link.Audio), Log: log})
	if err != nil {
		return err
	}
	o.Send = true
	o.Handler.KeyFrameRequest = video.ForceKeyFrame
	if l, err = link.NewPlain(o); err != nil {
		return err
	}
	return together(ctx, l.Run, video.Run, func(ctx context.Context) error {
		if err := audio.Run(ctx); err != nil {
			return fmt.Errorf("sound source %s: %w", sound, err)
		}
		return nil
	})
}

// together runs parts until one of them ends or ctx does, waits for all, and returns the first failure.
func together(ctx context.Context, parts ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error)
	for _, part := range parts {
		go func() { ended <- part(ctx) }()
	}
	var first error
	for range parts {
		if err := <-ended; first == nil {
			first = err
		}
		cancel()
	}
	return first
}
