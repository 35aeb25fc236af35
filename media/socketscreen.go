// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// stuckAfter is how long a reader may take for one picture before it is disconnected. OBS reconnects by itself, so a
// harmless pause costs a second of picture.
const stuckAfter = 3 * time.Second

// maxReaders limits the number of connections. OBS needs one for each Media Source that shows us.
const maxReaders = 8

// maxWaiting limits the connections whose owner is not known yet, and betweenLooks is the pause between two lookups while
// strangers connect. One lookup handles all that wait. Later ones wait in the kernel's queue.
const (
	maxWaiting   = 512
	betweenLooks = 10 * time.Millisecond
)

// refusalsPause keeps refused connections from filling the log.
const refusalsPause = 10 * time.Second

// SocketScreen shows pictures to OBS Media Sources that read raw video from a TCP socket of ours. It needs no kernel module.
// Connections of other users of this machine are closed before they get a byte.
type SocketScreen struct {
	canvas   *canvas
	log      *slog.Logger
	listener net.Listener
	clock    string
	user     int // whose readers may see the pictures
}

// repeatEach is how often a reader gets the current picture again if there is no newer one, so that we notice a reader that
// is gone or stuck.
const repeatEach = 250 * time.Millisecond

// fastClock makes OBS's reader believe that there are 1000 pictures a second. By the time stamps that it makes up by
// counting them, each picture is then always overdue, and OBS shows the newest with its next frame: both waits in OBS, in
// the reader's thread (media-playback, mp_media_sleep) and in the source's queue (libobs, ready_async_frame), wait only for
// what is not due yet. A picture is visible after 18 to 20 ms, which is half a frame of OBS and the time to read it. With
// the true rate the delay was what it happened to be when OBS opened the source, 50 to 130 ms (86 in the same run). With
// time stamps of the wall clock it was 113 ms, and grew to over 1.5 s on a busy machine (29.0.2, 1280x720 at 30 a second;
// BenchmarkRealMediaSource).
const fastClock = "framerate=1000"

var _ Screen = (*SocketScreen)(nil)

// NewSocketScreen makes a screen and listens at once, for example on 127.0.0.1:0 for any free port. The socket is closed
// when Run ends.
func NewSocketScreen(listen string, o ScreenOptions) (*SocketScreen, error) {
	return newSocketScreen(listen, o, fastClock)
}

func newSocketScreen(listen string, o ScreenOptions, clock string) (*SocketScreen, error) {
	o, err := o.normal()
	if err != nil {
		return nil, fmt.Errorf("socket screen: %w", err)
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("socket screen: %w", err)
	}
	return &SocketScreen{canvas: newCanvas(o), log: o.Log, listener: l, clock: clock, user: os.Geteuid()}, nil
}

// Addr returns where the screen listens.
func (s *SocketScreen) Addr() net.Addr { return s.listener.Addr() }

// MediaSourceSettings returns the settings of an OBS input of kind
// ffmpeg_source that shows this screen.
func (s *SocketScreen) MediaSourceSettings() map[string]any {
	f := s.canvas.format
	return map[string]any{
		"is_local_file": false,
		"input":         "tcp://" + s.Addr().String(),
		"input_format":  "rawvideo",
		"ffmpeg_options": fmt.Sprintf("fflags=nobuffer probesize=32 analyzeduration=0 video_size=%dx%d pixel_format=yuv420p %s",
			f.W, f.H, s.clock),
		"buffering_mb":        0,
		"reconnect_delay_sec": 1,
		"restart_on_activate": false,
		"close_when_inactive": false,
		"clear_on_media_end":  true,
		"hw_decode":           false,
		"seekable":            false,
	}
}

// Show sends the picture to each reader at once, unless the placeholder covers it.
func (s *SocketScreen) Show(f Frame) { s.canvas.set(f) }

// Placeholder covers the peer's picture, or uncovers it.
func (s *SocketScreen) Placeholder(on bool) { s.canvas.cover(on) }

// SetPlaceholder replaces the placeholder by another one of the screen's size.
func (s *SocketScreen) SetPlaceholder(f Frame) { s.canvas.setPlaceholder(f) }

