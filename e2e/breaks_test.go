// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
)

// Alice's scenes that Bob must not see, and the colours that only they have.
const (
	secretScene = "Secret"
	secretGlob  = "Sec*"
)

var secretColours = e2e.Colours{{0xff, 0x00, 0xff, 0xff}, {0xff, 0x80, 0x00, 0xff}, {0x80, 0xff, 0x00, 0xff}, {0x00, 0xff, 0xff, 0xff}}

// addSecret gives Alice a private scene, which also stands, hidden, in her first scene, and returns its item there.
func addSecret(t *testing.T, alice *e2e.Person) (item int) {
	t.Helper()
	alice.OBS.Request("CreateScene", testbed.D{"sceneName": secretScene}, nil)
	for i, area := range e2e.Quarters(image.Pt(alice.Width, alice.Height)) {
		alice.OBS.AddPatch(secretScene, testbed.Patch{Name: fmt.Sprintf("secret %d", i+1), Colour: secretColours[i], Area: area})
	}
	alice.OBS.Request("CreateSceneItem", testbed.D{"sceneName": testbed.Scene, "sourceName": secretScene, "sceneItemEnabled": false}, nil)
	return itemOf(t, alice, testbed.Scene, secretScene)
}

// TestRealBreak: while Alice's programme shows a private scene, or she is away by order, Bob's OBS shows a card and he hears
// silence, and never sees anything of the private scene.
func TestRealBreak(t *testing.T) {
	testbed.Need(t)
	p := newFriends(t, e2e.Alice(), e2e.Bob())
	p.alice.PairWith(binary, p.bob)
	item := addSecret(t, p.alice)
	p.aliceC = p.alice.Run(binary, p.bob, "--private-scenes="+secretGlob, "--name=Alice")
	p.runBob(t)
	p.aliceC.Await(e2e.Ready, readyLimit)
	p.bobC.Await(e2e.Ready, readyLimit)
	watch := watchFor(t, p.bob, secretColours[:])
	p.goOnAir(t)
	p.awaitVoices(t)

	seesCard := func() error { return p.bob.SeesCard(p.alice) }
	onBreak := func(what string) {
		t.Helper()
		testbed.Await(t, "Bob sees Alice's card: "+what, pictureLimit, seesCard)
	}
	back := func(what string) {
		t.Helper()
		testbed.Await(t, "Bob sees Alice again: "+what, pictureLimit, func() error { return p.bob.SeesClean(p.alice) })
	}
	show := func(scene string) {
		p.alice.OBS.Request("SetCurrentProgramScene", testbed.D{"sceneName": scene}, nil)
	}
	silent := func(what string) {
		t.Helper()
		if err := p.bob.HearsNot(p.alice.Voice.Hz, listen); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	heard := func(what string) {
		t.Helper()
		testbed.Await(t, "Bob hears Alice again: "+what, voiceLimit, func() error { return p.bob.HearsOnly(p.alice, listen) })
	}
	for _, transition := range []string{"Cut", "Fade"} {
		p.alice.OBS.Request("SetCurrentSceneTransition", testbed.D{"transitionName": transition}, nil)
		show(secretScene)
		onBreak(transition)
		silent(transition)
		if err := seesCard(); err != nil {
			t.Errorf("%s, later: %v", transition, err)
		}
		show(testbed.Scene)
		back(transition)
		heard(transition)
	}
	if said := p.alice.Costream(binary, "", "doctor", "--only=obs.loop"); !strings.Contains(said, "the peer gets the programme without their own picture") {
		t.Errorf("doctor said:\n%s", said)
	}

	enable := func(enabled bool) {
		p.alice.OBS.Request("SetSceneItemEnabled", testbed.D{"sceneName": testbed.Scene, "sceneItemId": item, "sceneItemEnabled": enabled}, nil)
	}
	enable(true)
	onBreak("a private scene is shown within another one")
	if said := p.alice.Costream(binary, "", "doctor", "--only=obs.loop"); !strings.Contains(said, "you are on a break") {
		t.Errorf("doctor said:\n%s", said)
	}
	enable(false)
	back("it is hidden again")

	p.alice.OBS.Request("SetStudioModeEnabled", testbed.D{"studioModeEnabled": true}, nil)
	testbed.Await(t, "the preview", pictureLimit, func() error {
		var preview struct{ CurrentPreviewSceneName string }
		if err := p.alice.OBS.TryRequest("SetCurrentPreviewScene", testbed.D{"sceneName": secretScene}, nil); err != nil {
			return err
		}
		p.alice.OBS.Request("GetCurrentPreviewScene", nil, &preview)
		if preview.CurrentPreviewSceneName != secretScene {
			return errors.New("it is " + preview.CurrentPreviewSceneName)
		}
		return nil
	})
	heard("only the preview is private")
	back("only the preview is private")
	p.alice.OBS.Request("TriggerStudioModeTransition", nil, nil)
	onBreak("a transition in studio mode")
	p.alice.OBS.Request("SetStudioModeEnabled", testbed.D{"studioModeEnabled": false}, nil)
	onBreak("studio mode left")
	show(testbed.Scene)
	back("from studio mode")

	if said := p.alice.Costream(binary, "", "peer", "away"); !strings.Contains(said, "until `costream-obs peer back`") {
		t.Errorf("peer away said %q", said)
	}
	onBreak("by order")
	silent("by order")
	show(secretScene)
	onBreak("by order, and a private scene")
	if said := p.alice.Costream(binary, "", "peer", "back"); !strings.Contains(said, `the scene "Secret" is private`) {
		t.Errorf("peer back said %q", said)
	}
	onBreak("no order, but a private scene")
	show(testbed.Scene)
	back("from all")
	heard("from all")
	if n := watch.end(); n == 0 {
		t.Error("nobody looked")
	} else {
		t.Logf("pictures looked at by Bob: %d", n)
	}

	// On air with a private scene from the first picture on.
	p.alice.OBS.StopStream()
	p.aliceC.Await(e2e.Ready, readyLimit)
	show(secretScene)
	p.bobC.Await(e2e.OnAir, airLimit)
	testbed.Await(t, "Bob sees the placeholder", pictureLimit, func() error {
		if p.bob.SeesClean(p.alice) == nil {
			return errors.New("he sees Alice")
		}
		return nil
	})
	watch = watchFor(t, p.bob, append(secretColours[:], p.alice.Colours[:3]...))
	p.alice.Channel.AwaitListening()
	p.alice.OBS.StartStream()
	p.aliceC.Await(e2e.OnAirWithPeer, airLimit)
	onBreak("from the first picture on")
	if n := watch.end(); n == 0 {
		t.Error("nobody looked")
	}
}

// frames are all pictures that a peer gets, as they are decoded.
type frames struct {
	mu     sync.Mutex
	all    int
	secret int // with a private colour
	card   int
	open   int       // of the scene that is not private
	since  time.Time // when the first of the cards came that came last
	hidden bool      // the last was a card
}

// receiveFrames stands where a peer's costream-obs would, on the plain link, and looks at each picture that comes.
func receiveFrames(t *testing.T, from, at string, size image.Point) *frames {
	t.Helper()
	f := &frames{}
	format := media.VideoFormat{W: size.X, H: size.Y, FPSNum: 30, FPSDen: 1}
	card, err := media.NewBreakCard(format, "Alice")
	if err != nil {
		t.Fatal(err)
	}
	open := e2e.Alice().Colours
	r, err := media.NewVideoReceiver(media.VideoReceiverOptions{Format: format, Out: func(p media.Frame) { f.look(p, card, open) }})
	if err != nil {
		t.Fatal(err)
	}
	l, err := link.NewPlain(link.PlainOptions{Peer: from, Listen: at, Receive: true, Handler: link.Handler{
		RTP: func(m link.Medium, _ link.Stream, packet []byte) {
			if m == link.Video {
				r.Push(packet)
			}
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for name, run := range map[string]func(context.Context) error{"receiver": r.Run, "link": l.Run} {
		running.Add(1)
		go func() {
			defer running.Done()
			if err := run(ctx); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}()
	}
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return f
}

// look counts what a picture shows. A picture between two is neither.
func (f *frames) look(p, card media.Frame, open e2e.Colours) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all++
	near := func(c color.RGBA, x, y int) bool { return testbed.ColourDistance(colourIn(p, x, y), c) < 40 }
	opens := true
	for i, q := range e2e.Quarters(image.Pt(p.W, p.H)) {
		x, y := (q.Min.X+q.Max.X)/2, (q.Min.Y+q.Max.Y)/2
		if near(secretColours[i], x, y) {
			f.secret++
			return
		}
		opens = opens && near(open[i], x, y)
	}
	wrong := 0
	for i, luma := range p.Data[:p.W*p.H] {
		if d := int(luma) - int(card.Data[i]); d > 24 || d < -24 {
			wrong++
		}
	}
	switch {
	case opens:
		f.open++
		f.hidden = false
	case wrong < p.W*p.H/50:
		f.card++
		if !f.hidden {
			f.hidden, f.since = true, time.Now()
		}
	}
}

// colourIn is the colour of a point of a picture.
func colourIn(p media.Frame, x, y int) color.RGBA {
	chroma := p.Data[p.W*p.H:]
	at := y/2*(p.W/2) + x/2
	luma, cb, cr := float64(p.Data[y*p.W+x])-16, float64(chroma[at])-128, float64(chroma[p.W*p.H/4+at])-128
	level := func(v float64) uint8 { return uint8(max(0, min(255, v+0.5))) }
	// BT.709 in video range.
	return color.RGBA{level(1.1644*luma + 1.7927*cr), level(1.1644*luma - 0.2132*cb - 0.5329*cr), level(1.1644*luma + 2.1124*cb), 255}
}

// counts are those so far.
func (f *frames) counts() (all, secret, card, open int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.all, f.secret, f.card, f.open
}

// TestRealBreakFrames: of all pictures that Alice sends while she switches to a private scene and back many times, none shows
// anything of it.
func TestRealBreakFrames(t *testing.T) {
	testbed.Need(t)
	alice := e2e.NewPerson(t, e2e.Alice(), testbed.NewDisplay(t))
	bob := &e2e.Person{PersonOptions: e2e.Bob(), Address: testbed.LoopbackAddress(t)}
	item := addSecret(t, alice)
	f := receiveFrames(t, alice.Address, bob.Address, image.Pt(alice.Width, alice.Height))
	companion := alice.Run(binary, bob, "--private-scenes="+secretGlob, "--name=Alice")
	companion.Await(e2e.Ready, readyLimit)
	alice.Channel.AwaitListening()
	alice.OBS.StartStream()
	more := func(what string, count func() int) {
		t.Helper()
		before := count()
		testbed.Await(t, what, pictureLimit, func() error {
			if n := count() - before; n < 3 {
				return fmt.Errorf("%d pictures yet", n)
			}
			return nil
		})
	}
	card := func() int { _, _, n, _ := f.counts(); return n }
	open := func() int { _, _, _, n := f.counts(); return n }
	more("Alice's pictures", open)
	const times = 10
	for _, way := range []string{"Cut", "Fade", "nested"} {
		if way != "nested" {
			alice.OBS.Request("SetCurrentSceneTransition", testbed.D{"transitionName": way}, nil)
		}
		hide := func(private bool) {
			if way == "nested" {
				alice.OBS.Request("SetSceneItemEnabled", testbed.D{"sceneName": testbed.Scene, "sceneItemId": item, "sceneItemEnabled": private}, nil)
				return
			}
			scene := testbed.Scene
			if private {
				scene = secretScene
			}
			alice.OBS.Request("SetCurrentProgramScene", testbed.D{"sceneName": scene}, nil)
		}
		var lags []time.Duration
		for range times {
			began := time.Now()
			hide(true)
			more("the card, "+way, card)
			f.mu.Lock()
			lags = append(lags, f.since.Sub(began).Round(time.Millisecond))
			f.mu.Unlock()
			hide(false)
			more("Alice's pictures, "+way, open)
		}
		slices.Sort(lags)
		t.Logf("%s: from the switch to the first picture with the card, as decoded: median %v of %d (%v to %v)",
			way, lags[times/2], times, lags[0], lags[times-1])
		// Faster than we can follow.
		for range times {
			hide(true)
			time.Sleep(20 * time.Millisecond)
			hide(false)
			time.Sleep(20 * time.Millisecond)
		}
		more("Alice's pictures after quick switches, "+way, open)
	}
	all, secret, cards, opens := f.counts()
	t.Logf("%d pictures: %d of the open scene, %d of the card, %d with something private", all, opens, cards, secret)
	if secret > 0 {
		t.Errorf("%d of %d pictures show something of the private scene", secret, all)
	}
}
