// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"image"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// sourceWorld is an OBS, a screen and a call for the peer source. It notes what is done to them.
type sourceWorld struct {
	saidTo
	screen *scenes.Source // nil while there is none
	wants  []scenes.Desired
	report scenes.Report
	err    error // of having the scenes be as wanted
	kick   map[string]any
	dead   bool  // the source shows nothing
	unseen bool  // it is not part of the programme
	muted  bool  // the source is
	refuse error // to tell of its mute
	there  []string
}

func (w *sourceWorld) Scenes(context.Context) ([]string, error) { return w.there, nil }

func (w *sourceWorld) source(name string) (scenes.Source, bool) {
	if w.screen == nil {
		return scenes.Source{}, false
	}
	source := *w.screen
	source.Name = name
	return source, true
}

func (w *sourceWorld) size() media.VideoFormat   { return media.VideoFormat{W: 640, H: 360} }
func (w *sourceWorld) revival() map[string]any   { return w.kick }
func (w *sourceWorld) SilencePeer(silenced bool) { w.say("silent %t", silenced) }

func (w *sourceWorld) SourceActive(context.Context, string) (bool, error) { return !w.unseen, nil }

func (w *sourceWorld) Screenshot(context.Context, string, int, int, string, int) ([]byte, error) {
	if w.unseen {
		w.say("a screenshot of what OBS does not draw")
	}
	if w.dead {
		return nil, &obsctl.RequestError{Code: obsctl.CodeRequestFailed}
	}
	return nil, nil
}

func (w *sourceWorld) SetInputSettings(_ context.Context, name string, settings map[string]any, _ bool) error {
	w.say("%s reads %q", name, settings["device_id"])
	return nil
}

func (w *sourceWorld) InputMuted(context.Context, string) (bool, error) { return w.muted, w.refuse }

// newTestSource is the controller of a source that was not looked at yet.
func newTestSource(w *sourceWorld) *peerSource {
	return &peerSource{
		obs: w, screen: w, feed: &cleanFeed{scenes: new(notedScenes)}, seen: new(observed), name: "Peer", log: slog.New(slog.DiscardHandler),
		reconcile: func(_ context.Context, want scenes.Desired) (scenes.Report, error) {
			w.wants = append(w.wants, want)
			return w.report, w.err
		},
		ready: func() bool { return true }, wanted: func() bool { return true }, peer: new(atomic.Bool), area: new(atomic.Pointer[image.Rectangle]),
		wakeUp: func() { w.say("wake") }, wakeLater: func(time.Duration) { w.say("later") },
	}
}

var onDevice = scenes.Source{Kind: "v4l2_input", Settings: map[string]any{"device_id": "/dev/video11"}}

