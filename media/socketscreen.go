// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"
)

// stuckAfter is how long a reader may take for one picture before it is
// dropped. OBS connects again by itself, so a pause that is no fault costs a
// second of picture.
const stuckAfter = 3 * time.Second

// maxReaders bounds the connections at one time. OBS needs one for each Media
// Source that shows us.
const maxReaders = 8

// SocketScreen shows pictures to OBS Media Sources that read raw video from a
// TCP socket of ours. It needs no kernel module.
//
// Each reader gets exactly the format's number of pictures per second from the
// moment it connects, because OBS counts pictures to know the time: one too
// many, or one sent ahead, would stay as delay for good.
type SocketScreen struct {
	canvas   *canvas
	log      *slog.Logger
	listener net.Listener
	wire     wire
}

// wire is how pictures are put into a byte stream, and how OBS is told.
type wire struct {
	inputFormat string
	options     func(VideoFormat) string
	// header returns what goes before the first picture, and frameHeader what
	// goes before the picture that is due at a time after the first.
	header      func(VideoFormat) []byte
	frameHeader func(VideoFormat, time.Duration) []byte
}

// rawVideo is pictures and nothing else. BenchmarkRealMediaSource compares it
// with y4m and NUT, which were neither clearly quicker nor slower, so this is
// the simplest. Time stamps by the wall clock are left out: the two readers
// that had them showed delays of over 1.5 s on a busy machine.
func rawVideo() wire {
	return wire{
		inputFormat: "rawvideo",
		options: func(f VideoFormat) string {
			return fmt.Sprintf("fflags=nobuffer probesize=32 analyzeduration=0 video_size=%dx%d pixel_format=yuv420p framerate=%d/%d",
				f.W, f.H, f.FPSNum, f.FPSDen)
		},
		header:      func(VideoFormat) []byte { return nil },
		frameHeader: func(VideoFormat, time.Duration) []byte { return nil },
	}
}

var _ Screen = (*SocketScreen)(nil)

// NewSocketScreen makes a screen and listens at once, such as on 127.0.0.1:0
// for any free port. The socket is closed when Run ends.
func NewSocketScreen(listen string, o ScreenOptions) (*SocketScreen, error) {
	return newSocketScreen(listen, o, rawVideo())
}

func newSocketScreen(listen string, o ScreenOptions, w wire) (*SocketScreen, error) {
	o, err := o.normal()
	if err != nil {
		return nil, fmt.Errorf("socket screen: %w", err)
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("socket screen: %w", err)
	}
	return &SocketScreen{canvas: newCanvas(o), log: o.Log, listener: l, wire: w}, nil
}

// Addr returns where the screen listens.
func (s *SocketScreen) Addr() net.Addr { return s.listener.Addr() }

// MediaSourceSettings returns the settings of an OBS input of kind
// ffmpeg_source that shows this screen.
func (s *SocketScreen) MediaSourceSettings() map[string]any {
	return map[string]any{
		"is_local_file":       false,
		"input":               "tcp://" + s.Addr().String(),
		"input_format":        s.wire.inputFormat,
		"ffmpeg_options":      s.wire.options(s.canvas.format),
		"buffering_mb":        0,
		"reconnect_delay_sec": 1,
		"restart_on_activate": false,
		"close_when_inactive": false,
		"clear_on_media_end":  true,
		"hw_decode":           false,
		"seekable":            false,
	}
}

// Show takes the peer's newest picture; each reader gets it with its next tick.
func (s *SocketScreen) Show(f Frame) { s.canvas.set(f) }

// Placeholder covers the peer's picture, or uncovers it.
func (s *SocketScreen) Placeholder(on bool) { s.canvas.cover(on) }

// Run serves readers until ctx ends (nil) or the socket fails.
func (s *SocketScreen) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var readers sync.WaitGroup
	defer readers.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = s.listener.Close() })
	defer stop()

	slots := make(chan struct{}, maxReaders)
	for {
		conn, err := s.listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("socket screen on %s: %w", s.Addr(), err)
		}
		select {
		case slots <- struct{}{}:
		default:
			s.log.Warn("reader refused, too many", "addr", conn.RemoteAddr())
			_ = conn.Close()
			continue
		}
		readers.Add(1)
		go func() {
			defer readers.Done()
			s.serve(ctx, conn)
			<-slots
		}()
	}
}

// serve sends pictures to one reader until it goes, gets stuck, or ctx ends.
func (s *SocketScreen) serve(ctx context.Context, conn net.Conn) {
	defer func() { _ = conn.Close() }()
	// A write that waits for the reader ends with ctx, too.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	s.log.Debug("reader connected", "addr", conn.RemoteAddr())

	f := s.canvas.format
	packet := s.wire.header(f)
	// A reader that was slow misses pictures; it never gets two at once.
	pace := newPace(f)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		packet = append(packet, s.wire.frameHeader(f, f.at(pace.n))...)
		s.canvas.view(func(p []byte) { packet = append(packet, p...) })
		_ = conn.SetWriteDeadline(time.Now().Add(stuckAfter))
		if _, err := conn.Write(packet); err != nil {
			if ctx.Err() == nil {
				s.log.Debug("reader gone", "addr", conn.RemoteAddr(), "err", err, "stuck", errors.Is(err, os.ErrDeadlineExceeded))
			}
			return
		}
		packet = packet[:0]
		timer.Reset(pace.next(time.Now(), 1))
	}
}
