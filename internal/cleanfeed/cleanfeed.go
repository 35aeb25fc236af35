// SPDX-License-Identifier: Apache-2.0

// Package cleanfeed keeps a scene of ours in OBS, "To peer" or, where the user has something of that name, "To peer 2",
// that shows the programme without the peer. It is what the peer is sent: were it the programme itself, each would see
// themselves in the other's picture, and in that one the other, without end.
//
// A programme scene without the peer is nested in it as one item, and so is exact. One that shows the peer, itself or in
// a scene or group within, gets a mirror: a scene of ours with copies of all its items but the peer's, with their
// transform, order, blend mode and eye, and with the scene's filters. Scenes and groups within that show the peer get
// mirrors as well. A group always does, because OBS moves the items of a group that stands in two scenes (obs_scene's
// resize_group in its source). Show and hide transitions and the scale filter of items are not copied: obs-websocket
// has no request for them. The mirrors follow the user's edits, and the programme's switches at the start of a
// transition.
//
// Scenes that the user wants to keep from the peer are left out in the same way, see [Feed.HidePrivate].
//
// Two copies of a source do not sound twice: OBS mixes and monitors what the programme shows, and the mirrors are no
// part of it.
//
// An empty mirror or two are made ahead, so that who switches to another scene need not wait for OBS to make one.
//
// Where OBS has private scenes of ours (30.1 and later, with our script) those are used, and the user's list has none of
// ours: see [PrivateScenes].
//
// The package does not decide who the peer is or when it works, and it sends nothing.
package cleanfeed

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/costream-obs/costream-obs/obsctl"
)

// Scene is what the scene is called, unless the name is taken, that shows the programme without the peer.
const Scene = "To peer"

// PrivateScenes are the UUIDs of the private scenes that our script in OBS makes (package hotkeys). One of them is worth to
// us what a scene in the user's list is, except for OBS's virtual camera, which finds only the latter. When they are used
// up the list gets the next.
func PrivateScenes() []string {
	uuids := make([]string, 32)
	for i := range uuids {
		uuids[i] = fmt.Sprintf("c057bea0-0b5c-4e00-9d1f-%012x", i+1)
	}
	return uuids
}

// mirrorPrefix begins the names of mirrors; the name of the scene or group that they show follows.
const mirrorPrefix = Scene + ": "

// MayBeOurs reports whether a scene has a name that this package gives. The user may have given it as well: what Made has
// is ours.
func MayBeOurs(scene string) bool {
	number, numbered := strings.CutPrefix(scene, Scene+" ")
	if n, err := strconv.Atoi(number); numbered && err == nil && n > 1 {
		return true
	}
	return scene == Scene || strings.HasPrefix(scene, mirrorPrefix)
}

// OBS is the part of an obsctl.PrivateView that this package needs.
type OBS interface {
	Settle(ctx context.Context) (private bool, err error)

	Collections(ctx context.Context) (current string, all []string, err error)
	SourceActive(ctx context.Context, source string) (bool, error)

	Scenes(ctx context.Context) ([]string, error)
	ProgramScene(ctx context.Context) (string, error)
	SetProgramScene(ctx context.Context, scene string) error
	CreateScene(ctx context.Context, name string) error
	RemoveScene(ctx context.Context, name string) error

	SceneItems(ctx context.Context, scene string) ([]obsctl.SceneItem, error)
	RemoveSceneItem(ctx context.Context, scene string, id int) error

	Batch() *obsctl.Batch
	SceneList(ctx context.Context, with *obsctl.Batch) (obsctl.SceneList, error)

	PersistentData(ctx context.Context, slot string, into any) (found bool, err error)
	SetPersistentData(ctx context.Context, slot string, v any) error
}