// TestShowPeer: what the scenes are asked to be on air.
func TestShowPeer(t *testing.T) {
	size := scenes.Size{W: 640, H: 360}
	part, beyond := image.Rect(80, 0, 560, 360), image.Rect(0, 0, 1280, 720)
	shown := onDevice
	shown.Name = "Peer"
	for _, tt := range []struct {
		name     string
		act      func(p *peerSource, w *sourceWorld)
		want     *scenes.Desired // nil for no look at the scenes
		usesFeed bool
	}{
		{name: "no screen yet", act: func(_ *peerSource, w *sourceWorld) { w.screen = nil }},
		{name: "our picture does not go out", act: func(p *peerSource, _ *sourceWorld) { p.ready = func() bool { return false } }},
		{name: "no peer yet", act: func(*peerSource, *sourceWorld) {}, want: &scenes.Desired{Source: shown, Present: true, Picture: scenes.Picture{Size: size}}},
		{name: "no peer yet, of another shape", act: func(p *peerSource, _ *sourceWorld) { p.area.Store(&part) },
			want: &scenes.Desired{Source: shown, Present: true, Picture: scenes.Picture{Size: size}}},
		{name: "the peer", act: func(p *peerSource, _ *sourceWorld) { p.peer.Store(true) },
			want: &scenes.Desired{Source: shown, Present: true, Visible: true, Picture: scenes.Picture{Size: size}}},
		{name: "the peer, of another shape", act: func(p *peerSource, _ *sourceWorld) { p.peer.Store(true); p.area.Store(&part) },
			want: &scenes.Desired{Source: shown, Present: true, Visible: true, Picture: scenes.Picture{Size: size, Border: scenes.Border{Left: 80, Right: 80}}}},
		{name: "a shape of another screen", act: func(p *peerSource, _ *sourceWorld) { p.peer.Store(true); p.area.Store(&beyond) },
			want: &scenes.Desired{Source: shown, Present: true, Visible: true, Picture: scenes.Picture{Size: size}}},
		{name: "with a clean feed", act: func(p *peerSource, _ *sourceWorld) { p.feed.chosen = true }, usesFeed: true,
			want: &scenes.Desired{Source: shown, Present: true, Picture: scenes.Picture{Size: size}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &sourceWorld{screen: &onDevice}
			p := newTestSource(w)
			tt.act(p, w)
			for range 2 { // the second time nothing has changed
				if err := p.show(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			var want []scenes.Desired
			if tt.want != nil {
				want = []scenes.Desired{*tt.want}
			}
			for i := range w.wants {
				if held := w.wants[i].Held != nil; held != tt.usesFeed {
					t.Errorf("the clean feed is asked: got %t, want %t", held, tt.usesFeed)
				}
				w.wants[i].Held = nil
			}
			if diff := cmp.Diff(want, w.wants); diff != "" {
				t.Errorf("scenes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLooksAtScenes: the scenes are looked at again where something has changed, or a look failed or left something to do.
func TestLooksAtScenes(t *testing.T) {
	unknown := &scenes.UnknownSceneError{Pattern: "Typo"}
	for _, tt := range []struct {
		name string
		w    sourceWorld
		act  func(p *peerSource)
		want int // looks
		err  bool
		hint bool
	}{
		{name: "nothing", act: func(*peerSource) {}, want: 1},
		{name: "something in OBS", act: func(p *peerSource) { p.seen.scenesLooked = false }, want: 2},
		{name: "the peer comes", act: func(p *peerSource) { p.peer.Store(true) }, want: 2},
		{name: "another canvas", act: func(p *peerSource) { p.seen.video.CanvasW = 1920 }, want: 2},
		{name: "held for the clean feed", w: sourceWorld{report: scenes.Report{Held: true}}, act: func(*peerSource) {}, want: 2},
		{name: "refused", w: sourceWorld{err: errors.New("no")}, act: func(*peerSource) {}, want: 2, err: true},
		{name: "a scene is unknown", w: sourceWorld{err: unknown}, act: func(*peerSource) {}, want: 1, err: true},
		{name: "a scene is unknown, and refused", w: sourceWorld{err: errors.Join(unknown, errors.New("no"))}, act: func(*peerSource) {}, want: 2, err: true},
		{name: "another programme", act: func(p *peerSource) { p.note(obsctl.ProgramScene{Name: "B"}) }, want: 1},
		{name: "a transition in studio mode", w: sourceWorld{report: scenes.Report{NeedsTransition: "A"}},
			act: func(p *peerSource) { p.note(obsctl.ProgramScene{Name: "A"}) }, want: 2, hint: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &tt.w
			w.screen = &onDevice
			p := newTestSource(w)
			for i := range 2 {
				if err := p.show(t.Context()); (err != nil) != tt.err {
					t.Errorf("got error %v, want one: %t", err, tt.err)
				}
				if i == 0 {
					tt.act(p)
				}
			}
			if len(w.wants) != tt.want || (p.hint != "") != tt.hint {
				t.Errorf("got %d looks and the hint %q; want %d, and one: %t", len(w.wants), p.hint, tt.want, tt.hint)
			}
		})
	}
}

// TestUnknownPrivateScene: a private scene that OBS does not have is told on air, too. It may be the one that must not be seen,
// with another name.
func TestUnknownPrivateScene(t *testing.T) {
	w := &sourceWorld{screen: &onDevice, there: []string{"Scene", "Bank"}}
	p := newTestSource(w)
	p.private = []string{"Bnak"}
	for range 2 { // the second time nothing has changed
		err := p.show(t.Context())
		if unknown := new(scenes.UnknownSceneError); !errors.As(err, &unknown) || !strings.Contains(err.Error(), "--private-scenes") {
			t.Errorf("got error %v, want one about the unknown private scene", err)
		}
	}
	w.there, p.seen.scenesLooked = []string{"Scene", "Bnak"}, false
	if err := p.show(t.Context()); err != nil {
		t.Errorf("after the scene was renamed: %v", err)
	}
	if len(w.wants) != 2 {
		t.Errorf("got %d looks at the scenes, want 2", len(w.wants))
	}
}

// TestHidePeer: off air the source goes, also one whose screen is gone; Over says whether the time on air has ended.
func TestHidePeer(t *testing.T) {
	for _, onAir := range []bool{false, true} {
		w := new(sourceWorld)
		p := newTestSource(w)
		p.wanted, p.input = func() bool { return onAir }, "Peer"
		if err := p.hide(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]scenes.Desired{{Source: scenes.Source{Name: "Peer"}, Over: !onAir}}, w.wants); diff != "" || p.input != "" {
			t.Errorf("on air %t: scenes (-want +got):\n%s\ninput %q", onAir, diff, p.input)
		}
	}
}

// TestDeadSourceIsRevived: a source that shows nothing for some time has its device opened again, where its kind needs that.
func TestDeadSourceIsRevived(t *testing.T) {
	for _, tt := range []struct {
		name  string
		kick  map[string]any
		input string
		dead  bool
		since time.Duration
		other bool // the programme is another scene
		want  []string
	}{
		{name: "it shows something", kick: map[string]any{"device_id": ""}, input: "Peer", since: time.Hour},
		{name: "dead just now", kick: map[string]any{"device_id": ""}, input: "Peer", dead: true, want: []string{"later"}},
		{name: "dead for some time", kick: map[string]any{"device_id": ""}, input: "Peer", dead: true, since: deadAfter,
			want: []string{`Peer reads ""`, `Peer reads "/dev/video11"`}},
		{name: "of a kind that does not die", input: "Peer", dead: true, since: deadAfter},
		{name: "not in the programme", kick: map[string]any{"device_id": ""}, input: "Peer", dead: true, since: deadAfter, other: true},
		{name: "not in OBS", kick: map[string]any{"device_id": ""}, dead: true, since: deadAfter},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &sourceWorld{screen: &onDevice, kick: tt.kick, dead: tt.dead, unseen: tt.other}
			p := newTestSource(w)
			p.input = tt.input
			if tt.since > 0 {
				p.dead = time.Now().Add(-tt.since)
			}
			if err := p.revive(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(saidTo(tt.want), w.saidTo); diff != "" {
				t.Errorf("OBS was told (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMuteOfMissingSource: a peer source that OBS does not have is no problem, and its mute counts once OBS has it.
func TestMuteOfMissingSource(t *testing.T) {
	w := &sourceWorld{muted: true, refuse: &obsctl.RequestError{Code: obsctl.CodeNotFound}}
	p := newTestSource(w)
	p.input = "Peer"
	p.begin(w)
	follow := func(want ...string) {
		t.Helper()
		if err := p.followMute(t.Context()); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(saidTo(want), w.saidTo); diff != "" {
			t.Errorf("the call was told (-want +got):\n%s", diff)
		}
	}
	follow()
	w.refuse = nil
	follow("silent true")
}

// TestMuteOfPeerSource: the peer's voice follows the mute of the source, asked for once and then told by events.
func TestMuteOfPeerSource(t *testing.T) {
	for _, tt := range []struct {
		name  string
		onAir bool
		muted bool
		err   error
		want  []string
	}{
		{name: "off air", muted: true},
		{name: "not muted", onAir: true, want: []string{"silent false", "silent true"}},
		{name: "muted", onAir: true, muted: true, want: []string{"silent true", "silent true"}},
		{name: "OBS does not tell", onAir: true, err: &obsctl.RequestError{Code: obsctl.CodeInvalidState}, want: []string{"silent true"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &sourceWorld{muted: tt.muted, refuse: tt.err}
			p := newTestSource(w)
			p.input = "Peer"
			if tt.onAir {
				p.begin(w)
			}
			for range 2 {
				if err := p.followMute(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			p.note(obsctl.MuteChanged{Input: "Peer", Muted: true})
			p.note(obsctl.MuteChanged{Input: "Music", Muted: true})
			if diff := cmp.Diff(saidTo(tt.want), w.saidTo); diff != "" {
				t.Errorf("the call was told (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAllScenesPrivate: who names every scene is told before going on air.
func TestAllScenesPrivate(t *testing.T) {
	for _, tt := range []struct {
		private []string
		want    error
	}{
		{[]string{"*"}, errAllPrivate},
		{[]string{"Scene", "B*"}, errAllPrivate},
		{[]string{"Bank"}, nil},
		{nil, nil},
	} {
		p := newTestSource(&sourceWorld{screen: &onDevice, there: []string{"Scene", "Bank"}})
		p.private = tt.private
		if err := p.checkScenes(t.Context()); err != tt.want {
			t.Errorf("%q: got %v, want %v", tt.private, err, tt.want)
		}
	}
}
