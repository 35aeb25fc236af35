// SPDX-License-Identifier: Apache-2.0

// Command demo lets two real OBS on this machine co-stream with each other, says what happens as it
// happens, measures how late each sees the other, and leaves pictures of both windows and of the panel beside them.
//
// It is what `make demo` runs. It is not a test: e2e's tests check what is only shown here.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/e2e/bench/score"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

func main() {
	costream := flag.String("costream", "build/costream-obs", "the costream-obs to show")
	out := flag.String("out", "demo", "directory for the pictures")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := demo(ctx, *costream, *out); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func demo(ctx context.Context, costream, out string) error {
	binary, err := filepath.Abs(costream)
	if err != nil {
		return err
	}
	if _, err := os.Stat(binary); err != nil {
		return fmt.Errorf("%w; build it with: make build", err)
	}
	say := newNarrator(os.Stdout)
	err = testbed.Main(ctx, say.detail, func(tb testbed.TB) {
		play(tb, say, binary, out)
	})
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted; everything it started has been stopped")
	}
	return err
}

const (
	readyLimit = 60 * time.Second
	airLimit   = 30 * time.Second
	// probes are how many changes of colour the latency is the median of.
	probes = 31
)

// play is the demo itself.
func play(tb testbed.TB, say *narrator, binary, out string) {
	say.step("Starting OBS for Alice and for Bob, each with a display, a microphone and headphones of its own")
	alice, bob := newFriend(tb, aliceLooks), newFriend(tb, bobLooks)
	say.done("Two OBS run: Alice's canvas is %s, Bob's is %s", alice.canvas(), bob.canvas())

	say.step("Alice makes an invite, Bob joins with it")
	alice.PairWith(binary, bob.Person)
	say.done("They are paired: everything between them is encrypted")

	say.step("Starting costream-obs beside each of them")
	alice.companion = alice.Run(binary, bob.Person)
	bob.companion = bob.Run(binary, alice.Person)
	alice.companion.Await(e2e.Ready, readyLimit)
	bob.companion.Await(e2e.Ready, readyLimit)
	say.done("Both are ready: OBS found, connected, microphones prepared. Nobody clicked anything")

	say.step("Alice and Bob press “Start streaming” in their OBS")
	alice.OBS.StartStream()
	bob.OBS.StartStream()
	began := time.Now()
	alice.companion.Await(e2e.OnAirWithPeer, airLimit)
	bob.companion.Await(e2e.OnAirWithPeer, airLimit)
	say.done("Both see each other %.1f s after the streams began", time.Since(began).Seconds())

	say.step("Listening: a 1 kHz tone is Alice's voice, 440 Hz is Bob's")
	testbed.Await(tb, "Bob hears Alice once", airLimit, func() error { return bob.HearsOnly(alice.Person, 3*time.Second) })
	testbed.Await(tb, "Alice hears Bob once", airLimit, func() error { return alice.HearsOnly(bob.Person, 3*time.Second) })
	say.done("Each hears the other, once, and nobody hears themselves")

	say.step("Listening to what OBS streams to the viewers of each")
	testbed.Await(tb, "Alice's viewers hear both, each once", airLimit, func() error { return alice.ChannelCarries(bob.Person, 4*time.Second) })
	testbed.Await(tb, "Bob's viewers hear both, each once", airLimit, func() error { return bob.ChannelCarries(alice.Person, 4*time.Second) })
	say.done("The viewers of each hear both voices, each once")

	say.step("Measuring: a lamp changes in one OBS; how long until the other shows it?")
	there, back := score.Quantile(alice.PictureDelays(bob.Person, probes), 0.5), score.Quantile(bob.PictureDelays(alice.Person, probes), 0.5)
	say.done("Picture latency, OBS to OBS: Alice → Bob %d ms, Bob → Alice %d ms (medians of %d)",
		there.Milliseconds(), back.Milliseconds(), probes)

	say.step("Alice opens her panel: as narrow as a dock of OBS, and as wide as a window of a browser")
	narrow, wide := alice.panel(binary, panelNarrow), alice.panel(binary, panelWide)
	say.done("The panel shows Bob's picture, what he gets, and the last two minutes")

	say.step("Taking pictures of both OBS windows and of the panel")
	alice.lockPeer()
	bob.lockPeer()
	both := sideBySide(window(alice.OBS.Display.Screenshot()), window(bob.OBS.Display.Screenshot()), narrow)
	var paths []string
	for _, picture := range []struct {
		name string
		img  image.Image
	}{{"co-stream.png", both}, {"panel-narrow.png", narrow}, {"panel-wide.png", wide}} {
		path := filepath.Join(out, picture.name)
		if err := savePicture(path, picture.img); err != nil {
			tb.Fatalf("%v", err)
		}
		paths = append(paths, path)
	}
	say.done("%s", strings.Join(paths, ", "))

	say.step("Both stop streaming")
	alice.OBS.StopStream()
	bob.OBS.StopStream()
	alice.companion.Await(e2e.Ready, airLimit)
	bob.companion.Await(e2e.Ready, airLimit)
	alice.companion.Stop()
	bob.companion.Stop()
	say.done("Both are off air, and costream-obs has restored everything in OBS")
}

func savePicture(path string, picture image.Image) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, picture), f.Close())
}
