// SPDX-License-Identifier: Apache-2.0

package panel_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/costream-obs/costream-obs/e2e/browser"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// sizes are those of a dock and of a window.
var sizes = [][2]int{{1200, 900}, {300, 800}}

// tooFaint lists the texts whose contrast with what is behind them is below 4.5 to 1 (WCAG 2, level AA).
const tooFaint = `(() => {
  const numbers = (c) => c.match(/[\d.]+/g).map(Number);
  const light = (c) => {
    const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = numbers(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] === 1) return c;
      if (c[3] !== 0) return null;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].filter((n) => n.nodeType === Node.TEXT_NODE).map((n) => n.textContent.trim()).join(" ").trim();
    if (!own || !e.checkVisibility() || e.closest("optgroup, noscript")) continue;
    const back = behind(e);
    if (!back) { faint.push(own + ": what is behind it is not known"); continue; }
    const [a, b] = [light(numbers(getComputedStyle(e).color)), light(back)];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) faint.push(own + ": " + contrast.toFixed(2));
  }
  return faint;
})()`

// cutOff lists the buttons whose text is wider than they are, and whether the page must be scrolled sideways.
const cutOff = `(() => {
  const cut = [...document.querySelectorAll("button, h1, h2, figcaption, dd")].filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1)
    .map((e) => e.textContent.trim());
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) cut.push("the page is " + root.scrollWidth + " px wide in a window of " + root.clientWidth);
  return cut;
})()`

// checkLooks checks the page in both sizes.
func (s *stage) checkLooks(when string) {
	s.Helper()
	for _, size := range sizes {
		s.page.Resize(size[0], size[1])
		if cut := browser.Eval[[]string](s.page, cutOff); len(cut) > 0 {
			s.Errorf("%s, at %d px, this is cut off:\n%s", when, size[0], strings.Join(cut, "\n"))
		}
		if faint := browser.Eval[[]string](s.page, tooFaint); len(faint) > 0 {
			s.Errorf("%s, at %d px, this has too little contrast:\n%s", when, size[0], strings.Join(faint, "\n"))
		}
	}
	s.faultless(when)
}

// checkAccessible checks what a screen reader is told.
func (s *stage) checkAccessible() {
	s.Helper()
	nodes := s.page.Accessible()
	for _, n := range nodes {
		switch n.Role {
		case "button", "combobox", "image", "img", "region", "heading", "link", "textbox", "checkbox":
			if n.Name == "" {
				s.Errorf("a screen reader is told of an element %q without a name", n.Role)
			}
		}
	}
	for _, want := range []browser.Node{
		{Role: "heading", Name: "On air together"},
		{Role: "button", Name: "Show friend"},
		{Role: "button", Name: "Hide friend"},
		{Role: "button", Name: "Mute friend"},
		{Role: "button", Name: "Mute me for friend"},
		{Role: "button", Name: "On a break"},
		{Role: "button", Name: "Resync"},
		{Role: "button", Name: "Go off air"},
		{Role: "button", Name: "Place"},
		{Role: "button", Name: "Put back"},
		{Role: "combobox", Name: "Place of the friend's picture"},
	} {
		if !slices.Contains(nodes, want) {
			s.Errorf("a screen reader is not told of the %s %q; it is told of:\n%v", want.Role, want.Name, nodes)
		}
	}
}

// checkCurveNames: a screen reader is told what a curve is of, with its value.
func (s *stage) checkCurveNames() {
	s.Helper()
	nodes := s.page.Accessible()
	for _, name := range []string{"Delay ", "Loss ", "Bitrate "} {
		if !slices.ContainsFunc(nodes, func(n browser.Node) bool {
			return (n.Role == "image" || n.Role == "img") && strings.HasPrefix(n.Name, name)
		}) {
			s.Errorf("a screen reader is told of no curve %q; it is told of:\n%v", name, nodes)
		}
	}
}

// focused is the id of what has the keyboard, if the page shows that.
const focused = `(() => {
  const e = document.activeElement, style = getComputedStyle(e);
  return style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2 ? e.id + " without a frame" : e.id;
})()`

// tabTo moves the keyboard to an element, as somebody without a mouse does.
func (s *stage) tabTo(id string) {
	s.Helper()
	for range 20 {
		s.page.Press("Tab")
		if browser.Eval[string](s.page, focused) == id {
			return
		}
	}
	s.Fatalf("with the Tab key one does not get to %s", id)
}

// checkKeyboard goes through the page with the keyboard alone, and uses three of its buttons and the list.
func (s *stage) checkKeyboard() {
	s.Helper()
	all := browser.Eval[[]string](s.page, `[...document.querySelectorAll("button, select, a, input")].filter((e) => e.checkVisibility()).map((e) => e.id)`)
	browser.Eval[bool](s.page, `document.activeElement.blur() || true`)
	s.tabTo(all[0])
	got := []string{all[0]}
	for range len(all) - 1 {
		s.page.Press("Tab")
		got = append(got, browser.Eval[string](s.page, focused))
	}
	if !slices.Equal(got, all) {
		s.Errorf("the Tab key goes to %q, and the page has %q", got, all)
	}

	s.tabTo("hide")
	s.page.Press("Enter")
	testbed.Await(s.T, "Bob is hidden", pictureLimit, s.hidden)
	s.done("hide")
	if at := browser.Eval[string](s.page, focused); at != "hide" {
		s.Errorf("after its use the button has lost the keyboard to %q", at)
	}
	s.tabTo("show")
	s.page.Press("Space")
	testbed.Await(s.T, "Bob is shown", pictureLimit, s.seesBob)
	s.done("show")
	s.tabTo("layout")
	before := browser.Eval[string](s.page, `document.getElementById("layout").value`)
	s.page.Press("Up") // the last one is chosen
	if after := browser.Eval[string](s.page, `document.getElementById("layout").value`); after == before {
		s.Errorf("the arrow key leaves the place at %q", before)
	}
	s.tabTo("break")
	s.page.Press("Space")
	s.awaitPressed("break", true)
	s.done("break")
	s.page.Press("Enter")
	s.awaitPressed("break", false)
	s.done("break")
	if err := s.seesBob(); err != nil {
		s.Error(fmt.Errorf("after a break by keyboard: %w", err))
	}
}
