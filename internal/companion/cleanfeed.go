// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/cleanfeed/camera"
	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/obsctl"
)

// cleanFeed makes and removes the scene for the peer, which is the programme without the peer.
type cleanFeed struct {
	scenes  feedScenes
	private *obsctl.PrivateScenes
	on      func() cleanfeed.OBS // OBS with private scenes
	shows   func(pid int, collection string) (scene string, err error)
	seen    *observed
	log     *slog.Logger
	chosen  bool // by the user

	onAir       bool
	camera      bool     // OBS's virtual camera outputs the scene for the peer
	cameraScene string   // its name there
	ready       bool     // the scene can be sent
	lookedIn    string   // for which scene collection that was last looked up
	listed      []string // the user's scenes, when OBS was last asked
}

// feedScenes is what cleanFeed needs of cleanfeed.Feed.
type feedScenes interface {
	Want(scene string)
	Scene() string
	Ours(collection, scene string) bool
	Bare(scene string) bool
	Sync(ctx context.Context, obs cleanfeed.OBS) error
	Remove(ctx context.Context, obs cleanfeed.OBS, keep bool) error
}

// wants reports whether the peer gets the clean feed: because of the setting, or because OBS's virtual camera outputs it.
func (f *cleanFeed) wants() bool { return f.chosen || f.camera }

// unclean reports whether OBS's virtual camera shows the programme although the peer is to get it without the peer.
func (f *cleanFeed) unclean() bool { return f.chosen && !f.camera }

// lookAtCamera finds out whether OBS's virtual camera outputs the scene for the peer. There is no request for that, so it
// reads OBS's files. The files of an OBS on another machine cannot be read.
func (f *cleanFeed) lookAtCamera() {
	scene, err := f.shows(f.seen.pid, f.seen.collection)
	if err != nil {
		f.log.Debug("what OBS's virtual camera shows cannot be seen", "error", err)
	}
	f.camera = scene != ""
	if !f.camera {
		scene = cleanfeed.Scene
	}
	f.scenes.Want(scene)
	f.cameraScene = scene
}

// cameraShows reads in OBS's files which scene its virtual camera outputs; empty means the programme.
func cameraShows(pid int, name string) (scene string, err error) {
	dir, err := collection.Of(pid, obsctl.FindOptions{})
	if err != nil {
		return "", err
	}
	return cameraShowsIn(dir, name)
}

// feedOnCamera reports whether the virtual camera of an OBS, or of the one that is not running yet, shows the scene for the
// peer in the current scene collection.
func feedOnCamera(pid int) bool {
	dir, err := collection.Of(pid, obsctl.FindOptions{})
	if pid == 0 {
		dir, err = collection.Find(obsctl.FindOptions{})
	}
	if err != nil {
		return false
	}
	scene, err := cameraShowsIn(dir, "")
	return err == nil && scene != ""
}

func cameraShowsIn(dir collection.Dir, name string) (scene string, err error) {
	file, err := dir.Open(name)
	if err != nil {
		return "", err
	}
	doc, err := file.Read()
	if err != nil {
		return "", err
	}
	return camera.Shows(doc)
}

// view is OBS as the clean feed uses it. The virtual camera finds only scenes that are in the user's list.
func (f *cleanFeed) view() cleanfeed.OBS {
	f.private.SetListed(f.camera)
	return f.on()
}

// source is the scene that the peer gets.
func (f *cleanFeed) source() obsctl.SourceID { return f.private.Source(f.scenes.Scene()) }

// errUnclean: the virtual camera's picture includes the peer.
var errUnclean = errors.New("OBS's virtual camera outputs the programme, which may include your friend: run `costream-obs setup clean-feed`")

// uncleanError says why the peer gets nothing: never the programme with the peer in it, unless the user asked for that.
type uncleanError struct{ err error }

func (e *uncleanError) Error() string {
	return fmt.Sprintf("your friend gets nothing, because OBS cannot make the scene for them: %v; costream-obs tries again, "+
		"and `costream-obs run --no-clean-feed` sends your programme as it is", e.err)
}

func (e *uncleanError) Unwrap() error { return e.err }

// prepare makes the scene for the peer before it is sent. While on air, followFeed keeps it up to date.
func (f *cleanFeed) prepare(ctx context.Context) error {
	if f.onAir {
		return nil
	}
	f.lookAtCamera()
	if !f.wants() {
		return nil
	}
	err := f.scenes.Sync(ctx, f.view())
	// The camera may output a scene of the user's that has the name of ours.
	f.camera = f.camera && (err != nil || f.scenes.Scene() == f.cameraScene)
	f.ready = err == nil
	if err != nil && f.chosen {
		return &uncleanError{err}
	}
	return err
}

// remove removes the scenes for the peer, also those of an earlier run.
func (f *cleanFeed) remove(ctx context.Context) error {
	if f.lookedIn != f.seen.collection {
		f.lookAtCamera()
		f.lookedIn = f.seen.collection
	}
	f.ready = false
	return f.scenes.Remove(ctx, f.view(), f.camera)
}

// checkProgramme warns a user who chose our scene as the programme, because the peer is not shown there.
func (f *cleanFeed) checkProgramme(context.Context) error {
	if !f.scenes.Ours(f.seen.collection, f.seen.program) {
		return nil
	}
	return fmt.Errorf("it is the scene %q, which is made for your peer: choose one of your own scenes in OBS", f.seen.program)
}

// causes reports whether an event is caused by the clean feed, or needed by it alone.
func (f *cleanFeed) causes(ev obsctl.Event) bool {
	switch e := ev.(type) {
	case obsctl.TransitionStarted, obsctl.TransitionEnded, obsctl.SceneItemsMoved, obsctl.FiltersChanged:
		return true
	case obsctl.ScenesChanged:
		if e.Names == nil {
			// When OBS quits, it may remove our scenes first.
			return !e.Removed && f.scenes.Ours(f.seen.collection, e.Scene)
		}
		listed := slices.DeleteFunc(slices.Clone(e.Names), func(name string) bool { return f.scenes.Ours(f.seen.collection, name) })
		same := slices.Equal(listed, f.listed)
		f.listed = listed
		return same
	case obsctl.SceneItemAdded:
		return f.scenes.Ours(f.seen.collection, e.Scene)
	case obsctl.SceneItemRemoved:
		return f.scenes.Ours(f.seen.collection, e.Scene)
	case obsctl.SceneItemEnabled:
		return f.scenes.Ours(f.seen.collection, e.Scene)
	}
	return false
}
