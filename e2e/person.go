// SPDX-License-Identifier: Apache-2.0

// Package e2e plays two friends who stream together on one machine: each has
// a microphone and headphones, an OBS with a channel of its own, and a
// costream-obs beside it. All of it is real. The tests and the demo are built
// on it.
package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media"
)

// PersonOptions say who takes part.
type PersonOptions struct {
	Name          string
	Width, Height int
	FPS           int
	Colours       Colours
	Voice         testbed.Tone
	Preview       bool // OBS's window shows the programme
	PipeWire      bool // the sound server is PipeWire instead of PulseAudio
	Silent        bool // no sound server runs
}

// Colours are those of the four quarters of a person's programme. The peer's
// picture covers a part of the last, the lower right one.
type Colours [4]color.RGBA

// Quarters are the parts of a picture that Colours name: the upper left, the
// upper right, the lower left and the lower right one.
func Quarters(size image.Point) []image.Rectangle {
	half := size.Div(2)
	return []image.Rectangle{
		image.Rect(0, 0, half.X, half.Y),
		image.Rect(half.X, 0, size.X, half.Y),
		image.Rect(0, half.Y, half.X, size.Y),
		image.Rect(half.X, half.Y, size.X, size.Y),
	}
}

// Alice is the friend with the smaller, quicker canvas. Both canvases are small, so that two OBS without a graphics card draw in
// time on two processors of which one is busy.
func Alice() PersonOptions {
	return PersonOptions{
		Name: "Alice", Width: 480, Height: 270, FPS: 30,
		Colours: Colours{{0xd0, 0x30, 0x30, 0xff}, {0x30, 0xb0, 0x40, 0xff}, {0x30, 0x50, 0xd0, 0xff}, {0x60, 0x60, 0x60, 0xff}},
		Voice:   testbed.Tone{Hz: 1000, On: 200 * time.Millisecond, Period: time.Second},
	}
}

// Bob is the friend with the larger, slower canvas.
func Bob() PersonOptions {
	return PersonOptions{
		Name: "Bob", Width: 640, Height: 360, FPS: 25,
		Colours: Colours{{0xe0, 0xc0, 0x30, 0xff}, {0x90, 0x30, 0xa0, 0xff}, {0x20, 0xb0, 0xb0, 0xff}, {0x30, 0x30, 0x30, 0xff}},
		Voice:   testbed.Tone{Hz: 440, On: 200 * time.Millisecond, Period: time.Second},
	}
}

// Person is one of the friends, whose OBS runs and who speaks.
type Person struct {
	PersonOptions
	Address string // of 127.0.0.0/8; both friends use the same ports
	Pulse   *testbed.Pulse
	OBS     *testbed.OBS
	Channel *testbed.RTMP // what the person's viewers get

	tb     testbed.TB
	state  string // directory of costream-obs
	paired bool
}

// NewPerson starts everything but costream-obs.
func NewPerson(tb testbed.TB, o PersonOptions, display *testbed.Display) *Person {
	tb.Helper()
	p := &Person{PersonOptions: o, Address: testbed.LoopbackAddress(tb), Channel: testbed.NewRTMP(tb), tb: tb, state: tb.TempDir()}
	if o.PipeWire {
		p.Pulse = testbed.NewPipeWire(tb)
	} else {
		p.Pulse = testbed.NewPulse(tb)
	}
	if o.Silent {
		p.Pulse.Kill()
	}
	var patches []testbed.Patch
	for i, area := range Quarters(image.Pt(o.Width, o.Height)) {
		patches = append(patches, testbed.Patch{Name: p.patch(i), Colour: o.Colours[i], Area: area})
	}
	p.OBS = testbed.StartOBS(tb, testbed.OBSOptions{
		Name: o.Name + "'s OBS", Pulse: p.Pulse, Display: display,
		Width: o.Width, Height: o.Height, FPS: o.FPS, Password: "of " + o.Name, Preview: o.Preview, Patches: patches,
	})
	p.OBS.StreamTo(p.Channel)
	if !o.Silent {
		p.Pulse.PlayTone(testbed.MicrophoneSink, o.Voice)
	}
	return p
}

func (p *Person) patch(quarter int) string { return fmt.Sprintf("quarter %d", quarter+1) }

// SetColour changes one quarter of the programme.
func (p *Person) SetColour(quarter int, c color.RGBA) {
	p.tb.Helper()
	p.Colours[quarter] = c
	p.OBS.SetPatchColour(p.patch(quarter), c)
}

// Env leads a costream-obs to the person's OBS and sound server.
func (p *Person) Env() []string {
	return append(p.OBS.Env(), "XDG_STATE_HOME="+p.state, "XDG_DATA_HOME="+filepath.Join(p.state, "data"))
}

