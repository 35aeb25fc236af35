// SPDX-License-Identifier: Apache-2.0

package panel_test

import (
	"errors"
	"fmt"
	"image"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/e2e/browser"
	"github.com/costream-obs/costream-obs/internal/dock"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

const (
	readyLimit   = 30 * time.Second
	airLimit     = 30 * time.Second
	pictureLimit = 15 * time.Second
	voiceLimit   = 40 * time.Second
	// shownLimit is for what costream-obs knows to be on the page.
	shownLimit = 10 * time.Second
	// orderLimit is for what changes OBS, too: it waits for others that do so, and for OBS's answers.
	orderLimit = 20 * time.Second
	listen     = 3 * time.Second
)

// stage is Alice with her panel open, and Bob, who is there as soon as she goes on air.
type stage struct {
	*testing.T
	alice, bob   *e2e.Person
	aliceC, bobC *e2e.Companion
	page         *browser.Page
	origin       string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	testbed.Need(t)
	display := testbed.NewDisplay(t)
	s := &stage{T: t, alice: e2e.NewPerson(t, e2e.Alice(), display), bob: e2e.NewPerson(t, e2e.Bob(), display)}
	s.alice.PairWith(binary, s.bob)
	s.runAlice()
	s.bobC = s.bob.Run(binary, s.alice)
	s.bobC.Await(e2e.Ready, readyLimit)
	s.bob.OBS.StartStream()
	address := strings.TrimSpace(s.alice.Costream(binary, "", "panel", "--print"))
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	s.origin = at.Scheme + "://" + at.Host + "/"
	s.page = browser.New(t, 300, 800)
	s.page.Open(address, address)
	s.awaitState("ready")
	return s
}

func (s *stage) runAlice() {
	s.Helper()
	s.aliceC = s.alice.Run(binary, s.bob, "--when=manual", "--name=Alice")
	s.aliceC.Await(e2e.Ready, readyLimit)
}

func (s *stage) awaitState(state string) {
	s.Helper()
	s.page.Await("the panel says "+state, airLimit, `document.getElementById("state").dataset.state === "`+state+`"`)
}

// click presses a button, and waits until the panel says that it was done.
func (s *stage) click(id string) {
	s.Helper()
	s.page.Click("#" + id)
	s.done(id)
}

// done waits until a button's order is carried out.
func (s *stage) done(id string) {
	s.Helper()
	s.page.Await(id+" is done", orderLimit, `!document.getElementById("`+id+`").hasAttribute("aria-disabled")`)
	if said := browser.Eval[string](s.page, `document.querySelector("#said.failed")?.textContent || ""`); said != "" {
		s.Fatalf("%s: the panel says: %s", id, said)
	}
}

// awaitOn waits until the button that goes on and off air says which of the two it does.
func (s *stage) awaitOn(on bool) {
	s.Helper()
	s.page.Await(fmt.Sprintf("on air by hand: %v", on), shownLimit, fmt.Sprintf(`document.getElementById("start").dataset.on === "%v"`, on))
}

func (s *stage) awaitPressed(id string, pressed bool) {
	s.Helper()
	s.page.Await(fmt.Sprintf("%s is pressed: %v", id, pressed), shownLimit,
		fmt.Sprintf(`document.getElementById(%q).getAttribute("aria-pressed") === "%v"`, id, pressed))
}

func (s *stage) faultless(when string) {
	s.Helper()
	if faults := s.page.Faults(); len(faults) > 0 {
		s.Errorf("%s, the page's faults are:\n%s", when, strings.Join(faults, "\n"))
		s.page.ForgetFaults()
	}
}

func (s *stage) hidden() error {
	if _, err := s.alice.PeerArea(); !errors.Is(err, e2e.ErrHidden) {
		return fmt.Errorf("the friend is in the programme (%v)", err)
	}
	return nil
}

func (s *stage) seesBob() error { return s.alice.SeesPeer(s.bob) }

// corner returns nil when the friend is in the corner of Alice's canvas that the point is nearest to.
func (s *stage) corner(at image.Point) error {
	area, err := s.alice.PeerArea()
	if err != nil {
		return err
	}
	middle := area.Min.Add(area.Max).Div(2)
	if left, top := middle.X < s.alice.Width/2, middle.Y < s.alice.Height/2; left != (at.X == 0) || top != (at.Y == 0) {
		return fmt.Errorf("the friend is at %v", area)
	}
	return s.seesBob()
}

// TestRealPanel works everything on the panel and looks in both OBS what came of it.
func TestRealPanel(t *testing.T) {
	s := newStage(t)
	s.page.Await("the friend's name", shownLimit, `document.getElementById("friend").textContent === "Bob"`)

	s.click("start")
	s.aliceC.Await(e2e.OnAirWithPeer, airLimit)
	s.bobC.Await(e2e.OnAirWithPeer, airLimit)
	s.awaitState("with-peer")
	s.awaitOn(true)
	testbed.Await(t, "Alice sees Bob", pictureLimit, s.seesBob)
	for _, picture := range []string{"friend", "sent"} {
		s.page.Await("the small picture: "+picture, pictureLimit, `!document.getElementById("picture-`+picture+`").hidden`)
	}
	s.checkPictures()
	s.checkCurves()

	s.click("hide")
	testbed.Await(t, "Bob is hidden", pictureLimit, s.hidden)
	s.click("show")
	testbed.Await(t, "Bob is shown", pictureLimit, s.seesBob)

	before, err := s.alice.PeerArea()
	if err != nil {
		t.Fatal(err)
	}
	s.place("pip top-left")
	testbed.Await(t, "Bob is at the top left", pictureLimit, func() error { return s.corner(image.Pt(0, 0)) })
	s.place("pip bottom-right")
	testbed.Await(t, "Bob is at the bottom right", pictureLimit, func() error { return s.corner(image.Pt(1, 1)) })
	s.place("full")
	testbed.Await(t, "Bob covers the canvas", pictureLimit, func() error {
		if area, err := s.alice.PeerArea(); err != nil || area.Dx() < s.alice.Width*9/10 && area.Dy() < s.alice.Height*9/10 {
			return fmt.Errorf("the friend is at %v (%v)", area, err)
		}
		return nil
	})
	s.click("restore")
	testbed.Await(t, "Bob is back", pictureLimit, func() error {
		if area, err := s.alice.PeerArea(); err != nil || area != before {
			return fmt.Errorf("the friend is at %v, and was at %v (%v)", area, before, err)
		}
		return nil
	})

	s.click("mute-friend")
	s.awaitPressed("mute-friend", true)
	testbed.Await(t, "Alice does not hear Bob", voiceLimit, func() error { return s.alice.HearsNot(s.bob.Voice.Hz, listen) })
	s.click("mute-me")
	s.awaitPressed("mute-me", true)
	testbed.Await(t, "Bob does not hear Alice", voiceLimit, func() error { return s.bob.HearsNot(s.alice.Voice.Hz, listen) })
	s.checkLooks("muted")
	s.click("mute-friend")
	s.click("mute-me")
	s.awaitPressed("mute-friend", false)
	s.awaitPressed("mute-me", false)
	testbed.Await(t, "Alice hears Bob", voiceLimit, func() error { return s.alice.HearsOnly(s.bob, listen) })
	testbed.Await(t, "Bob hears Alice", voiceLimit, func() error { return s.bob.HearsOnly(s.alice, listen) })

	s.click("break")
	s.awaitPressed("break", true)
	testbed.Await(t, "Bob sees the card", pictureLimit, func() error { return s.bob.SeesCard(s.alice) })
	s.page.Await("the panel says it", shownLimit, `!document.getElementById("on-break").hidden`)
	s.checkLooks("on a break")
	s.click("break")
	s.awaitPressed("break", false)
	testbed.Await(t, "Bob sees Alice", pictureLimit, func() error { return s.bob.SeesClean(s.alice) })

	mark := s.aliceC.Mark()
	s.click("resync")
	s.aliceC.AwaitSince(mark, e2e.OnAir, airLimit)
	s.aliceC.Await(e2e.OnAirWithPeer, airLimit)
	testbed.Await(t, "Alice sees Bob again", pictureLimit, s.seesBob)
	testbed.Await(t, "Bob sees Alice again", pictureLimit, func() error { return s.bob.SeesClean(s.alice) })

	s.checkAccessible()
	s.checkCurveNames()
	s.checkLooks("on air")
	s.checkKeyboard()

	s.click("start")
	s.awaitOn(false)
	s.aliceC.Await(e2e.Ready, airLimit)
	s.bobC.Await(e2e.OnAir, airLimit)
	s.awaitState("ready")
	s.faultless("at the end")
}

// TestRealPanelAgain: costream-obs ends and starts again. The page says so, and goes on by itself. So does OBS's dock, which was
// there before both.
func TestRealPanelAgain(t *testing.T) {
	testbed.Need(t)
	alice := e2e.NewPerson(t, e2e.Alice(), testbed.NewDisplay(t))
	bob := e2e.NewPerson(t, e2e.Bob(), testbed.NewDisplay(t))
	alice.PairWith(binary, bob)
	state := stateOf(t, alice)
	if err := dock.WritePage(state, ""); err != nil {
		t.Fatal(err)
	}
	page := browser.New(t, 300, 800)
	file := "file://" + dock.PagePath(state)
	page.Open(file, file, "http://127.0.0.1:")
	page.Await("the dock waits", shownLimit, `document.body.innerText.includes("costream-obs run")`)
	if faults := page.Faults(); len(faults) > 0 {
		t.Errorf("the dock that waits: %s", strings.Join(faults, "\n"))
	}

	for i := range 2 {
		companion := alice.Run(binary, bob)
		companion.Await(e2e.Ready, readyLimit)
		page.Await(fmt.Sprintf("the panel, time %d", i+1), 20*time.Second, `document.getElementById("state")?.dataset.state === "ready"`)
		page.ForgetFaults() // It tried while nobody answered.
		text, err := os.ReadFile(dock.PagePath(state))
		if err != nil {
			t.Fatal(err)
		}
		address := strings.TrimSpace(alice.Costream(binary, "", "panel", "--print"))
		if !strings.Contains(string(text), address) {
			t.Errorf("the dock's page does not lead to %s", address)
		}
		companion.Stop()
		page.Await("the page says that nothing runs", 20*time.Second, `!document.getElementById("gone").hidden`)
		if text, err = os.ReadFile(dock.PagePath(state)); err != nil || strings.Contains(string(text), address) {
			t.Errorf("the dock's page still leads to a panel that is gone (%v)", err)
		}
	}
}

// stateDir is where a person's costream-obs keeps its files.
func stateOf(t *testing.T, p *e2e.Person) string {
	t.Helper()
	for _, pair := range p.Env() {
		if dir, is := strings.CutPrefix(pair, "XDG_STATE_HOME="); is {
			return filepath.Join(dir, "costream-obs")
		}
	}
	t.Fatal("no state directory")
	return ""
}

// place chooses a place for the friend.
func (s *stage) place(layout string) {
	s.Helper()
	browser.Eval[string](s.page, `document.getElementById("layout").value = "`+layout+`"`)
	s.click("place")
}

// checkPictures looks at the colours of the small pictures: Bob's programme, and Alice's without Bob.
func (s *stage) checkPictures() {
	s.Helper()
	for _, shows := range []struct {
		picture string
		colours e2e.Colours
	}{{"friend", s.bob.Colours}, {"sent", s.alice.Colours}} {
		testbed.Await(s.T, "the small picture: "+shows.picture, pictureLimit, func() error {
			img, err := s.page.Picture("#picture-" + shows.picture)
			if err != nil {
				return err
			}
			return e2e.CheckColours(img, img.Bounds(), shows.colours)
		})
	}
}

// checkCurves sees that each curve grows and moves.
func (s *stage) checkCurves() {
	s.Helper()
	for _, curve := range []string{"delay", "loss", "bitrate"} {
		svg := `document.getElementById("curve-` + curve + `")`
		s.page.Await(curve+"'s curve has points", shownLimit, `Number(`+svg+`.dataset.points) >= 3`)
		points, drawn := browser.Eval[int](s.page, `Number(`+svg+`.dataset.points)`), browser.Eval[string](s.page, svg+`.querySelector("polyline").getAttribute("points")`)
		s.page.Await(curve+"'s curve moves", shownLimit,
			fmt.Sprintf(`Number(%s.dataset.points) > %d && %s.querySelector("polyline").getAttribute("points") !== %q`, svg, points, svg, drawn))
		if value := browser.Eval[string](s.page, `document.getElementById("value-`+curve+`").textContent`); !strings.ContainsAny(value, "0123456789") {
			s.Errorf("%s's value is %q", curve, value)
		}
	}
}
