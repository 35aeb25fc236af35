// SPDX-License-Identifier: Apache-2.0

package obsscenes

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/scenes"
)

// The colours of a peer's picture without and with a border, neither of which is in an empty scene.
var (
	magenta = color.RGBA{0xff, 0, 0xff, 0xff}
	black   = color.RGBA{A: 0xff}
)

// showPicture makes the peer source one that shows a picture, and awaits that it does.
func (s *stage) showPicture(img image.Image) {
	s.Helper()
	file := filepath.Join(s.TempDir(), "peer.png")
	f, err := os.Create(file)
	s.must(err)
	s.must(png.Encode(f, img))
	s.must(f.Close())
	s.desired.Source.Settings = map[string]any{"is_local_file": true, "local_file": file, "looping": true, "clear_on_media_end": false}
}

// awaitSize awaits that the peer source has a picture of that size.
func (s *stage) awaitSize(want image.Point) {
	s.Helper()
	testbed.Await(s, "the peer's picture", 10*time.Second, func() error {
		if got := s.item(scene, "Peer").Size; got.W != want.X || got.H != want.Y {
			return fmt.Errorf("got size %v, want %v", got, want)
		}
		return nil
	})
}

// awaitSolid awaits that the peer source shows what solid makes of a picture.
func (s *stage) awaitSolid(p scenes.Picture) {
	s.Helper()
	b := p.Border
	inner := image.Rect(b.Left, b.Top, p.W-b.Right, p.H-b.Bottom)
	testbed.Await(s, "the peer's picture", 10*time.Second, func() error {
		img, err := s.tb.TryScreenshot("Peer")
		if err != nil {
			return err
		}
		if _, pure := covered(img); pure != inner || img.Bounds().Size() != image.Pt(p.W, p.H) {
			return fmt.Errorf("got %v of %v in magenta, want %v of %dx%d", pure, img.Bounds(), inner, p.W, p.H)
		}
		return nil
	})
}

// setCanvas is the user choosing another canvas.
func (s *stage) setCanvas(w, h int) {
	s.Helper()
	s.user("SetVideoSettings", testbed.D{"baseWidth": w, "baseHeight": h, "outputWidth": w &^ 3, "outputHeight": h &^ 1})
}

// solid is a picture of one colour with a black border.
func solid(w, h int, b scenes.Border) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := magenta
			if x < b.Left || x >= w-b.Right || y < b.Top || y >= h-b.Bottom {
				c = black
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

// covered returns the box around all that is not the empty scene, and the size of what is purely magenta.
func covered(img image.Image) (all, pure image.Rectangle) {
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			r, g, b, a := img.At(x, y).RGBA()
			at := image.Rect(x, y, x+1, y+1)
			if r>>8 > 8 || g>>8 > 8 || b>>8 > 8 || a>>8 < 0xf8 && a>>8 > 8 {
				all = all.Union(at)
			}
			if r>>8 > 0xf0 && g>>8 < 0x10 && b>>8 > 0xf0 {
				pure = pure.Union(at)
			}
		}
	}
	return all, pure
}

