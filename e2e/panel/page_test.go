// SPDX-License-Identifier: Apache-2.0

package panel_test

import (
	"bufio"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/costream-obs/costream-obs/e2e/browser"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/panel"
	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/scenes"
)

// told is a costream-obs without OBS, which says what the test says.
type told struct {
	mu     sync.Mutex
	status control.Status
	fixes  []panel.Repair
}

func (d *told) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

func (d *told) Find(context.Context, []string) []panel.Repair {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.fixes)
}

func (d *told) Do(context.Context, string) (string, error) { return "Done.", nil }

// serve serves a panel until the test ends.
func (d *told) serve(t *testing.T) (s *panel.Server, address string) {
	t.Helper()
	s = panel.New(panel.Options{
		StateDir: t.TempDir(), Repairs: d,
		Status: func() control.Status {
			d.mu.Lock()
			defer d.mu.Unlock()
			return d.status
		},
		Order: func(_ context.Context, o control.PeerOrder) (control.PeerAnswer, error) {
			return control.PeerAnswer{WaitsForOBS: o.Do == control.PeerStart}, nil
		},
		Visible: func(panel.Whose) bool { return false },
		Saved:   func() (map[string]scenes.Saved, error) { return nil, nil },
	})
	ctx, cancel := context.WithCancel(t.Context())
	started, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- s.Run(ctx, func() { close(started) }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	<-started
	return s, s.Addresses()[0]
}

// openEvents keeps a page's stream of events open, and returns once it has its place.
func openEvents(t *testing.T, address string) (leave func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"events", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Transport: &http.Transport{}}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(response.Body).ReadString('\n'); err != nil || line != "event: history\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	return func() {
		cancel()
		_ = response.Body.Close()
	}
}

// TestRealPage: a page too many says so until another is closed. The page says what costream-obs waits for, and that an order waits
// too; and a repair that is found takes the keyboard from no other.
func TestRealPage(t *testing.T) {
	testbed.Need(t)
	off := false
	d := &told{status: control.Status{Report: control.Report{State: control.Waiting, Detail: "OBS does not run"}, ByHand: &off}}
	server, address := d.serve(t)
	var leave []func()
	for range 4 {
		leave = append(leave, openEvents(t, address))
	}
	p := browser.New(t, 300, 800)
	p.Open(address, address)
	p.Await("the page says that there are too many", shownLimit,
		`!document.getElementById("full").hidden && document.getElementById("gone").hidden && document.getElementById("state").textContent === "Open too often"`)
	for _, l := range leave {
		l()
	}
	p.Await("the page has a place", shownLimit,
		`document.getElementById("full").hidden && document.getElementById("why").checkVisibility() && document.getElementById("why").textContent === "OBS does not run"`)

	p.Click("#start")
	p.Await("the order waits", shownLimit, `document.getElementById("said").textContent === "You go on air when OBS is there."`)
	p.Click("#break")
	p.Await("a break off air", shownLimit, `document.getElementById("said").textContent.startsWith("When you are on air, ")`)

	d.set(func() {
		d.status.Codes, d.status.Problems = []problem.Code{problem.Sink, problem.Panel}, []string{"sound: muted", "panel: no network"}
		d.fixes = []panel.Repair{{ID: string(problem.Panel), What: "connect"}}
	})
	server.Changed()
	p.Await("two problems, one repair", shownLimit,
		`document.getElementById("problems-count").textContent === "2 problems" && document.querySelectorAll("#problems button").length === 1`)
	browser.Eval[bool](p, `(() => {
	  const button = document.querySelector("#problems button");
	  button.focus();
	  button.kept = true;
	  window.counted = 0;
	  new MutationObserver(() => window.counted++).observe(document.getElementById("problems-count"), { childList: true, characterData: true, subtree: true });
	  return true;
	})()`)
	d.set(func() { d.fixes = append(d.fixes, panel.Repair{ID: string(problem.Sink), What: "unmute"}) })
	p.Await("two repairs", shownLimit, `document.querySelectorAll("#problems button").length === 2`)
	if kept := browser.Eval[bool](p, `document.activeElement.kept === true && document.activeElement.textContent === "Repair: connect"`); !kept {
		t.Error("a repair that was found took the keyboard from the other")
	}
	if again := browser.Eval[int](p, `window.counted`); again != 0 {
		t.Errorf("the count of the problems was told %d times more", again)
	}
	d.set(func() { d.status.Codes, d.status.Problems = d.status.Codes[1:], d.status.Problems[1:] })
	server.Changed()
	p.Await("one problem", shownLimit,
		`document.getElementById("problems-count").textContent === "1 problem" && document.querySelectorAll("#problems li").length === 1`)
	if kept := browser.Eval[bool](p, `document.activeElement.kept === true`); !kept {
		t.Error("a problem that ended took the keyboard from the other")
	}
	if faults := p.Faults(); len(faults) > 0 {
		t.Errorf("the page's faults: %s", strings.Join(faults, "\n"))
	}
}