// Run serves readers until ctx ends (nil) or the socket fails.
func (s *SocketScreen) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { _ = s.listener.Close() })
	defer stop()

	waiting := make(chan net.Conn, maxWaiting)
	var admitting sync.WaitGroup
	admitting.Add(1)
	go func() {
		defer admitting.Done()
		s.admit(ctx, waiting)
	}()
	defer func() {
		cancel()
		admitting.Wait()
		for range len(waiting) {
			_ = (<-waiting).Close()
		}
	}()
	for {
		conn, err := s.listener.Accept()
		if err != nil && ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("socket screen on %s: %w", s.Addr(), err)
		}
		select {
		case waiting <- conn:
		case <-ctx.Done():
			_ = conn.Close()
		}
	}
}

// admit serves waiting connections that are our user's, until ctx ends.
func (s *SocketScreen) admit(ctx context.Context, waiting <-chan net.Conn) {
	var readers sync.WaitGroup
	defer readers.Wait()
	slots := make(chan struct{}, maxReaders)
	var told time.Time
	for {
		var conns []net.Conn
		select {
		case <-ctx.Done():
			return
		case conn := <-waiting:
			conns = append(conns, conn)
		}
		for range len(waiting) {
			conns = append(conns, <-waiting)
		}
		ours, strangers := s.tellApart(conns)
		for _, conn := range ours {
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
		if len(strangers) > 0 && time.Since(told) > refusalsPause {
			told = time.Now()
			s.log.Warn("another user's program asked for the peer's picture and was refused; if it is your OBS, start it as the user who runs costream-obs",
				"its user", strangers[0], "our user", s.user)
		}
		if len(ours) == len(conns) {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(betweenLooks):
		}
	}
}

// tellApart returns the connections that are our user's. It closes the others, and returns the users of those that are still
// open at their other end.
func (s *SocketScreen) tellApart(conns []net.Conn) (ours []net.Conn, strangers []int) {
	owners := make(map[tcpEnds]int)
	for _, look := range []func([]tcpEnds) (map[tcpEnds]int, error){askOwners, readOwners} {
		var wanted []tcpEnds
		for _, conn := range conns {
			if _, known := owners[endsOf(conn)]; !known {
				wanted = append(wanted, endsOf(conn))
			}
		}
		if len(wanted) == 0 {
			break
		}
		found, err := look(wanted)
		if err != nil {
			s.log.Warn("whose program asks for the peer's picture is not told", "err", err)
		}
		maps.Copy(owners, found)
	}
	for _, conn := range conns {
		uid, known := owners[endsOf(conn)]
		if known && uid == s.user {
			ours = append(ours, conn)
			continue
		}
		// Without lingering nothing of it stays in the kernel's table, which would grow for a minute.
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
		if known {
			strangers = append(strangers, uid)
		}
	}
	return ours, strangers
}

// endsOf are a connection's ends, as its other end sees them.
func endsOf(conn net.Conn) tcpEnds {
	from, to := conn.RemoteAddr().(*net.TCPAddr).AddrPort(), conn.LocalAddr().(*net.TCPAddr).AddrPort()
	return tcpEnds{netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), netip.AddrPortFrom(to.Addr().Unmap(), to.Port())}
}

// serve sends pictures to one reader until it disconnects, gets stuck, or ctx ends.
func (s *SocketScreen) serve(ctx context.Context, conn net.Conn) {
	defer func() { _ = conn.Close() }()
	// This also ends a write that waits for the reader.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	s.log.Debug("reader connected", "addr", conn.RemoteAddr())

	var picture []byte
	reading := openReading(conn)
	defer reading.close()
	err := s.canvas.follow(ctx, repeatEach, func() error {
		if err := reading.await(ctx); err != nil {
			return err
		}
		s.canvas.view(func(p []byte) { picture = append(picture[:0], p...) })
		_ = conn.SetWriteDeadline(time.Now().Add(stuckAfter))
		_, err := conn.Write(picture)
		return err
	})
	if err != nil && ctx.Err() == nil {
		s.log.Debug("reader gone", "addr", conn.RemoteAddr(), "err", err, "stuck", errors.Is(err, os.ErrDeadlineExceeded))
	}
}