// Each layout covers exactly its pixels, on any canvas.
func TestRealLayoutExact(t *testing.T) {
	s := newStage(t)
	bare := scenes.Source{Name: "Peer"}
	pillars := scenes.Border{Left: 80, Right: 80} // 480x360
	var shown scenes.Picture
	for _, tt := range []struct {
		canvas  image.Point
		picture scenes.Picture
		layout  string
		want    image.Rectangle
	}{
		{image.Pt(640, 360), scenes.Picture{Size: scenes.Size{W: 640, H: 360}}, "pip", image.Rect(439, 243, 631, 351)},
		{image.Pt(640, 360), scenes.Picture{Size: scenes.Size{W: 640, H: 360}}, "pip top-left 25% margin 20", image.Rect(20, 20, 180, 110)},
		{image.Pt(640, 360), scenes.Picture{Size: scenes.Size{W: 640, H: 360}}, "pip top-right 111x222 margin 0 crop", image.Rect(529, 0, 640, 222)},
		{image.Pt(640, 360), scenes.Picture{Size: scenes.Size{W: 640, H: 360}}, "side-by-side", image.Rect(320, 90, 640, 270)},
		{image.Pt(640, 360), scenes.Picture{Size: scenes.Size{W: 640, H: 360}}, "side-by-side top-left crop", image.Rect(0, 0, 320, 360)},
		{image.Pt(640, 360), scenes.Picture{Size: scenes.Size{W: 640, H: 360}}, "full", image.Rect(0, 0, 640, 360)},
		{image.Pt(640, 360), scenes.Picture{Size: scenes.Size{W: 640, H: 360}, Border: pillars}, "full", image.Rect(80, 0, 560, 360)},
		{image.Pt(640, 360), scenes.Picture{Size: scenes.Size{W: 640, H: 360}, Border: pillars}, "full crop", image.Rect(0, 0, 640, 360)},
		{image.Pt(640, 360), scenes.Picture{Size: scenes.Size{W: 640, H: 360}, Border: pillars}, "pip", image.Rect(463, 225, 631, 351)},
		{image.Pt(640, 480), scenes.Picture{Size: scenes.Size{W: 640, H: 480}}, "pip bottom-left", image.Rect(12, 324, 204, 468)},
		{image.Pt(640, 480), scenes.Picture{Size: scenes.Size{W: 640, H: 480}}, "grid crop", image.Rect(326, 12, 628, 468)},
		{image.Pt(360, 640), scenes.Picture{Size: scenes.Size{W: 640, H: 360}}, "pip", image.Rect(159, 523, 351, 631)},
		{image.Pt(360, 640), scenes.Picture{Size: scenes.Size{W: 640, H: 360}}, "grid crop", image.Rect(9, 324, 351, 631)},
		{image.Pt(360, 640), scenes.Picture{Size: scenes.Size{W: 640, H: 360}}, "side-by-side crop", image.Rect(180, 0, 360, 640)},
		{image.Pt(641, 361), scenes.Picture{Size: scenes.Size{W: 640, H: 360}}, "side-by-side crop", image.Rect(320, 0, 641, 361)},
		{image.Pt(641, 361), scenes.Picture{Size: scenes.Size{W: 640, H: 360}}, "pip", image.Rect(440, 244, 632, 352)},
	} {
		name := fmt.Sprintf("%s, %v on %v", tt.layout, tt.picture, tt.canvas)
		layout, err := scenes.ParseLayout(tt.layout)
		s.must(err)
		s.setCanvas(tt.canvas.X, tt.canvas.Y)
		if tt.picture != shown { // lest OBS opens the same file again, and has no picture meanwhile
			s.showPicture(solid(tt.picture.W, tt.picture.H, tt.picture.Border))
		}
		s.desired.Picture, shown = tt.picture, tt.picture
		s.goTo(onAir)
		s.awaitSolid(tt.picture)
		_, err = scenes.Arrange(t.Context(), s.obs, bare, nil, layout)
		s.must(err)
		testbed.Await(t, "the layout "+name, 5*time.Second, func() error {
			all, pure := covered(s.tb.Screenshot(scene))
			if all != tt.want || pure != tt.want {
				return fmt.Errorf("got %v covered and %v of it fully, want %v", all, pure, tt.want)
			}
			return nil
		})
		s.goTo(onAir)
	}
}

