// SPDX-License-Identifier: Apache-2.0

package cleanfeed

import "time"

// drawsBoth are the kinds of scene transitions that draw the new scene from their first frame to their last (obs-transitions
// 29.0.2 to 32.2.2). A stinger draws it from its transition point on; of the kinds of plugins nothing is known.
var drawsBoth = map[string]bool{
	"cut_transition": true, "fade_transition": true, "fade_to_color_transition": true,
	"swipe_transition": true, "slide_transition": true, "wipe_transition": true,
}

// holdLimit is how long pictures are held at most, if OBS does not tell that a transition has ended.
const holdLimit = 20 * time.Second

// held says whether pictures of the scene for the peer are held back.
type held struct {
	tell  func(hold bool)
	since time.Time // zero while they are not
}

func (h *held) expired() bool { return !h.since.IsZero() && time.Since(h.since) > holdLimit }

// HoldPictures has tell called with true before the scene for the peer gets sources that OBS does not draw yet, because a
// transition to them has only begun, and with false when it draws them. In between a screenshot of the scene can stop OBS
// for good, see obsctl.Version.UndrawnScreenshotHangs. tell must return when none is being taken; nil where that does not
// matter. HoldPictures must come before Begin.
func (f *Feed) HoldPictures(tell func(hold bool)) { f.held.tell = tell }

func (f *Feed) holdPictures() {
	if f.held.tell == nil || !f.held.since.IsZero() {
		return
	}
	f.held.since = time.Now()
	f.held.tell(true)
}

func (f *Feed) releasePictures() {
	if f.held.since.IsZero() {
		return
	}
	f.held.since = time.Time{}
	f.held.tell(false)
}
