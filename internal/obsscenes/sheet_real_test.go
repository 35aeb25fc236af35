// SPDX-License-Identifier: Apache-2.0

package obsscenes

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	xdraw "golang.org/x/image/draw"

	"github.com/costream-obs/costream-obs/internal/golden"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/scenes"
)

// sheetFile shows each layout on each canvas, as OBS draws them.
const sheetFile = "../../docs/layouts.png"

// The rows of the sheet.
var sheetLayouts = []string{
	"pip", "pip top-left 25% crop", "side-by-side", "side-by-side crop", "side-by-side top-left 35% crop",
	"full", "full crop", "grid", "grid top-left crop",
}

// sheetColumn is one canvas and the peer on it.
type sheetColumn struct {
	title   string
	canvas  image.Point
	picture scenes.Picture
}

func sheetColumns() []sheetColumn {
	wide := scenes.Picture{Size: scenes.Size{W: 640, H: 360}}
	return []sheetColumn{
		{"16:9", image.Pt(640, 360), wide},
		{"16:9, peer 4:3", image.Pt(640, 360), scenes.Picture{Size: wide.Size, Border: scenes.Border{Left: 80, Right: 80}}},
		{"4:3", image.Pt(640, 480), wide},
		{"9:16", image.Pt(360, 640), wide},
	}
}

// TestRealLayoutSheet looks whether the layouts are as docs/layouts.png shows them; with -update it takes that picture.
func TestRealLayoutSheet(t *testing.T) {
	s := newStage(t)
	own := filepath.Join(t.TempDir(), "own.png")
	item := s.user("CreateInput", testbed.D{"sceneName": scene, "inputName": "Own", "inputKind": "image_source"})["sceneItemId"]
	shots := map[[2]int]image.Image{}
	for x, c := range sheetColumns() {
		s.setCanvas(c.canvas.X, c.canvas.Y)
		// OBS 31 and later scale what is there with the canvas.
		s.user("SetSceneItemTransform", testbed.D{"sceneName": scene, "sceneItemId": item,
			"sceneItemTransform": testbed.D{"positionX": 0, "positionY": 0, "scaleX": 1, "scaleY": 1}})
		s.must(os.WriteFile(own, encode(t, ownProgramme(c.canvas)), 0o600))
		s.user("SetInputSettings", testbed.D{"inputName": "Own", "inputSettings": testbed.D{"file": ""}})
		s.user("SetInputSettings", testbed.D{"inputName": "Own", "inputSettings": testbed.D{"file": own}})
		s.showPicture(peersPicture(c.picture))
		s.desired.Picture = c.picture
		s.goTo(onAir)
		s.awaitSize(image.Pt(c.picture.W, c.picture.H))
		for y, words := range sheetLayouts {
			layout, err := scenes.ParseLayout(words)
			s.must(err)
			_, err = scenes.Arrange(t.Context(), s.obs, scenes.Source{Name: "Peer"}, nil, layout)
			s.must(err)
			shots[[2]int{x, y}] = s.settledShot()
		}
	}
	got := sheet(t, shots)
	if golden.Updating() {
		s.must(os.WriteFile(sheetFile, encode(t, got), 0o644))
		return
	}
	text, err := os.ReadFile(sheetFile)
	if err != nil {
		t.Fatalf("%v (go test with -update takes it)", err)
	}
	want, err := png.Decode(bytes.NewReader(text))
	s.must(err)
	if d := difference(want, got); d > 1 {
		file := filepath.Join(os.TempDir(), "layouts-now.png")
		s.must(os.WriteFile(file, encode(t, got), 0o600))
		t.Errorf("the layouts differ from %s by %.1f of 255 a pixel; they are in %s now (go test with -update takes them)", sheetFile, d, file)
	}
}

// settledShot is a picture of the scene, taken when two in a row are the same.
func (s *stage) settledShot() (shot image.Image) {
	s.Helper()
	testbed.Await(s, "a picture that stands still", 10*time.Second, func() error {
		before := shot
		shot = s.tb.Screenshot(scene)
		if before == nil || difference(before, shot) > 0 {
			return fmt.Errorf("it changes")
		}
		return nil
	})
	return shot
}

