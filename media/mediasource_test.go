// SPDX-License-Identifier: Apache-2.0

package media

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// mediaSource is a Media Source of a running OBS.
type mediaSource struct {
	obs  *testbed.OBS
	name string
}

// addMediaSource adds a Media Source that shows a screen.
func addMediaSource(obs *testbed.OBS, name string, settings map[string]any) mediaSource {
	obs.Request("CreateInput", testbed.D{"sceneName": testbed.Scene, "inputName": name,
		"inputKind": "ffmpeg_source", "inputSettings": settings}, nil)
	return mediaSource{obs, name}
}

// await waits until the source's middle has a colour, and returns how long
// that took.
func (m mediaSource) await(tb testbed.TB, c color.RGBA, limit time.Duration) time.Duration {
	tb.Helper()
	begin := time.Now()
	testbed.Await(tb, fmt.Sprintf("OBS shows %v", c), limit, func() error { return m.shows(c) })
	return time.Since(begin)
}

// shows tells whether the source's middle has a colour now. It asks for a tiny
// picture: one of the full size takes 100 ms to code.
func (m mediaSource) shows(c color.RGBA) error {
	const side = 8
	img, err := m.picture(side, side)
	if err != nil {
		return err
	}
	return testbed.CheckRegion(img, image.Rect(side/2-1, side/2-1, side/2+1, side/2+1), c, 8)
}

// picture is what the source shows now.
func (m mediaSource) picture(w, h int) (image.Image, error) {
	file, err := m.screenshot(w, h, "png", -1)
	if err != nil {
		return nil, err
	}
	return png.Decode(bytes.NewReader(file))
}

// screenshot is OBS's answer to GetSourceScreenshot.
func (m mediaSource) screenshot(w, h int, format string, quality int) ([]byte, error) {
	var answer struct{ ImageData string }
	if err := m.obs.TryRequest("GetSourceScreenshot", testbed.D{"sourceName": m.name, "imageFormat": format,
		"imageWidth": w, "imageHeight": h, "imageCompressionQuality": quality}, &answer); err != nil {
		return nil, err
	}
	_, encoded, _ := strings.Cut(answer.ImageData, "base64,")
	return base64.StdEncoding.DecodeString(encoded)
}

func TestRealMediaSource(t *testing.T) {
	testbed.Need(t)
	// An odd canvas: OBS's pictures then have the even size that we use.
	f := VideoFormat{641, 361, 25, 1}
	s, err := NewSocketScreen("127.0.0.1:0", ScreenOptions{Format: f, Placeholder: solid(f, violet)})
	if err != nil {
		t.Fatal(err)
	}
	stop := start(t, s.Run)
	even := f.Even()
	obs := testbed.StartOBS(t, testbed.OBSOptions{Width: even.W, Height: even.H, FPS: f.FPSNum})
	source := addMediaSource(obs, "Peer", s.MediaSourceSettings())
	source.await(t, violet, 10*time.Second)
	s.Placeholder(false)
	s.Show(solid(f, teal))
	source.await(t, teal, 2*time.Second)

	// Our side restarts, on the same port since OBS knows no other.
	stop()
	again, err := NewSocketScreen(s.Addr().String(), ScreenOptions{Format: f, Placeholder: solid(f, orange)})
	if err != nil {
		t.Fatal(err)
	}
	start(t, again.Run)
	t.Logf("back %v after our restart", source.await(t, orange, 2*time.Second))

	// OBS restarts; it has saved the source.
	obs.Restart()
	t.Logf("back %v after OBS's restart", source.await(t, orange, 2*time.Second))
}

