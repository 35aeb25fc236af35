// SPDX-License-Identifier: Apache-2.0

package cleanfeed

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/obsctl"
)

// A mirror of the user's scene that becomes the programme has to be made first: OBS's window takes 10 to 30 ms for a scene,
// and 5 ms go for noting it. So empty mirrors are made ahead, while nobody waits. What they mirror is noted with the next of
// them: until then they count as ours, which is what matters after a crash.
const (
	// spareName is what mirrors made ahead are called. They keep it: what a new name does to a window that has not taken
	// all in yet nobody knows.
	spareName = mirrorPrefix + "mirror"
	// spareOrigin is what they mirror before they mirror something. No scene has this name.
	spareOrigin = "\n"
	// spares is how many there should be: for a scene, and for a group or scene in it.
	spares = 2
	// calm is for how long nothing has happened when one is made.
	calm = 60 * time.Millisecond
	// spareAgain is how long none is made after OBS has refused one.
	spareAgain = 10 * time.Second
)

// takeSpare makes an empty mirror that of Origin.
type takeSpare struct{ Scene, Origin string }

// ask does nothing: the mirror is taken before anything else.
func (e takeSpare) ask(*writer) {}

func (e takeSpare) String() string { return fmt.Sprintf("mirror %q in %q", e.Origin, e.Scene) }

// take notes what an empty mirror is of now.
func (f *Feed) take(e takeSpare) {
	f.spares = slices.DeleteFunc(f.spares, func(name string) bool { return name == e.Scene })
	f.made[f.collection][e.Scene] = e.Origin
	f.share()
	f.log.Debug("clean feed", "edit", e.String())
}

// lacksSpare reports whether an empty mirror should be made. Private scenes need none made, and where each scene of the
// user's that may need a mirror has one, none is needed.
func (f *Feed) lacksSpare() bool {
	if f.unlisted || f.last.scene == "" || len(f.spares) >= spares || time.Now().Before(f.spareAfter) {
		return false
	}
	mirrors := f.made.mirrors(f.collection)
	users := 0
	for name := range f.last.taken {
		if !f.made.Has(f.collection, name) && !f.taken[name] && mirrors[name] == "" {
			users++
		}
	}
	return users > 1 || users == 1 && mirrors[f.program] != ""
}

// makeSpare makes an empty mirror.
func (f *Feed) makeSpare(ctx context.Context, obs OBS) error {
	name := spareName
	taken := func(name string) bool {
		return f.last.taken[name] || f.taken[name] || f.made.Has(f.collection, name) || time.Since(f.freed[name]) < nameLimit
	}
	for n := 2; taken(name); n++ {
		name = numbered(spareName, n)
	}
	err := f.makeScenes(ctx, obs, []makeScene{{Scene: name, Origin: spareOrigin}})
	if err == nil {
		f.spares = append(f.spares, name)
		return nil
	}
	f.spareAfter = time.Now().Add(spareAgain)
	if passes(err) {
		f.log.Debug("clean feed: no mirror was made ahead", "error", err)
		return nil
	}
	return err
}

// listedSpares are those of the empty mirrors that OBS has.
func (f *Feed) listedSpares(list obsctl.SceneList) []string {
	f.spares = slices.DeleteFunc(f.spares, func(name string) bool { return !slices.Contains(list.Names, name) })
	return slices.Clone(f.spares)
}
