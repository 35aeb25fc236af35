// SPDX-License-Identifier: Apache-2.0

package call

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/testbed/fakeencoder"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
)

// TestMain gives GStreamer an encoder that fails as a test says.
func TestMain(m *testing.M) { os.Exit(fakeencoder.Main(m)) }

// packetCounter is a link that looks at what is sent.
type packetCounter struct {
	link.Link
	mu      sync.Mutex
	sent    int
	ssrcs   map[uint32]int
	gaps    int // in the sequence numbers
	last    uint16
	at      time.Time
	longest time.Duration // without a packet
}

func (l *packetCounter) WriteRTP(_ link.Medium, p []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	seq, now := binary.BigEndian.Uint16(p[2:]), time.Now()
	if l.sent > 0 {
		if seq != l.last+1 {
			l.gaps++
		}
		l.longest = max(l.longest, now.Sub(l.at))
	}
	l.sent++
	l.ssrcs[binary.BigEndian.Uint32(p[8:])]++
	l.last, l.at = seq, now
	return nil
}

// encoderList are encoders of which the first has not failed.
type encoderList struct {
	mu      sync.Mutex
	choices []media.EncoderChoice
	failed  []string
	news    chan struct{}
}

func (e *encoderList) Choose(media.VideoFormat) media.EncoderChoice {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.choices[0]
}

func (e *encoderList) Failed(name, why string, _ media.VideoFormat) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.failed = append(e.failed, name)
	if len(e.choices) == 1 {
		return false
	}
	e.choices = e.choices[1:]
	return true
}

func (e *encoderList) News() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.news
}

// find replaces the first choice, as a trial does that ends late.
func (e *encoderList) find(better media.EncoderChoice) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.choices[0] = better
	close(e.news)
	e.news = make(chan struct{})
}

// startPicture sends a test picture until the test ends.
func startPicture(t *testing.T, encoders *encoderList) (c *Call, sent *packetCounter, replaced <-chan error) {
	t.Helper()
	sent = &packetCounter{ssrcs: make(map[uint32]int)}
	format := media.VideoFormat{W: 320, H: 180, FPSNum: 30, FPSDen: 1}
	c = newCall(Options{
		Picture: media.TestSource{Pattern: "ball", VideoFormat: format}, FrameTime: format.FrameTime(), PeerAsks: true, Encoders: encoders,
		Screen: &coveredScreen{},
	}, nil, nil)
	news := make(chan error, 4)
	c.noEncoder = func(err error) { news <- err }
	var l link.Link = sent
	c.link.Store(&l)
	runUntilEnd(t, func(ctx context.Context) {
		if err := c.runVideo(ctx, func() {}); err != nil {
			t.Error(err)
		}
	})
	return c, sent, news
}

// awaitEncoder awaits pictures of an encoder.
func awaitEncoder(t *testing.T, c *Call, name string) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		if s := c.videoSender.Load(); s != nil && s.Load().Name == name && s.Load().Frames > 5 {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%s encodes nothing", name)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// TestEncoderIsReplaced: the stream goes on, with the same SSRC and no gap in its numbers, in less than a second.
func TestEncoderIsReplaced(t *testing.T) {
	for _, behaviour := range []string{"fail=30", "hang=30"} {
		t.Run(behaviour, func(t *testing.T) {
			t.Setenv(fakeencoder.Behaviour, behaviour)
			e := &encoderList{choices: []media.EncoderChoice{{Name: fakeencoder.Name}, {Name: "x264enc"}}, news: make(chan struct{})}
			c, sent, replaced := startPicture(t, e)
			select {
			case err := <-replaced:
				var failed *media.EncoderError
				if errors.As(err, &failed) || !strings.Contains(err.Error(), fakeencoder.Name+" failed (") || !strings.Contains(err.Error(), "x264enc replaces it") {
					t.Errorf("got %q", err)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("nothing failed")
			}
			awaitEncoder(t, c, "x264enc")
			sent.mu.Lock()
			defer sent.mu.Unlock()
			t.Logf("%d packets, none for %v at most", sent.sent, sent.longest.Round(time.Millisecond))
			if len(sent.ssrcs) != 1 || sent.gaps > 0 || sent.longest > time.Second {
				t.Errorf("got %d streams, %d gaps, and no packet for %v; want one stream without a gap and less than a second", len(sent.ssrcs), sent.gaps, sent.longest)
			}
			if diff := cmp.Diff([]string{fakeencoder.Name}, e.failed); diff != "" {
				t.Errorf("failed (-want +got):\n%s", diff)
			}
		})
	}
}

// TestBetterEncoder: one that is known late replaces a provisional one.
func TestBetterEncoder(t *testing.T) {
	t.Setenv(fakeencoder.Behaviour, "")
	e := &encoderList{choices: []media.EncoderChoice{{Name: "x264enc", Provisional: true}}, news: make(chan struct{})}
	c, sent, _ := startPicture(t, e)
	awaitEncoder(t, c, "x264enc")
	e.find(media.EncoderChoice{Name: fakeencoder.Name, Why: "it passed its trial"})
	awaitEncoder(t, c, fakeencoder.Name)
	if why := *c.encoderWhy.Load(); why != "it passed its trial" {
		t.Errorf("got why %q", why)
	}
	sent.mu.Lock()
	defer sent.mu.Unlock()
	if len(sent.ssrcs) != 1 || sent.gaps > 0 || len(e.failed) > 0 {
		t.Errorf("got %d streams, %d gaps, failed %v; want one stream without a gap", len(sent.ssrcs), sent.gaps, e.failed)
	}
}