// PairWith gives the friend an invite of the person's, after which they need no addresses and no settings.
func (p *Person) PairWith(binary string, friend *Person) {
	p.tb.Helper()
	p.PairAt(binary, p.Address, friend)
}

// PairAt is PairWith for a person whom the friend reaches at another address than the person's own.
func (p *Person) PairAt(binary, address string, friend *Person) {
	p.tb.Helper()
	line := p.Costream(binary, "", "pair", "new", "--address="+address)
	friend.Costream(binary, line, "pair", "join")
	p.paired, friend.paired = true, true
}

// Costream runs the person's costream-obs to its end and returns what it prints.
func (p *Person) Costream(binary, stdin string, args ...string) string {
	p.tb.Helper()
	c := exec.CommandContext(p.tb.Context(), binary, args...)
	c.Env, c.Stdin = append(cleanEnv(), p.Env()...), strings.NewReader(stdin)
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		p.tb.Fatalf("%s's costream-obs %s: %v\n%s", p.Name, args[0], err, &stderr)
	}
	return string(out)
}

// Doctor returns what the person's doctor finds, as one line for each check: "fail audio.place: ...".
func (p *Person) Doctor(binary string, args ...string) []string {
	p.tb.Helper()
	c := exec.CommandContext(p.tb.Context(), binary, append([]string{"doctor", "--json"}, args...)...)
	c.Env = append(cleanEnv(), p.Env()...)
	out, err := c.Output()
	var report struct {
		Checks []struct{ ID, Status, Detail string }
	}
	if failed := new(exec.ExitError); err != nil && (!errors.As(err, &failed) || failed.ExitCode() != 1) {
		p.tb.Fatalf("%s's doctor: %v", p.Name, err)
	}
	if err := json.Unmarshal(out, &report); err != nil {
		p.tb.Fatalf("%s's doctor: %v\n%s", p.Name, err, out)
	}
	var lines []string
	for _, c := range report.Checks {
		lines = append(lines, fmt.Sprintf("%s %s: %s", c.Status, c.ID, c.Detail))
	}
	return lines
}

// Run starts the person's costream-obs, which goes on air with the peer when
// OBS streams.
func (p *Person) Run(binary string, peer *Person, args ...string) *Companion {
	p.tb.Helper()
	own := []string{"--listen=" + p.Address, "--peer-name=" + peer.Name, "--route=portable", "--verbose"}
	if !p.paired {
		own = append(own, "--peer="+peer.Address)
	}
	return StartCompanion(p.tb, binary, p.Name+"'s costream-obs", p.Env(), append(own, args...)...)
}

// PeerInput is the OBS input that shows the peer, unless --source-name says otherwise.
const PeerInput = "Peer"

// SeesPeer returns nil when the person's OBS shows the peer's programme as it
// is: in the peer source, and in the programme where the source is placed.
func (p *Person) SeesPeer(peer *Person) error {
	img, err := p.OBS.TryScreenshot(PeerInput)
	if err != nil {
		return fmt.Errorf("picture of the peer source: %w", err)
	}
	if err := checkProgramme(img, img.Bounds(), peer.Colours); err != nil {
		return fmt.Errorf("peer source: %w", err)
	}
	item, err := p.PeerArea()
	if err != nil {
		return err
	}
	programme, err := p.OBS.TryScreenshot(testbed.Scene)
	if err != nil {
		return err
	}
	if err := checkProgramme(programme, item, peer.Colours); err != nil {
		return fmt.Errorf("%s's programme, where the peer source is: %w", p.Name, err)
	}
	return nil
}

// SeesClean returns nil when what the peer sends is the peer's programme as it is without the person: all four quarters.
func (p *Person) SeesClean(peer *Person) error {
	img, err := p.OBS.TryScreenshot(PeerInput)
	if err != nil {
		return fmt.Errorf("picture of the peer source: %w", err)
	}
	return CheckColours(img, img.Bounds(), peer.Colours)
}

// SeesCard returns nil when what the peer sends is the card for a break, with the peer's name.
func (p *Person) SeesCard(peer *Person) error {
	img, err := p.OBS.TryScreenshot(PeerInput)
	if err != nil {
		return fmt.Errorf("picture of the peer source: %w", err)
	}
	size := img.Bounds().Size()
	card, err := media.NewBreakCard(media.VideoFormat{W: size.X, H: size.Y, FPSNum: 30, FPSDen: 1}, peer.Name)
	if err != nil {
		return err
	}
	luma := func(c color.Color) int {
		r, g, b, _ := c.RGBA()
		return 16 + 219*int(2126*r+7152*g+722*b)/(10000*0xffff)
	}
	wrong := 0
	for y := range card.H {
		for x := range card.W {
			if d := luma(img.At(x, y)) - int(card.Data[y*card.W+x]); max(d, -d) > cardTolerance {
				wrong++
			}
		}
	}
	if share := float64(wrong) / float64(card.W*card.H); share > 0.02 {
		return fmt.Errorf("%.1f %% of the picture is not as in the card", 100*share)
	}
	return nil
}

