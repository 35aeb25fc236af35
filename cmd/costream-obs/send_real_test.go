// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
)

// lastFrame is a screen that keeps what it shows: there is no loopback device where most tests run.
type lastFrame struct {
	mu      sync.Mutex
	frame   media.Frame
	covered bool
}

func (s *lastFrame) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func (s *lastFrame) Show(f media.Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frame = media.Frame{W: f.W, H: f.H, Data: append([]byte(nil), f.Data...)}
}

func (s *lastFrame) SetPlaceholder(media.Frame) {}

func (s *lastFrame) Placeholder(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.covered = on
}

// check returns an error unless the peer's picture is on show and its middle has this colour.
func (s *lastFrame) check(want color.YCbCr) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.frame.Data == nil || s.covered {
		return errors.New("no picture of the peer is on show")
	}
	w, h := s.frame.W, s.frame.H
	chroma := w * h / 4
	at := h/4*(w/2) + w/4
	got := color.YCbCr{Y: s.frame.Data[h/2*w+w/2], Cb: s.frame.Data[w*h+at], Cr: s.frame.Data[w*h+chroma+at]}
	for _, d := range []int{int(got.Y) - int(want.Y), int(got.Cb) - int(want.Cb), int(got.Cr) - int(want.Cr)} {
		if d < -6 || d > 6 {
			return fmt.Errorf("the picture's middle is %v, want about %v", got, want)
		}
	}
	return nil
}

func (s *lastFrame) checkCovered() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.covered {
		return errors.New("the placeholder is not back")
	}
	return nil
}

// start runs part until the returned function is called, which returns what it ended with.
func start(t *testing.T, part func(context.Context) error) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- part(ctx) }()
	stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(10 * time.Second):
			return errors.New("did not end within 10 s")
		}
	})
	t.Cleanup(func() { _ = stop() })
	return stop
}

// TestRealSendAndReceive lets the two commands' inner parts talk to each other: a sender that comes, goes and comes
// again, and a receiver that stays.
func TestRealSendAndReceive(t *testing.T) {
	testbed.Need(t)
	pulse := testbed.NewPulse(t)
	t.Setenv("PULSE_SERVER", pulse.Server)
	here, there, port := testbed.LoopbackAddress(t), testbed.LoopbackAddress(t), testbed.FreeUDPPorts(t, 8)
	format := media.VideoFormat{W: 320, H: 180, FPSNum: 30, FPSDen: 1}
	log := slog.New(slog.DiscardHandler)

	screen := &lastFrame{covered: true}
	stopReceiver := start(t, func(ctx context.Context) error {
		return call.Receive(ctx, call.Options{
			Link:   plainLink(link.PlainOptions{Peer: here, Listen: there, BasePort: port, Receive: true, Log: log}),
			Format: format, Log: log,
		}, screen, nil)
	})
	sender := func(pattern string) func() error {
		return start(t, func(ctx context.Context) error {
			return call.Send(ctx, call.Options{
				Link:    plainLink(link.PlainOptions{Peer: there, Listen: here, BasePort: port, Send: true, Log: log}),
				Picture: media.TestSource{Pattern: pattern, VideoFormat: format}, FrameTime: format.FrameTime(),
				BitrateKbps: 500, Microphone: testbed.Microphone, Log: log,
			})
		})
	}

	defer pulse.PlayTone(testbed.MicrophoneSink, testbed.Tone{Hz: 1000})()
	for _, picture := range []struct {
		pattern string
		colour  color.YCbCr // in BT.709 with video range
	}{
		{"red", color.YCbCr{Y: 63, Cb: 102, Cr: 240}},
		{"blue", color.YCbCr{Y: 32, Cb: 240, Cr: 118}},
	} {
		stop := sender(picture.pattern)
		testbed.Await(t, picture.pattern+" picture", 10*time.Second, func() error { return screen.check(picture.colour) })
		testbed.Await(t, "tone in the headphones", 10*time.Second, func() error {
			if level := testbed.ToneLevel(pulse.Record(testbed.Headphones+".monitor", 200*time.Millisecond), 1000); level < 0.2 {
				return fmt.Errorf("1 kHz has level %.3f, want 0.2 or more", level)
			}
			return nil
		})
		if err := stop(); err != nil {
			t.Errorf("sender: %v", err)
		}
		testbed.Await(t, "placeholder", 5*time.Second, screen.checkCovered)
	}
	if err := stopReceiver(); err != nil {
		t.Errorf("receiver: %v", err)
	}
}

// TestRealSendCannot shows what a person reads when sending cannot begin.
func TestRealSendCannot(t *testing.T) {
	testbed.Need(t)
	pulse := testbed.NewPulse(t)
	t.Setenv("PULSE_SERVER", pulse.Server)
	here, port := testbed.LoopbackAddress(t), testbed.FreeUDPPorts(t, 8)
	log := slog.New(slog.DiscardHandler)
	picture := media.TestSource{VideoFormat: media.VideoFormat{W: 320, H: 180, FPSNum: 30, FPSDen: 1}}
	sendFrom := func(ctx context.Context, microphone string) error {
		return call.Send(ctx, call.Options{
			Link:    plainLink(link.PlainOptions{Peer: here, Listen: here, BasePort: port, Send: true}),
			Picture: picture, FrameTime: picture.VideoFormat.FrameTime(), BitrateKbps: 500, Microphone: microphone, Log: log,
		})
	}

	t.Run("no such sound source", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := sendFrom(ctx, "nowhere.monitor")
		if err == nil || !strings.Contains(err.Error(), "nowhere.monitor") {
			t.Errorf("got error %v, want one with the name of the source", err)
		}
	})
	t.Run("port taken", func(t *testing.T) {
		holder, err := net.ListenPacket("udp", net.JoinHostPort(here, strconv.Itoa(port+5)))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = holder.Close() }()
		err = sendFrom(t.Context(), testbed.Microphone)
		var taken *link.PortError
		if !errors.As(err, &taken) || taken.PID != os.Getpid() {
			t.Errorf("got error %v, want one that names the port and process %d", err, os.Getpid())
		}
	})
	t.Run("device that is none", func(t *testing.T) {
		for _, test := range []struct{ device, want string }{
			{"/dev/video999", "there is no video device /dev/video999"},
			{t.TempDir(), "is not a video device"},
			{"/dev/null", "/dev/null"},
		} {
			isolate(t)
			for _, args := range [][]string{
				{"send", "-peer=" + here, "-base-port", fmt.Sprint(port), "-v4l2src_device=" + test.device, "-pulsesrc_device=" + testbed.Microphone},
				{"receive", "-peer=" + here, "-base-port", fmt.Sprint(port), "-v4l2sink_device=" + test.device},
			} {
				got := runCLI(t.Context(), args...)
				if got.Code != exitFailure || got.Stdout != "" || !strings.Contains(got.Stderr, test.want) || strings.Count(got.Stderr, "\n") != 1 {
					t.Errorf("%q: got %+v, want exit code 1 and one line with %q", args, got, test.want)
				}
			}
		}
	})
}