// Feed is the clean feed of one OBS. Its methods, but for Bare, are not to be called at the same time.
type Feed struct {
	log *slog.Logger

	made     Made   // what is to be removed
	loaded   bool   // made holds what OBS remembers
	placed   bool   // it is settled where our scenes are made
	unlisted bool   // that is, in private scenes, which no list has
	cleaned  Made   // what OBS is to remember instead
	kept     string // the collection in which nothing is left to remove but what is kept
	shared   atomic.Pointer[Made]

	scene  atomic.Pointer[string]
	wanted string               // what it should be called, unless the name is taken
	taken  map[string]bool      // names that something else than a scene has
	freed  map[string]time.Time // when scenes of ours were removed: OBS keeps their names for a moment

	spares     []string  // mirrors that are empty yet
	spareAfter time.Time // none is made before

	findPeers  func(context.Context) ([]string, error)
	collection string
	canvas     obsctl.Video
	twins      twins
	peers      map[string]bool
	program    string             // the user's scene that is shown
	expected   string             // the scene that is likely to be the programme at the next look
	inner      map[string][]inner // the scenes and groups in a scene or group when it was looked at last
	air        map[string]scene   // what the programme shows of it, with its groups: in studio mode not what they hold now
	last       snapshot
	quietUntil time.Time

	held held

	privateOf   func(scenes []string) []string // nil where no scene is private
	tellPrivate func(scene string, known bool)
	private     atomic.Pointer[map[string]bool] // of the scenes that were there at the last look

	bare   atomic.Pointer[map[string]bool] // for Bare
	inStep func()                          // called after each time our scenes were brought in step
}

// New returns a Feed that knows no OBS yet. log may be nil.
func New(log *slog.Logger) *Feed {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	f := &Feed{log: log, wanted: Scene, freed: make(map[string]time.Time)}
	f.share()
	f.reload()
	return f
}

// Begin prepares the Feed for a new connection to OBS; it must come before anything else. peers tells the names of the
// inputs that show the peer. inStep is called after each time our scenes were brought in step, which is when Bare may
// have another answer. What is to be removed stays known.
func (f *Feed) Begin(peers func(context.Context) ([]string, error), inStep func()) {
	f.findPeers, f.inStep, f.loaded = peers, inStep, false
	f.reload()
}

// HidePrivate keeps scenes from the peer; it must come before Begin. match picks them from the user's scenes. The scene for
// the peer never shows one of them. While the programme shows one, also within another scene, the scene for the peer is
// empty. tell gets the private scene that the programme shows, "" if it shows none, after each look: before the scene for the
// peer is emptied, and after it shows something again. While the programme is not known, known is false.
func (f *Feed) HidePrivate(match func(scenes []string) []string, tell func(scene string, known bool)) {
	f.privateOf, f.tellPrivate = match, tell
}

// Private reports whether a scene is to be kept from the peer, as far as it was there at the last look. It may be called at
// any time.
func (f *Feed) Private(scene string) bool {
	private := f.private.Load()
	return private != nil && (*private)[scene]
}

// tell passes on which private scene the programme shows.
func (f *Feed) tell(scene string, known bool) {
	if f.tellPrivate != nil {
		f.tellPrivate(scene, known)
	}
}

// Want has the scene for the peer called so, unless the name is taken: OBS's virtual camera finds it by its name.
func (f *Feed) Want(scene string) { f.wanted = scene }

// Scene is what the scene for the peer is called in the scene collection that was looked at last. It may be called at
// any time.
func (f *Feed) Scene() string { return *f.scene.Load() }

// Ours reports whether this package made a scene of a scene collection, as far as it has asked OBS. It may be called at
// any time.
func (f *Feed) Ours(collection, scene string) bool { return f.shared.Load().Has(collection, scene) }

// Bare reports whether the scene for the peer may show a scene or group of the user's as it is, so that a peer who is
// shown in it now would be sent their own picture. Where nothing is known yet, any may be. It may be called at any time.
func (f *Feed) Bare(scene string) bool {
	bare := f.bare.Load()
	return bare == nil || (*bare)[scene]
}

// reload forgets what is known of a scene collection.
func (f *Feed) reload() {
	f.collection, f.kept, f.canvas, f.program = "", "", obsctl.Video{}, ""
	f.twins, f.peers, f.air, f.last = twins{}, nil, nil, snapshot{}
	f.foresee("")
	f.placed, f.unlisted, f.spares = false, false, nil
	f.taken = make(map[string]bool)
	f.name(f.wanted)
	f.bare.Store(nil)
}

// name notes what the scene for the peer is called.
func (f *Feed) name(scene string) { f.scene.Store(&scene) }
