// SPDX-License-Identifier: Apache-2.0

package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/color"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// solid returns a Frame of one colour.
func solid(f VideoFormat, c color.RGBA) Frame {
	f = f.Even()
	return frameFromRGBA(filled(f.W, f.H, c))
}

// newSocket starts a screen on a free port.
func newSocket(t testing.TB, f VideoFormat, placeholder color.RGBA) *SocketScreen {
	t.Helper()
	s, err := NewSocketScreen("127.0.0.1:0", ScreenOptions{Format: f, Placeholder: solid(f, placeholder)})
	if err != nil {
		t.Fatal(err)
	}
	start(t, s.Run)
	return s
}

// reader connects to a screen and returns the pictures that arrive.
func reader(t testing.TB, s *SocketScreen) <-chan Frame {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return framesOf(c, s.canvas.format)
}

func framesOf(r io.Reader, f VideoFormat) <-chan Frame {
	frames, put := latest[Frame]()
	go func() {
		for {
			b := make([]byte, f.FrameSize())
			if _, err := io.ReadFull(r, b); err != nil {
				return
			}
			put(Frame{Data: b, W: f.W, H: f.H})
		}
	}()
	return frames
}

func TestSocketScreenShows(t *testing.T) {
	f := VideoFormat{641, 361, 50, 1}
	s := newSocket(t, f, violet)
	first, second := reader(t, s), reader(t, s)
	steps := []struct {
		what string
		do   func()
		want color.RGBA
	}{
		{"placeholder at first", func() {}, violet},
		{"still placeholder without a picture", func() { s.Placeholder(false) }, violet},
		{"picture", func() { s.Show(solid(f, orange)) }, orange},
		{"next picture", func() { s.Show(solid(f, teal)) }, teal},
		{"another size is ignored", func() { s.Show(solid(VideoFormat{320, 180, 50, 1}, orange)) }, teal},
		{"covered", func() { s.Placeholder(true) }, violet},
		{"covered stays so", func() { s.Show(solid(f, orange)) }, violet},
		{"uncovered shows the newest", func() { s.Placeholder(false) }, orange},
		{"another placeholder does not show", func() { s.SetPlaceholder(solid(f, teal)) }, orange},
		{"covered by another placeholder", func() { s.Placeholder(true) }, teal},
		{"a placeholder of another size is ignored", func() { s.SetPlaceholder(solid(VideoFormat{320, 180, 50, 1}, orange)) }, teal},
		{"the placeholder changes while it covers", func() { s.SetPlaceholder(solid(f, violet)) }, violet},
	}
	for _, step := range steps {
		step.do()
		for i, r := range []<-chan Frame{first, second} {
			await(t, fmt.Sprintf("%s, reader %d", step.what, i), r, soon, shows(step.want))
		}
	}
}

// Each picture goes out when it comes: those that wait for the screen's own next
// repetition would take more than four times as long.
func TestSocketScreenShowsOnArrival(t *testing.T) {
	f := VideoFormat{320, 180, 2, 1}
	s := newSocket(t, f, violet)
	pictures := reader(t, s)
	s.Placeholder(false)
	colours := []color.RGBA{orange, teal}
	const count = 40
	begin := time.Now()
	for i := range count {
		s.Show(solid(f, colours[i%2]))
		await(t, "picture", pictures, soon, shows(colours[i%2]))
	}
	if each := time.Since(begin) / count; each > repeatEach/5 {
		t.Errorf("took %v for each picture, want it at once", each)
	}
}

// A reader hears of us while nothing happens, so that both sides notice when the
// other is gone.
func TestSocketScreenRepeats(t *testing.T) {
	s := newSocket(t, VideoFormat{320, 180, 30, 1}, violet)
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetReadDeadline(time.Now().Add(soon))
	begin := time.Now()
	const count = 5
	if _, err := io.ReadFull(c, make([]byte, count*s.canvas.format.FrameSize())); err != nil {
		t.Fatal(err)
	}
	if took, least := time.Since(begin), (count-2)*repeatEach; took < least {
		t.Errorf("got %d pictures in %v, want at least %v", count, took, least)
	}
}

func TestSocketScreenDropsStuckReader(t *testing.T) {
	f := VideoFormat{1280, 720, 60, 1}
	s := newSocket(t, f, violet)
	stuck, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stuck.Close() }()
	well := reader(t, s)
	await(t, "a picture beside a stuck reader", well, soon, shows(violet))
	time.Sleep(stuckAfter + time.Second) // the reader reads nothing for so long
	await(t, "a picture long after", well, soon, shows(violet))
	// What the kernel had buffered comes, then the end.
	_ = stuck.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.Copy(io.Discard, stuck); err != nil && strings.Contains(err.Error(), "timeout") {
		t.Errorf("stuck reader still connected: %v", err)
	}
}

func TestSocketScreenRefusesTooMany(t *testing.T) {
	s := newSocket(t, VideoFormat{320, 180, 30, 1}, violet)
	for range maxReaders {
		await(t, "picture", reader(t, s), soon, shows(violet))
	}
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	refused(t, c)
}