// cardTolerance is of the brightness; letters are scaled.
const cardTolerance = 24

// CheckColours compares the middle of all four quarters of an area.
func CheckColours(img image.Image, area image.Rectangle, want Colours) error {
	var errs []error
	for i, q := range Quarters(area.Size()) {
		middle := q.Inset(min(q.Dx(), q.Dy()) / 4).Add(area.Min)
		errs = append(errs, testbed.CheckRegion(img, middle, want[i], colourTolerance))
	}
	return errors.Join(errs...)
}

// colourTolerance allows for JPEG, H.264 and two conversions of colour.
const colourTolerance = 16

// checkProgramme compares the middle of three quarters of an area; the fourth
// holds the peer's peer.
func checkProgramme(img image.Image, area image.Rectangle, want Colours) error {
	var errs []error
	for i, q := range Quarters(area.Size())[:3] {
		middle := q.Inset(min(q.Dx(), q.Dy()) / 4).Add(area.Min)
		errs = append(errs, testbed.CheckRegion(img, middle, want[i], colourTolerance))
	}
	return errors.Join(errs...)
}

// ErrHidden means that the programme scene has no visible peer source.
var ErrHidden = errors.New("the peer source is not visible in the programme")

// PeerArea is where the peer source stands in the programme.
func (p *Person) PeerArea() (image.Rectangle, error) {
	items, err := p.Items(testbed.Scene)
	if err != nil {
		return image.Rectangle{}, err
	}
	i := slices.IndexFunc(items, func(it Item) bool { return it.SourceName == PeerInput && it.SceneItemEnabled })
	if i < 0 {
		return image.Rectangle{}, ErrHidden
	}
	t := items[i].SceneItemTransform
	w, h := t.Width, t.Height
	if t.BoundsType != "OBS_BOUNDS_NONE" {
		w, h = t.BoundsWidth, t.BoundsHeight
	}
	left, top := t.PositionX, t.PositionY
	// Flags of OBS: 1 left, 2 right, 4 top, 8 bottom, none the middle.
	switch {
	case t.Alignment&2 != 0:
		left -= w
	case t.Alignment&1 == 0:
		left -= w / 2
	}
	switch {
	case t.Alignment&8 != 0:
		top -= h
	case t.Alignment&4 == 0:
		top -= h / 2
	}
	return image.Rect(int(left), int(top), int(left+w), int(top+h)), nil
}

// Item is a scene item as OBS lists it.
type Item struct {
	SceneItemID        int
	SceneItemIndex     int
	SourceName         string
	SceneItemEnabled   bool
	SceneItemTransform Transform
}

// Transform is the part of an item's transform that can be compared.
type Transform struct {
	PositionX, PositionY      float64
	ScaleX, ScaleY            float64
	Width, Height             float64
	Rotation                  float64
	Alignment                 int
	BoundsType                string
	BoundsWidth, BoundsHeight float64
}

// Items lists the items of a scene, bottom first.
func (p *Person) Items(scene string) ([]Item, error) {
	var answer struct{ SceneItems []Item }
	err := p.OBS.TryRequest("GetSceneItemList", testbed.D{"sceneName": scene}, &answer)
	return answer.SceneItems, err
}

// Says runs the person's costream-obs to its end and returns what it prints, whatever its exit code.
func (p *Person) Says(binary string, args ...string) string {
	p.tb.Helper()
	c := exec.CommandContext(p.tb.Context(), binary, args...)
	c.Env = append(cleanEnv(), p.Env()...)
	out, err := c.Output()
	if failed := new(exec.ExitError); err != nil && !errors.As(err, &failed) {
		p.tb.Fatalf("%s's costream-obs %s: %v", p.Name, args[0], err)
	}
	return string(out)
}

// Tally is what the person's costream-obs says of both sides.
func (p *Person) Tally(binary string) control.Tally {
	p.tb.Helper()
	var status struct{ Tally *control.Tally }
	said := p.Says(binary, "status", "--json")
	if err := json.Unmarshal([]byte(said), &status); err != nil || status.Tally == nil {
		p.tb.Fatalf("%s's status has no tally (%v): %s", p.Name, err, said)
	}
	return *status.Tally
}
