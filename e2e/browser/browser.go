// SPDX-License-Identifier: Apache-2.0

// Package browser opens pages in a real Chromium, works them as a person does, with keys and clicks, and watches what they do:
// errors on the console, breaches of their Content-Security-Policy, requests to other places.
//
// It is for the tests of the panel and for the demo, and for pages of our own alone: Chromium runs without its sandbox, which
// neither root nor a chroot has.
package browser

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// limit bounds what Chromium does by itself.
const limit = 30 * time.Second

// Page is a page in a Chromium of its own.
type Page struct {
	tb  testbed.TB
	ctx context.Context

	mu sync.Mutex
	// places are the beginnings of all addresses that the page may ask for.
	places []string
	faults []string
}

// New starts a Chromium with an empty page, as large as a window of that size.
func New(tb testbed.TB, width, height int) *Page {
	tb.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		tb.Fatalf("chromium is not installed; install it with: sudo apt install chromium")
	}
	p := &Page{tb: tb}
	allocator, stopAllocator := chromedp.NewRemoteAllocator(tb.Context(), start(tb), chromedp.NoModifyURL)
	ctx, stop := chromedp.NewContext(allocator, chromedp.WithErrorf(p.misread))
	p.ctx = ctx
	tb.Cleanup(func() {
		stop()
		stopAllocator()
	})
	chromedp.ListenTarget(ctx, p.take)
	// The first Run opens the page, whose life must not end with a deadline of one step.
	if err := chromedp.Run(ctx); err != nil {
		tb.Fatalf("open a page in chromium: %v", err)
	}
	p.do("watch the page", network.Enable(), log.Enable(), runtime.Enable())
	p.Resize(width, height)
	return p
}

// start starts a Chromium and returns where it takes orders. Not through chromedp, whose Chromium ends with the thread that
// started it.
func start(tb testbed.TB) (address string) {
	tb.Helper()
	profile, err := os.MkdirTemp("", "chromium")
	if err != nil {
		tb.Fatalf("%v", err)
	}
	tb.Cleanup(func() {
		// Its processes end one after the other, and write to the end.
		for end := time.Now().Add(limit); os.RemoveAll(profile) != nil && time.Now().Before(end); {
			time.Sleep(20 * time.Millisecond)
		}
	})
	process := testbed.Start(tb, testbed.Command{Path: "chromium", Args: []string{
		"--headless", "--no-sandbox", "--remote-debugging-port=0", "--user-data-dir=" + profile,
		"--no-first-run", "--no-default-browser-check", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--disable-extensions", "--disable-default-apps", "--disable-dev-shm-usage", "--disable-gpu",
		"--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows",
		"--force-color-profile=srgb", "--hide-scrollbars", "--mute-audio", "--password-store=basic",
		// What it asks its vendor all the same finds nobody.
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
		"about:blank",
	}})
	testbed.Await(tb, "chromium takes orders", limit, func() error {
		select {
		case <-process.Done():
			tb.Fatalf("chromium ended at once:\n%s", process.Output())
		default:
		}
		// Two lines: the port, and the path of the address.
		text, err := os.ReadFile(filepath.Join(profile, "DevToolsActivePort"))
		if err != nil {
			return err
		}
		port, path, complete := strings.Cut(strings.TrimSpace(string(text)), "\n")
		if !complete {
			return errors.New("its address is not complete")
		}
		address = "ws://127.0.0.1:" + port + path
		return nil
	})
	return address
}

// do carries out a step and fails the test when it takes too long.
func (p *Page) do(what string, actions ...chromedp.Action) {
	p.tb.Helper()
	if err := p.try(actions...); err != nil {
		p.tb.Fatalf("%s: %v\n%s", what, err, strings.Join(p.Faults(), "\n"))
	}
}

// try carries out a step.
func (p *Page) try(actions ...chromedp.Action) error {
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	return chromedp.Run(ctx, actions...)
}

// Open opens an address. From then on, the page may ask for what is below the given places, and for nothing else.
func (p *Page) Open(address string, places ...string) {
	p.tb.Helper()
	p.mu.Lock()
	p.places = places
	p.mu.Unlock()
	p.do("open the page", chromedp.Navigate(address))
}

// Resize gives the page another size.
func (p *Page) Resize(width, height int) {
	p.tb.Helper()
	p.do("resize the page", emulation.SetDeviceMetricsOverride(int64(width), int64(height), 1, false))
}

// Eval returns the value of an expression.
func Eval[T any](p *Page, expression string) T {
	p.tb.Helper()
	value, err := TryEval[T](p, expression)
	if err != nil {
		p.tb.Fatalf("%s: %v", expression, err)
	}
	return value
}