// BenchmarkRealMediaSource measures what OBS's Media Source makes of each kind of
// clock: the time to the first picture, the time from Show to a change seen in OBS
// (median and worst) at once and after a while, and the time to be back after our
// restart. Each kind has its turn in each of so many rounds: -benchtime=5x.
func BenchmarkRealMediaSource(b *testing.B) {
	testbed.Need(b)
	f := VideoFormat{1280, 720, 30, 1}
	clocks := []struct{ name, clock string }{
		{"fast", fastClock},
		{"counted", fmt.Sprintf("framerate=%d/%d", f.FPSNum, f.FPSDen)},
		{"wallclock", fmt.Sprintf("framerate=%d/%d use_wallclock_as_timestamps=1", f.FPSNum, f.FPSDen)},
	}
	obs := testbed.StartOBS(b, testbed.OBSOptions{Width: f.W, Height: f.H, FPS: f.FPSNum})
	for range b.N {
		for _, c := range clocks {
			benchClock(b, obs, f, c.name, c.clock)
		}
	}
	b.ReportMetric(0, "ns/op")
}

// glancePause keeps the looking from slowing down what is looked at.
const glancePause = 5 * time.Millisecond

// aWhile is how long a reader runs before its delay is measured again.
const aWhile = 20 * time.Second

func benchClock(b *testing.B, obs *testbed.OBS, f VideoFormat, name, clock string) {
	options := ScreenOptions{Format: f, Placeholder: solid(f, violet)}
	s, err := newSocketScreen("127.0.0.1:0", options, clock)
	if err != nil {
		b.Fatal(err)
	}
	stop := start(b, s.Run)
	// OBS forgets a removed source a little later, so each has its own name.
	source := addMediaSource(obs, s.Addr().String(), s.MediaSourceSettings())
	defer obs.Request("RemoveInput", testbed.D{"inputName": source.name}, nil)
	first := source.await(b, violet, 20*time.Second)
	s.Placeholder(false)
	p := &painter{screen: s, format: f}
	p.paint(teal)
	stopPeer := feed(b, f, p.show)
	atOnce := changes(b, source, p)
	sleep(b.Context(), aWhile)
	later := changes(b, source, p)
	stopPeer()
	stop()

	// Long enough for OBS to see the end and clear the picture.
	sleep(b.Context(), 500*time.Millisecond)
	again, err := newSocketScreen(s.Addr().String(), options, clock)
	if err != nil {
		b.Fatal(err)
	}
	stop = start(b, again.Run)
	back := source.await(b, violet, 15*time.Second)
	stop()
	b.Logf("%-9s first %v, delay %v, later %v, back %v", name, first.Round(time.Millisecond), atOnce, later, back.Round(time.Millisecond))
}

// painter is a peer whose picture has one colour.
type painter struct {
	screen *SocketScreen
	format VideoFormat

	mu      sync.Mutex
	picture Frame
	since   time.Time // when the screen first got the picture
}

func (p *painter) paint(c color.RGBA) {
	picture := solid(p.format, c)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.picture, p.since = picture, time.Time{}
}

func (p *painter) show() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.since.IsZero() {
		p.since = time.Now()
	}
	p.screen.Show(p.picture)
}

// age is how long ago the screen got the picture.
func (p *painter) age() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(p.since)
}

type spread struct{ median, worst time.Duration }

func (s spread) String() string {
	return fmt.Sprintf("%v (worst %v)", s.median.Round(time.Millisecond), s.worst.Round(time.Millisecond))
}

// changes returns the time from Show of another colour until it is in OBS, as far as
// screenshots tell: one is drawn when it is asked for, at the latest when it comes.
func changes(b *testing.B, source mediaSource, p *painter) spread {
	const rounds = 16 // even, so that each call ends with the colour that it did not begin with
	var took []time.Duration
	for i := range rounds {
		c := orange
		if i%2 == 1 {
			c = teal
		}
		// Anywhere between two pictures.
		sleep(b.Context(), 150*time.Millisecond+time.Duration(rand.Int64N(int64(2*p.format.FrameTime()))))
		p.paint(c)
		for begin := time.Now(); ; sleep(b.Context(), glancePause) {
			asked := time.Now()
			err := source.shows(c)
			if err == nil {
				took = append(took, p.age()-time.Since(asked)/2)
				break
			}
			if time.Since(begin) > 10*time.Second {
				b.Fatalf("no change within 10 s: %v", err)
			}
		}
	}
	slices.SortFunc(took, cmp.Compare)
	return spread{median: took[len(took)/2], worst: took[len(took)-1]}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
