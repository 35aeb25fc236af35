// SPDX-License-Identifier: Apache-2.0

package panel_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e/browser"
	"github.com/costream-obs/costream-obs/internal/dock"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestRealDockPage opens the page that OBS's dock opens, before costream-obs run starts. It says so, and goes on to the panel once
// that is there; an address that a crash has left behind does not mislead it.
func TestRealDockPage(t *testing.T) {
	testbed.Need(t)
	state := t.TempDir()
	if err := dock.WritePage(state, ""); err != nil {
		t.Fatal(err)
	}
	file := "file://" + dock.PagePath(state)
	p := browser.New(t, 300, 500)
	p.Open(file, file)
	p.Await("the page says that nothing runs", 10*time.Second, `document.body.innerText.includes("costream-obs run")`)
	if faults := p.Faults(); len(faults) > 0 {
		t.Errorf("the page that waits: %s", strings.Join(faults, "\n"))
	}

	panel := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
		if r.URL.Path != "/secret/" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = w.Write([]byte("<title>the panel</title>"))
	}))
	defer panel.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()

	// A crash: nobody answers there. Awaited is the page with that address, which then has to ask again.
	if err := dock.WritePage(state, gone.URL+"/secret/"); err != nil {
		t.Fatal(err)
	}
	p.Open(file, file, gone.URL+"/", panel.URL)
	testbed.Await(t, "the page asks the panel that is gone", 10*time.Second, func() error {
		for _, fault := range p.Faults() {
			if strings.Contains(fault, "ERR_CONNECTION_REFUSED") {
				return nil
			}
		}
		return errors.New("it has not asked")
	})
	if at := browser.Eval[string](p, "location.href"); at != file {
		t.Errorf("the page went to %s, where nobody answers", at)
	}
	if err := dock.WritePage(state, panel.URL+"/secret/"); err != nil {
		t.Fatal(err)
	}
	p.Await("the panel", 15*time.Second, `document.title === "the panel" && location.href === "`+panel.URL+`/secret/"`)
}
