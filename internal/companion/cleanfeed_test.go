// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/obsctl"
)

// notedScenes are the scenes for the peer in an OBS where some names are taken.
type notedScenes struct {
	saidTo
	wanted string
	taken  map[string]bool // by the user's scenes
	err    error
}

func (n *notedScenes) Want(scene string)         { n.wanted = scene }
func (n *notedScenes) Ours(_, scene string) bool { return scene == n.Scene() }
func (n *notedScenes) Bare(string) bool          { return true }

func (n *notedScenes) Scene() string {
	if n.taken[n.wanted] {
		return n.wanted + " 2"
	}
	return n.wanted
}

func (n *notedScenes) Sync(context.Context, cleanfeed.OBS) error {
	n.say("make %s", n.Scene())
	return n.err
}

func (n *notedScenes) Remove(_ context.Context, _ cleanfeed.OBS, keep bool) error {
	n.say("remove %s, kept %t", n.Scene(), keep)
	return nil
}

// TestCleanFeedIsPrepared: the peer is sent the scene without the peer where the user chose that, or where OBS's virtual
// camera shows that scene.
func TestCleanFeedIsPrepared(t *testing.T) {
	const camera = "For the camera"
	failed := errors.New("no")
	for _, tt := range []struct {
		name    string
		chosen  bool
		onAir   bool
		shows   string // OBS's virtual camera
		unknown error  // what keeps us from knowing
		taken   bool   // the camera's scene is the user's own
		err     error

		wants, camera, ready bool
		done                 []string
	}{
		{name: "nobody wants it"},
		{name: "chosen", chosen: true, wants: true, ready: true, done: []string{"make " + cleanfeed.Scene}},
		{name: "chosen, and not possible", chosen: true, err: failed, wants: true, done: []string{"make " + cleanfeed.Scene}},
		{name: "chosen, and the camera is not known", chosen: true, unknown: failed, wants: true, ready: true, done: []string{"make " + cleanfeed.Scene}},
		{name: "on the camera", shows: camera, wants: true, camera: true, ready: true, done: []string{"make " + camera}},
		{name: "on the camera, and not possible", shows: camera, err: failed, wants: true, camera: true, done: []string{"make " + camera}},
		{name: "the camera shows the user's", chosen: true, shows: camera, taken: true, wants: true, ready: true, done: []string{"make " + camera + " 2"}},
		{name: "on air", chosen: true, onAir: true, wants: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := &notedScenes{taken: map[string]bool{camera: tt.taken}, err: tt.err}
			f := &cleanFeed{
				scenes: n, private: obsctl.NewPrivateScenes(nil), on: func() cleanfeed.OBS { return nil }, seen: new(observed), log: slog.New(slog.DiscardHandler),
				shows:  func(int, string) (string, error) { return tt.shows, tt.unknown },
				chosen: tt.chosen, onAir: tt.onAir,
			}
			err := f.prepare(t.Context())
			if !errors.Is(err, tt.err) {
				t.Errorf("got error %v, want %v", err, tt.err)
			}
			if unclean := new(uncleanError); errors.As(err, &unclean) != (tt.chosen && tt.err != nil) {
				t.Errorf("got error %v; want it to say how to send the programme instead: %t", err, tt.chosen)
			}
			if diff := cmp.Diff(saidTo(tt.done), n.saidTo); diff != "" {
				t.Errorf("done (-want +got):\n%s", diff)
			}
			if f.wants() != tt.wants || f.camera != tt.camera || f.ready != tt.ready {
				t.Errorf("got wanted %t, on the camera %t, ready %t; want %t, %t, %t", f.wants(), f.camera, f.ready, tt.wants, tt.camera, tt.ready)
			}
		})
	}
}

// TestCleanFeedIsRemoved: off air the scene for the peer goes, but stays for the virtual camera that shows it, which is
// looked up once for each scene collection.
func TestCleanFeedIsRemoved(t *testing.T) {
	n, looks := new(notedScenes), 0
	f := &cleanFeed{
		scenes: n, private: obsctl.NewPrivateScenes(nil), on: func() cleanfeed.OBS { return nil }, seen: new(observed), log: slog.New(slog.DiscardHandler),
		shows: func(_ int, collection string) (string, error) {
			looks++
			return map[string]string{"Evening": "Camera"}[collection], nil
		},
	}
	for _, collection := range []string{"Evening", "Evening", "Morning"} {
		f.ready, f.seen.collection = true, collection
		if err := f.remove(t.Context()); err != nil || f.ready {
			t.Errorf("got %v, ready %t", err, f.ready)
		}
	}
	want := saidTo{"remove Camera, kept true", "remove Camera, kept true", "remove " + cleanfeed.Scene + ", kept false"}
	if diff := cmp.Diff(want, n.saidTo); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
	if looks != 2 {
		t.Errorf("OBS's files were read %d times, want 2", looks)
	}
}