// A layout that the user asked for is kept until the user moves the peer or restores it.
func TestRealLayoutKept(t *testing.T) {
	s := newStage(t)
	s.addScene("Two")
	bare, canvas := scenes.Source{Name: "Peer"}, scenes.Size{W: 640, H: 360}
	arrange := func(words string, patterns ...string) []scenes.Change {
		t.Helper()
		layout, err := scenes.ParseLayout(words)
		s.must(err)
		changes, err := scenes.Arrange(t.Context(), s.obs, bare, patterns, layout)
		s.must(err)
		return changes
	}
	want := func(what, scene, words string) {
		t.Helper()
		layout, err := scenes.ParseLayout(words)
		s.must(err)
		if diff := cmp.Diff(layout.Place(canvas, scenes.Picture{}), s.item(scene, "Peer").Transform); diff != "" {
			t.Fatalf("%s: transform differs (-want +got):\n%s", what, diff)
		}
	}

	// Before there is any peer, for a scene that is not in the programme.
	if changes := arrange("pip top-left", "Two"); len(changes) != 1 || changes[0].Edit.String() != `remember how the peer should look in scene "Two"` {
		t.Errorf("without a peer: got %v, want it remembered", changes)
	}
	s.goTo(onAir)
	want("as configured", scene, "pip")
	s.goTo(offAir)
	s.user("SetCurrentProgramScene", testbed.D{"sceneName": "Two"})
	s.desired.Scenes = []string{"*"}
	s.goTo(onAir)
	want("as asked for before there was a peer", "Two", "pip top-left")

	arrange("side-by-side", "*")
	for _, state := range []string{waiting, onAir, offAir, onAir} {
		s.goTo(state)
	}
	s.tb.Restart()
	s.connect()
	s.goTo(onAir)
	want("after a restart of OBS", scene, "side-by-side")
	want("after a restart of OBS", "Two", "side-by-side")
	s.desired.Layouts.Rules = []scenes.Rule{{Scenes: "Two", Layout: scenes.Layout{Shape: scenes.Full}}}
	s.goTo(onAir)
	want("against the settings", "Two", "side-by-side")

	restore := func(patterns ...string) {
		t.Helper()
		_, err := scenes.Restore(t.Context(), s.obs, bare, patterns, s.desired.Layouts)
		s.must(err)
		s.goTo(onAir)
	}
	restore()
	want("restored", "Two", "full")
	want("not restored", scene, "side-by-side")

	// By hand, then by command, then by hand again: Restore goes back to the first.
	id := s.item("Two", "Peer").ID
	move := func(x int) scenes.Transform {
		t.Helper()
		s.user("SetSceneItemTransform", testbed.D{"sceneName": "Two", "sceneItemId": id, "sceneItemTransform": testbed.D{"positionX": x}})
		return s.item("Two", "Peer").Transform
	}
	byHand := move(77)
	s.goTo(onAir)
	arrange("grid", "Two")
	s.goTo(onAir)
	want("laid out after it was moved", "Two", "grid")
	moved := move(5)
	s.goTo(onAir)
	if diff := cmp.Diff(moved, s.item("Two", "Peer").Transform); diff != "" {
		t.Errorf("moved after it was laid out: transform differs (-want +got):\n%s", diff)
	}
	restore()
	if diff := cmp.Diff(byHand, s.item("Two", "Peer").Transform); diff != "" {
		t.Errorf("restored after it was moved: transform differs (-want +got):\n%s", diff)
	}
	if _, err := scenes.Restore(t.Context(), s.obs, bare, nil, scenes.Layouts{}); !errors.Is(err, scenes.ErrNotArranged) {
		t.Errorf("restored again: got %v, want ErrNotArranged", err)
	}
}

// An item of the user's is laid out when the user says so, and goes back to its place.
func TestRealLayoutOfUsersItem(t *testing.T) {
	s := newStage(t)
	bare := scenes.Source{Name: "Peer"}
	id := s.makePeer(scene, "Peer")
	s.user("SetSceneItemTransform", testbed.D{"sceneName": scene, "sceneItemId": id, "sceneItemTransform": testbed.D{
		"positionX": 12.5, "positionY": 34, "rotation": 15, "boundsType": "OBS_BOUNDS_NONE", "scaleX": 0.5, "scaleY": 0.25, "cropLeft": 7}})
	own := s.item(scene, "Peer").Transform
	own.BoundsW, own.BoundsH = 1, 1 // OBS takes no 0 for bounds, which have no effect here.
	s.goTo(onAir)
	_, err := scenes.Arrange(t.Context(), s.obs, bare, nil, scenes.Layout{Shape: scenes.Full})
	s.must(err)
	full := scenes.Layout{Shape: scenes.Full}
	for _, state := range []string{onAir, offAir, onAir, waiting} {
		s.goTo(state)
		if diff := cmp.Diff(full.Place(scenes.Size{W: 640, H: 360}, scenes.Picture{}), s.item(scene, "Peer").Transform); diff != "" {
			t.Fatalf("%s: transform differs (-want +got):\n%s", state, diff)
		}
	}
	_, err = scenes.Restore(t.Context(), s.obs, bare, nil, scenes.Layouts{})
	s.must(err)
	s.goTo(onAir)
	if diff := cmp.Diff(own, s.item(scene, "Peer").Transform); diff != "" {
		t.Errorf("restored: transform differs (-want +got):\n%s", diff)
	}

	s.makeGroup()
	if _, err := scenes.Arrange(t.Context(), s.obs, bare, nil, full); !errors.Is(err, scenes.ErrPlaceInGroup) {
		t.Errorf("in a group: got %v, want ErrPlaceInGroup", err)
	}
}