func encode(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// difference is the mean distance of two pictures' colours; very large if their sizes differ.
func difference(a, b image.Image) float64 {
	if a.Bounds() != b.Bounds() {
		return math.Inf(1)
	}
	var sum float64
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			ar, ag, ab, _ := a.At(x, y).RGBA()
			br, bg, bb, _ := b.At(x, y).RGBA()
			sum += math.Abs(float64(ar)-float64(br)) + math.Abs(float64(ag)-float64(bg)) + math.Abs(float64(ab)-float64(bb))
		}
	}
	return sum / 3 / 257 / float64(a.Bounds().Dx()*a.Bounds().Dy())
}

// sheet puts all pictures on one, with what they show beside and above them.
func sheet(t *testing.T, shots map[[2]int]image.Image) image.Image {
	t.Helper()
	const height, gap, head, label = 120, 12, 36, 250
	columns := sheetColumns()
	width := label
	for _, c := range columns {
		width += c.canvas.X*height/c.canvas.Y + gap
	}
	img := image.NewRGBA(image.Rect(0, 0, width, head+len(sheetLayouts)*(height+gap)))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	letters, err := opentype.Parse(goregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	face, err := opentype.NewFace(letters, &opentype.FaceOptions{Size: 15, DPI: 72})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = face.Close() }()
	write := func(x, y int, text string) {
		d := font.Drawer{Dst: img, Src: image.Black, Face: face, Dot: fixed.P(x, y)}
		d.DrawString(text)
	}
	for y, words := range sheetLayouts {
		write(gap, head+y*(height+gap)+height/2+5, words)
	}
	left := label
	for x, c := range columns {
		w := c.canvas.X * height / c.canvas.Y
		write(left, head-gap, c.title)
		for y := range sheetLayouts {
			at := image.Rect(left, head+y*(height+gap), left+w, head+y*(height+gap)+height)
			xdraw.CatmullRom.Scale(img, at, shots[[2]int{x, y}], shots[[2]int{x, y}].Bounds(), draw.Src, nil)
		}
		left += w + gap
	}
	return img
}

// disc fills a circle.
func disc(img *image.RGBA, cx, cy, radius float64, c color.RGBA) {
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			if math.Hypot(float64(x)+0.5-cx, float64(y)+0.5-cy) < radius {
				img.SetRGBA(x, y, c)
			}
		}
	}
}

// ownProgramme is a landscape that fills the canvas.
func ownProgramme(size image.Point) image.Image {
	img := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(img, img.Rect, image.NewUniform(color.RGBA{0x8e, 0xc5, 0xe8, 0xff}), image.Point{}, draw.Src)
	w, h := float64(size.X), float64(size.Y)
	unit := min(w, h)
	disc(img, w*0.3, h*0.25, unit*0.11, color.RGBA{0xff, 0xe0, 0x8a, 0xff})
	disc(img, w*0.75, h*1.25, h*0.75, color.RGBA{0x6f, 0xa8, 0x6b, 0xff})
	disc(img, w*0.1, h*1.45, h*0.85, color.RGBA{0x4c, 0x86, 0x55, 0xff})
	return img
}

// peersPicture is somebody in front of a ring that shows whether it is round, within black borders.
func peersPicture(p scenes.Picture) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, p.W, p.H))
	draw.Draw(img, img.Rect, image.Black, image.Point{}, draw.Src)
	part := image.Rect(p.Border.Left, p.Border.Top, p.W-p.Border.Right, p.H-p.Border.Bottom)
	cx, cy, unit := float64(part.Min.X+part.Max.X)/2, float64(part.Min.Y+part.Max.Y)/2, float64(part.Dy())
	draw.Draw(img, part, image.NewUniform(color.RGBA{0xd9, 0x53, 0x4f, 0xff}), image.Point{}, draw.Src)
	inner := part.Inset(8)
	draw.Draw(img, inner, image.NewUniform(color.RGBA{0x5b, 0x2a, 0x4e, 0xff}), image.Point{}, draw.Src)
	disc(img, cx, cy, unit*0.42, color.RGBA{0xf2, 0xb1, 0x6c, 0xff})
	disc(img, cx, cy, unit*0.38, color.RGBA{0x7d, 0x3c, 0x5e, 0xff})
	disc(img, cx, cy-unit*0.08, unit*0.13, color.RGBA{0xfb, 0xe9, 0xd0, 0xff})
	disc(img, cx, cy+unit*0.28, unit*0.18, color.RGBA{0xfb, 0xe9, 0xd0, 0xff})
	return img
}
