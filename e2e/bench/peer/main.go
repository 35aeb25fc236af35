// SPDX-License-Identifier: Apache-2.0

// Command peer is one end of a co-stream for the benchmarks: what costream-obs does on air, with pipes instead of OBS.
//
//	peer -send    reads raw YUY2 pictures from standard input, and sound from the sound server
//	peer          writes the peer's pictures as raw I420 to file descriptor 3, and plays the sound
//
// The keys of its secure link are no secret.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/pairing"
	"github.com/costream-obs/costream-obs/internal/priority"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
)

// What is logged for the benchmark: the bitrate that the link allows, and how often the voice broke off.
const (
	saysBitrate = "bitrate"
	saysBreaks  = "breaks"
)

// format of the pictures both ways.
var format = media.VideoFormat{W: 1920, H: 1080, FPSNum: 30, FPSDen: 1}

func main() {
	var (
		send       = flag.Bool("send", false, "send instead of receiving")
		plain      = flag.Bool("plain", false, "the link of 2020 instead of the secure one")
		peer       = flag.String("peer", "", "`address` of the other end")
		listen     = flag.String("listen", "", "own `address`")
		port       = flag.Int("port", link.DefaultBasePort, "UDP `port`, the first of eight with -plain")
		kbps       = flag.Int("bitrate", 3000, "of the picture, in `kbit/s`")
		microphone = flag.String("microphone", "", "`source` to send; default: the sound server's")
	)
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	// As costream-obs run does, where it may.
	if _, err := priority.Raise(); err != nil {
		log.Info("not before other programs", "err", err)
	}
	o := call.Options{
		Link:      secureLink(*send, *peer, *listen, *port, *kbps, log),
		PeerAsks:  !*plain,
		FrameTime: format.FrameTime(), BitrateKbps: *kbps, Apart: true,
		Screen: blank{}, Format: format, Microphone: *microphone, Log: log,
		PeerSeen: func(seen bool) { log.Info("peer", "seen", seen) },
	}
	if *plain {
		o.Link = plainLink(*peer, *listen, *port, log)
	}
	if *send {
		o.Picture = media.RawSource{VideoFormat: format}
		o.Feed = func(ctx context.Context, push func([]byte)) error {
			defer stop() // With the last picture the program ends.
			return feed(ctx, pipeEnd(0), push)
		}
		run(ctx, o)
		return
	}
	screen := newPipeScreen(pipeEnd(3))
	o.Screen = screen
	done := make(chan error, 1)
	go func() {
		defer stop()
		done <- screen.Run(ctx)
	}()
	run(ctx, o)
	if err := <-done; err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

// run is one call. It returns when ctx has ended and nothing is sent any more. What waits for the other of voice and picture
// depends on what OBS adds to each, so here neither does.
func run(ctx context.Context, o call.Options) {
	c := call.Start(ctx, o)
	c.SetSpeakers(nil)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			c.Stop()
			return
		case <-tick.C:
		}
		if f, ok := c.Figures(); ok && f.VoiceBreaks != nil {
			o.Log.Info(saysBreaks, "times", *f.VoiceBreaks)
		}
	}
}

// pipeEnd is an open file descriptor that is waited for in Go's poller, as costream-obs waits for what it reads and writes.
func pipeEnd(fd int) *os.File {
	// A descriptor that cannot be set still works.
	_ = syscall.SetNonblock(fd, true)
	return os.NewFile(uintptr(fd), fmt.Sprintf("file descriptor %d", fd))
}

// secureLink makes links between two ends whose pairing anyone can know.
func secureLink(send bool, peer, listen string, port, kbps int, log *slog.Logger) func(link.Handler) (link.Link, error) {
	pair := pairing.Pair{Role: pairing.Inviter}
	if send {
		pair.Role = pairing.Guest
	}
	return func(h link.Handler) (link.Link, error) {
		identity, err := pair.Identity()
		if err != nil {
			return nil, err
		}
		tell := h.Bitrate
		h.Bitrate = func(bits int) {
			log.Info(saysBitrate, "bits", bits)
			if tell != nil {
				tell(bits)
			}
		}
		l, err := link.NewSecure(link.SecureOptions{Identity: identity, Peers: []string{peer}, Listen: listen, Port: port, Handler: h, Log: log,
			MaxBitrate: 1000 * kbps,
		})
		if err != nil {
			return nil, err
		}
		log.Info(saysBitrate, "bits", l.Stats().Bitrate)
		return l, nil
	}
}

func plainLink(peer, listen string, port int, log *slog.Logger) func(link.Handler) (link.Link, error) {
	return func(h link.Handler) (link.Link, error) {
		return link.NewPlain(link.PlainOptions{Peer: peer, Listen: listen, BasePort: port, Send: true, Receive: true, Handler: h, Log: log})
	}
}

// feed pushes pictures until their end.
func feed(ctx context.Context, in io.Reader, push func([]byte)) error {
	picture := make([]byte, format.W*format.H*2)
	for ctx.Err() == nil {
		if _, err := io.ReadFull(in, picture); err != nil {
			return fmt.Errorf("pictures on standard input: %w", err)
		}
		push(picture)
	}
	return nil
}