// What the user made with the mouse in one scene is used in another: place, turn, crop, bounds and order.
func TestRealLayoutSaved(t *testing.T) {
	s := newStage(t)
	bare := scenes.Source{Name: "Peer"}
	s.addScene("Two")
	for _, sc := range []string{scene, "Two"} {
		s.user("CreateInput", testbed.D{"sceneName": sc, "inputName": "Overlay of " + sc, "inputKind": "color_source_v3"})
	}
	s.desired.Scenes = []string{"*"}
	s.goTo(onAir)
	id := s.item(scene, "Peer").ID
	s.user("SetSceneItemTransform", testbed.D{"sceneName": scene, "sceneItemId": id, "sceneItemTransform": testbed.D{
		"positionX": 12, "positionY": 34, "rotation": 15, "boundsType": "OBS_BOUNDS_SCALE_OUTER", "boundsWidth": 111, "boundsHeight": 99, "cropLeft": 7}})
	s.user("SetSceneItemIndex", testbed.D{"sceneName": scene, "sceneItemId": id, "sceneItemIndex": 0})
	s.goTo(onAir)
	byHand := s.item(scene, "Peer").Transform
	saved, err := scenes.Save(t.Context(), s.obs, bare, "")
	s.must(err)

	before := s.item("Two", "Peer").Transform
	use := func() {
		t.Helper()
		_, err := scenes.Use(t.Context(), s.obs, bare, []string{"Two"}, saved)
		s.must(err)
	}
	use()
	for _, state := range []string{onAir, waiting, offAir, onAir} {
		s.goTo(state)
	}
	if diff := cmp.Diff(byHand, s.item("Two", "Peer").Transform); diff != "" {
		t.Errorf("used in another scene: transform differs (-want +got):\n%s", diff)
	}
	s.wantItems("Two", "Peer shown", "Overlay of Two shown")
	_, err = scenes.Restore(t.Context(), s.obs, bare, []string{"Two"}, s.desired.Layouts)
	s.must(err)
	s.goTo(onAir)
	if diff := cmp.Diff(before, s.item("Two", "Peer").Transform); diff != "" {
		t.Errorf("restored: transform differs (-want +got):\n%s", diff)
	}
	s.wantItems("Two", "Overlay of Two shown", "Peer shown")

	s.setCanvas(360, 640)
	use()
	s.goTo(onAir)
	got := s.item("Two", "Peer").Transform
	want := byHand
	want.X, want.Y, want.BoundsW, want.BoundsH = 12*360./640, 34*640./360, 111*360./640, 99*640./360
	// OBS 31 and later round to the nearest half of a pixel (libobs/obs-scene.c, nudge_abs_values).
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 0.26)); diff != "" {
		t.Errorf("used on a vertical canvas: transform differs (-want +got):\n%s", diff)
	}

	s.goTo(offAir)
	if _, err := scenes.Save(t.Context(), s.obs, bare, "Two"); !errors.Is(err, scenes.ErrNotInScene) {
		t.Errorf("save from a scene without the peer: got %v, want ErrNotInScene", err)
	}
}