// refused checks that a connection is closed without a byte.
func refused(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
	if n, err := io.Copy(io.Discard, c); n > 0 || err != nil && strings.Contains(err.Error(), "timeout") {
		t.Errorf("got %d bytes, %v, want a closed connection", n, err)
	}
}

// Whoever is not our user sees nothing, and leaves the places to those who are: here the
// screen is that of somebody else, so that we are the strangers.
func TestSocketScreenRefusesStrangers(t *testing.T) {
	var log bytes.Buffer
	f := VideoFormat{320, 180, 30, 1}
	s, err := NewSocketScreen("127.0.0.1:0", ScreenOptions{Format: f, Placeholder: solid(f, violet),
		Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	s.user++
	stop := start(t, s.Run)
	for _, address := range []string{s.Addr().String(), strings.Replace(s.Addr().String(), "127.0.0.1", "[::ffff:127.0.0.1]", 1)} {
		for range 2 * maxReaders {
			c, err := net.Dial("tcp", address)
			if errors.Is(err, unix.ECONNRESET) {
				continue // refused before it knew that it was connected
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			refused(t, c)
		}
	}
	stop()
	if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), "another user's program") {
		t.Errorf("logged %d lines, want one about another user's program:\n%s", lines, &log)
	}
}

// While another user of the machine asks as often as it can, and keeps what it gets open,
// ours gets in.
func TestSocketScreenServesBesideAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can act for another user")
	}
	f := VideoFormat{320, 180, 30, 1}
	s := newSocket(t, f, violet)
	const nobody = 65534
	var asked atomic.Int64
	stop := start(t, func(ctx context.Context) error {
		var held [20 * maxReaders]net.Conn
		defer func() {
			for _, c := range held {
				if c != nil {
					_ = c.Close()
				}
			}
		}()
		for i := 0; ctx.Err() == nil; i = (i + 1) % len(held) {
			c, err := dialAs(nobody, s.Addr())
			asked.Add(1)
			if errors.Is(err, unix.ECONNRESET) {
				continue // refused before it knew that it was connected
			}
			if err != nil {
				return err
			}
			if held[i] != nil {
				_ = held[i].Close()
			}
			held[i] = c
			if asked.Load()%10 == 0 {
				_ = c.SetReadDeadline(time.Now().Add(soon))
				if n, err := io.Copy(io.Discard, c); n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
					return fmt.Errorf("another user got %d bytes (%w)", n, err)
				}
			}
		}
		return nil
	})
	testbed.Await(t, "the other user asks", soon, func() error {
		if n := asked.Load(); n < 200 {
			return fmt.Errorf("asked %d times", n)
		}
		return nil
	})
	begin := time.Now()
	const count = 2
	for range count {
		await(t, "picture", reader(t, s), soon, shows(violet))
	}
	t.Logf("%d readers of ours came in within %v beside %d of another user", count, time.Since(begin), asked.Load())
	stop()
}

// dialAs connects as another user.
func dialAs(uid int, to net.Addr) (net.Conn, error) {
	// The user for new files and sockets is that of the thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := unix.SetfsuidRetUid(uid)
	if err != nil {
		return nil, err
	}
	defer func() { _, _ = unix.SetfsuidRetUid(before) }()
	return net.Dial("tcp", to.String())
}

func TestSocketScreenPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, err = NewSocketScreen(l.Addr().String(), ScreenOptions{Format: VideoFormat{320, 180, 30, 1}})
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("got %v, want an error that names %s", err, l.Addr())
	}
}

// ffmpeg reads with the very options that OBS gets.
func TestSocketScreenToFFmpeg(t *testing.T) {
	for _, f := range []VideoFormat{{640, 360, 30, 1}, {641, 361, 25, 1}, {854, 480, 60, 1}, {320, 180, 30000, 1001}} {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			s := newSocket(t, f, violet)
			s.Placeholder(false)
			s.Show(solid(f, teal))
			settings := s.MediaSourceSettings()
			args := []string{"-loglevel", "error", "-f", settings["input_format"].(string)}
			for _, option := range strings.Fields(settings["ffmpeg_options"].(string)) {
				name, value, _ := strings.Cut(option, "=")
				args = append(args, "-"+name, value)
			}
			args = append(args, "-i", settings["input"].(string), "-frames:v", "10", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-")
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			var stderr bytes.Buffer
			cmd := exec.CommandContext(ctx, "ffmpeg", args...)
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil || stderr.Len() > 0 {
				t.Fatalf("ffmpeg: %v\n%s", err, &stderr)
			}
			even := f.Even()
			if len(out) != 10*even.FrameSize() {
				t.Fatalf("got %d bytes, want 10 pictures of %d", len(out), even.FrameSize())
			}
			last := Frame{Data: out[9*even.FrameSize():], W: even.W, H: even.H}
			if got := colourAt(last, 500, 500); !near(got, teal, 3) {
				t.Errorf("got %v, want %v", got, teal)
			}
		})
	}
}