// TryEval returns the value of an expression, or why there is none.
func TryEval[T any](p *Page, expression string) (value T, err error) {
	err = p.try(chromedp.Evaluate(expression, &value))
	return value, err
}

// Await waits until an expression is true.
func (p *Page) Await(what string, within time.Duration, expression string) {
	p.tb.Helper()
	testbed.Await(p.tb, what, within, func() error {
		is, err := TryEval[bool](p, expression)
		if err == nil && !is {
			err = fmt.Errorf("%s is false", expression)
		}
		return err
	})
}

// Click clicks the middle of an element, as a mouse does.
func (p *Page) Click(selector string) {
	p.tb.Helper()
	p.do("click "+selector, chromedp.ScrollIntoView(selector, chromedp.ByQuery), chromedp.Click(selector, chromedp.ByQuery, chromedp.NodeEnabled))
}

// Press presses a key: Tab, Enter, Space or a letter.
func (p *Page) Press(key string) {
	p.tb.Helper()
	keys := map[string]string{"Tab": kb.Tab, "Enter": kb.Enter, "Space": " ", "Down": kb.ArrowDown, "Up": kb.ArrowUp}
	if known := keys[key]; known != "" {
		key = known
	}
	p.do("press "+key, chromedp.KeyEvent(key))
}

// Screenshot is the whole page, also what one would have to scroll to.
func (p *Page) Screenshot() image.Image {
	p.tb.Helper()
	var data []byte
	const asPNG = 100
	p.do("take a screenshot", chromedp.FullScreenshot(&data, asPNG))
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		p.tb.Fatalf("screenshot: %v", err)
	}
	return img
}

// Picture is what a canvas of the page shows.
func (p *Page) Picture(selector string) (image.Image, error) {
	coded, err := TryEval[string](p, `document.querySelector("`+selector+`").toDataURL("image/png").split(",")[1]`)
	if err != nil {
		return nil, err
	}
	return png.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(coded)))
}

// Node is what a screen reader is told of an element.
type Node struct {
	Role, Name string
}

// Accessible lists what a screen reader is told, in the page's order.
func (p *Page) Accessible() []Node {
	p.tb.Helper()
	type value struct {
		Value any `json:"value"`
	}
	var answer struct {
		Nodes []struct {
			Ignored bool  `json:"ignored"`
			Role    value `json:"role"`
			Name    value `json:"name"`
		} `json:"nodes"`
	}
	// Not through cdproto, which refuses what a newer Chromium adds to the answer.
	p.do("ask for the accessibility tree", chromedp.ActionFunc(func(ctx context.Context) error {
		return chromedp.FromContext(ctx).Target.Execute(ctx, "Accessibility.getFullAXTree", nil, &answer)
	}))
	var nodes []Node
	for _, n := range answer.Nodes {
		if !n.Ignored {
			nodes = append(nodes, Node{text(n.Role.Value), text(n.Name.Value)})
		}
	}
	return nodes
}

func text(value any) string {
	s, _ := value.(string)
	return s
}

// Faults lists what the page has done wrong so far: errors and warnings on its console, exceptions, breaches of its policy, and
// requests that it may not make.
func (p *Page) Faults() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.faults)
}

// ForgetFaults drops them, after a time in which some belong to the test.
func (p *Page) ForgetFaults() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = nil
}

func (p *Page) fault(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, fmt.Sprintf(format, args...))
}

// misread is called for events that cdproto cannot read, which may be those of a newer Chromium. One of a request would be a
// hole in what Faults promises.
func (p *Page) misread(format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	for _, watched := range []string{"Network.requestWillBeSent", "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"} {
		if strings.Contains(message, watched) {
			p.fault("an event cannot be read: %s", message)
		}
	}
}

func (p *Page) take(event any) {
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.request(e.Request.URL)
	case *network.EventWebSocketCreated:
		p.request(e.URL)
	case *runtime.EventExceptionThrown:
		p.fault("exception: %s", e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
			var words []string
			for _, arg := range e.Args {
				words = append(words, string(arg.Value)+arg.Description)
			}
			p.fault("console: %s", strings.Join(words, " "))
		}
	case *log.EventEntryAdded: // breaches of the policy, failed requests, deprecated features
		if e.Entry.Level == log.LevelError || e.Entry.Level == log.LevelWarning {
			p.fault("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	}
}

func (p *Page) request(address string) {
	p.mu.Lock()
	places := p.places
	p.mu.Unlock()
	if strings.HasPrefix(address, "data:") || strings.HasPrefix(address, "blob:") {
		return
	}
	if !slices.ContainsFunc(places, func(place string) bool { return strings.HasPrefix(address, place) }) {
		p.fault("request to %s", address)
	}
}
