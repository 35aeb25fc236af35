// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"image"
	"image/color"
	"path/filepath"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/e2e/browser"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// looks say what a friend streams.
type looks struct {
	e2e.PersonOptions
	theme theme
	file  string
	code  []string
}

var (
	aliceLooks = looks{
		PersonOptions: withPreview(e2e.Alice(), 640, 360),
		theme:         theme{back: color.RGBA{0x1d, 0x1f, 0x2b, 0xff}, bar: color.RGBA{0xb0, 0x3a, 0x5b, 0xff}},
		file:          "gateway.go",
		code: []string{
			"// serve answers until ctx ends.",
			"func (g *Gateway) serve(ctx context.Context) error {",
			"\tfor {",
			"\t\tselect {",
			"\t\tcase <-ctx.Done():",
			"\t\t\treturn nil",
			"\t\tcase req := <-g.requests:",
			"\t\t\tif err := g.answer(req); err != nil {",
			"\t\t\t\tg.log.Warn(\"no answer\", \"error\", err)",
			"\t\t\t}",
			"\t\t}",
			"\t}",
			"}",
		},
	}
	bobLooks = looks{
		PersonOptions: withPreview(e2e.Bob(), 800, 450),
		theme:         theme{back: color.RGBA{0x12, 0x26, 0x2b, 0xff}, bar: color.RGBA{0x1f, 0x7a, 0x8c, 0xff}},
		file:          "gateway_test.go",
		code: []string{
			"func TestServe(t *testing.T) {",
			"\tg := newGateway(t)",
			"\tgot, err := g.ask(\"ping\")",
			"\tif err != nil {",
			"\t\tt.Fatalf(\"ask: %v\", err)",
			"\t}",
			"\tif want := \"pong\"; got != want {",
			"\t\tt.Errorf(\"got %q, want %q\", got, want)",
			"\t}",
			"}",
		},
	}
)

func withPreview(o e2e.PersonOptions, w, h int) e2e.PersonOptions {
	o.Width, o.Height, o.Preview = w, h, true
	return o
}

// friend is a person with a programme worth looking at.
type friend struct {
	*e2e.Person
	tb        testbed.TB
	companion *e2e.Companion
}

const codeInput = "Editor"

func newFriend(tb testbed.TB, l looks) *friend {
	f := &friend{Person: e2e.NewPerson(tb, l.PersonOptions, testbed.NewDisplay(tb)), tb: tb}
	path := filepath.Join(tb.TempDir(), l.Name+".png")
	if err := savePicture(path, l.paint()); err != nil {
		tb.Fatalf("%v", err)
	}
	f.OBS.Request("CreateInput", testbed.D{
		"sceneName": testbed.Scene, "inputName": codeInput, "inputKind": "image_source",
		"inputSettings": testbed.D{"file": path},
	}, nil)
	f.AddLamp()
	return f
}

func (f *friend) canvas() string { return fmt.Sprintf("%dx%d at %d fps", f.Width, f.Height, f.FPS) }

// lockPeer locks the peer's item: OBS selects what is new and draws handles around it otherwise.
func (f *friend) lockPeer() {
	var item struct{ SceneItemID int }
	f.OBS.Request("GetSceneItemId", testbed.D{"sceneName": testbed.Scene, "sourceName": e2e.PeerInput}, &item)
	f.OBS.Request("SetSceneItemLocked", testbed.D{"sceneName": testbed.Scene, "sceneItemId": item.SceneItemID, "sceneItemLocked": true}, nil)
}

// The widths of the panel: that of a dock, and that of a window. A picture of it is as high as what is on it, and at least as
// high as the window.
const (
	panelNarrow = 300
	panelWide   = 1200
	panelHeight = 450
)

// panel is what the friend's panel shows in a browser, once both small pictures are there.
func (f *friend) panel(binary string, width int) image.Image {
	address := strings.TrimSpace(f.Costream(binary, "", "panel", "--print"))
	page := browser.New(f.tb, width, panelHeight)
	page.Open(address, address)
	page.Await("the panel shows both pictures", panelLimit,
		`["friend", "sent"].every((whose) => !document.getElementById("picture-" + whose).hidden)`)
	return page.Screenshot()
}

// panelLimit holds for a page in a browser that has just started.
const panelLimit = 20 * time.Second
