// SPDX-License-Identifier: Apache-2.0

package panel

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/scenes"
)

// companion is a costream-obs without OBS.
type companion struct {
	mu       sync.Mutex
	status   control.Status
	orders   []control.PeerOrder
	failed   error
	pictures int
	hidden   bool
	mended   []string
}

func (c *companion) options(dir string) Options {
	return Options{
		StateDir: dir,
		Status: func() control.Status {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.status
		},
		Order: func(_ context.Context, o control.PeerOrder) (control.PeerAnswer, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.orders = append(c.orders, o)
			return control.PeerAnswer{Changes: []control.PeerChange{{Action: "show", Scene: "Talk"}}}, c.failed
		},
		Visible: func(Whose) bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			return !c.hidden
		},
		Picture: func(_ context.Context, whose Whose) ([]byte, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.pictures++
			if whose == Sent {
				return nil, nil
			}
			return []byte("\xff\xd8 a picture"), nil
		},
		Saved: func() (map[string]scenes.Saved, error) {
			return map[string]scenes.Saved{"corner": {Canvas: scenes.Size{W: 1280, H: 720}}}, nil
		},
		Repairs: c,
	}
}

func (c *companion) Find(_ context.Context, codes []string) (found []Repair) {
	for _, code := range codes {
		found = append(found, Repair{ID: code, What: "Mend " + code + "."})
	}
	return found
}

func (c *companion) Do(_ context.Context, id string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id != "audio.sink" {
		return "", errors.New("nothing left to repair")
	}
	c.mended = append(c.mended, id)
	return "Done.", nil
}

// start serves a panel until the test ends, and returns the address of its page.
func start(t *testing.T, o Options) (*Server, string) {
	t.Helper()
	s := New(o)
	return s, run(t, s)
}

func run(t *testing.T, s *Server) (address string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	started, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- s.Run(ctx, func() { close(started) }) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("run: %v", err)
			}
		case <-time.After(writeWithin): // the shortest of the deadlines that the end must not wait for
			t.Errorf("the panel does not end within %v", writeWithin)
		}
	})
	select {
	case <-started:
	case err := <-ended:
		t.Fatal(err)
	}
	return s.Addresses()[0]
}

// dir has an access with a port that is free.
func dir(t *testing.T) string {
	t.Helper()
	d := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	if err := newAccess(port).save(d); err != nil {
		t.Fatal(err)
	}
	return d
}

type request struct {
	method, path, body string
	host               string
	header             map[string]string
}

func (q request) send(t *testing.T, address string) (*http.Response, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), q.method, "http://"+u.Host, strings.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Opaque = strings.ReplaceAll(q.path, "TOKEN", strings.Trim(u.Path, "/")) // as it is, without cleaning
	r.Host = q.host
	for k, v := range q.header {
		r.Header.Set(k, strings.ReplaceAll(v, "HOST", u.Host))
	}
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

// order is what the page itself sends.
func order(body string) request {
	return request{method: "POST", path: "/TOKEN/do", body: body, header: map[string]string{
		"Origin": "http://HOST", "Content-Type": "application/json", "Sec-Fetch-Site": "same-origin",
	}}
}

// with is a request with other headers.
func (q request) with(pairs ...string) request {
	headers := make(map[string]string)
	for k, v := range q.header {
		headers[k] = v
	}
	for i := 0; i < len(pairs); i += 2 {
		headers[pairs[i]] = pairs[i+1]
	}
	q.header = headers
	return q
}

func get(path string) request { return request{method: "GET", path: path} }

// TestStrangersGetNothing tries what a stranger's page, or another user of the machine, can try.
func TestStrangersGetNothing(t *testing.T) {
	c := &companion{}
	_, address := start(t, c.options(dir(t)))
	onHost := func(q request, host string) request { q.host = host; return q }
	atPath := func(q request, path string) request { q.path = path; return q }
	as := func(q request, method string) request { q.method = method; return q }
	show := order(`{"do":"show"}`)
	for name, q := range map[string]request{
		"no token":                      get("/"),
		"empty token":                   get("/%2f"),
		"two slashes before the token":  get("/.//TOKEN/"),
		"no slash after the token":      get("/TOKEN"),
		"wrong token":                   get("/" + strings.Repeat("A", 43) + "/"),
		"token with another letter":     get("/TOKENx/"),
		"half a token, page.js":         get("/abc/page.js"),
		"favicon":                       get("/favicon.ico"),
		"the old path of a token":       get("/TOKEN/../"),
		"traversal":                     get("/TOKEN/../../../../etc/passwd"),
		"encoded traversal":             get("/TOKEN/%2e%2e/%2e%2e/etc/passwd"),
		"traversal below the page":      get("/TOKEN/page/page.html"),
		"traversal to the page":         get("/TOKEN/picture/../page.js"),
		"a backslash":                   get(`/TOKEN/..%5cpage.js`),
		"an unknown picture":            get("/TOKEN/picture/desktop"),
		"a foreign name as host":        onHost(get("/TOKEN/"), "evil.example:80"),
		"a foreign name with the port":  onHost(get("/TOKEN/"), "evil.example:"+port(address)),
		"a name that begins like ours":  onHost(get("/TOKEN/"), "127.0.0.1.evil.example:"+port(address)),
		"another loopback address":      onHost(get("/TOKEN/"), "127.0.0.2:"+port(address)),
		"the right host, another port":  onHost(get("/TOKEN/"), "127.0.0.1:80"),
		"the right host without a port": onHost(get("/TOKEN/"), "127.0.0.1"),
		"events for another page":       get("/TOKEN/events").with("Sec-Fetch-Site", "cross-site"),
		"a picture in another page":     get("/TOKEN/picture/friend").with("Sec-Fetch-Site", "same-site"),
		"a script in another page":      get("/TOKEN/page.js").with("Sec-Fetch-Site", "cross-site"),
		"an order by GET":               as(show, "GET"),
		"an order by PUT":               as(show, "PUT"),
		"OPTIONS":                       as(show, "OPTIONS"),
		"TRACE":                         as(show, "TRACE"),
		"an order without a token":      atPath(show, "/do"),
		"an order without an origin":    show.with("Origin", ""),
		"an order of a foreign origin":  show.with("Origin", "http://evil.example"),
		"an order of another port":      show.with("Origin", "http://127.0.0.1:1"),
		"an order of a file":            show.with("Origin", "null"),
		"an order over https":           show.with("Origin", "https://HOST"),
		"an order of another site":      show.with("Sec-Fetch-Site", "cross-site"),
		"an order of the same site":     show.with("Sec-Fetch-Site", "same-site"),
		"an order on a foreign host":    onHost(show.with("Origin", "http://evil.example:"+port(address)), "evil.example:"+port(address)),
		"an order as a form":            show.with("Content-Type", "application/x-www-form-urlencoded"),
		"an order as text":              show.with("Content-Type", "text/plain"),
		"an order without a type":       show.with("Content-Type", ""),
		"a repair of a foreign origin":  atPath(show.with("Origin", "http://evil.example"), "/TOKEN/fix"),
		"an order to somewhere":         atPath(show, "/TOKEN/do/"),
		"an order to the page":          atPath(show, "/TOKEN/"),
	} {
		t.Run(name, func(t *testing.T) {
			response, body := q.send(t, address)
			if response.StatusCode != http.StatusForbidden || body != turnedAway {
				t.Errorf("got %s %.99q, want 403 and nothing but %q", response.Status, body, turnedAway)
			}
			checkHeaders(t, response, map[bool]string{true: "cross-origin", false: "same-origin"}[q.path == "/"])
		})
	}
	if len(c.orders) > 0 || len(c.mended) > 0 || c.pictures > 0 {
		t.Errorf("strangers ordered %v, repaired %v and took %d pictures", c.orders, c.mended, c.pictures)
	}
}

func port(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Port()
}

// checkHeaders: no other page may read, frame or keep anything, and none learns the address. The page of OBS's dock may notice
// that somebody answers at "/", where there is nothing to read.
func checkHeaders(t *testing.T, r *http.Response, resource string) {
	t.Helper()
	for name, want := range map[string]string{
		"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
		"Cross-Origin-Resource-Policy": resource,
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	policy := r.Header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "script-src 'self'", "form-action 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy %q lacks %q", policy, part)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy %q allows too much", policy)
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "Access-Control-") || name == "Set-Cookie" || name == "Location" {
			t.Errorf("the answer has the header %s", name)
		}
	}
}

// TestPage: with the token the page is served, by both names of the machine, and holds nothing inline that the policy would
// stop.
func TestPage(t *testing.T) {
	_, address := start(t, (&companion{}).options(dir(t)))
	for _, host := range []string{"", "localhost:" + port(address)} {
		for path, want := range map[string]string{
			"/TOKEN/": "text/html; charset=utf-8", "/TOKEN/page.css": "text/css; charset=utf-8", "/TOKEN/page.js": "text/javascript; charset=utf-8",
		} {
			q := get(path)
			q.host = host
			response, body := q.send(t, address)
			if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != want || len(body) < 500 {
				t.Errorf("%s on %q: got %s, %s and %d bytes", path, host, response.Status, response.Header.Get("Content-Type"), len(body))
			}
			checkHeaders(t, response, "same-origin")
			if path == "/TOKEN/" {
				for _, bad := range []string{"style=", "<style", "onclick", "http://", "https://"} {
					if strings.Contains(body, bad) {
						t.Errorf("the page has %q", bad)
					}
				}
			}
		}
	}
	// A link in a chat leads to the page only for those who have the token anyway.
	if response, _ := get("/TOKEN/").with("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate").send(t, address); response.StatusCode != http.StatusOK {
		t.Errorf("opened from elsewhere: got %s", response.Status)
	}
}

func TestOrders(t *testing.T) {
	pip, err := scenes.ParseLayout("pip top-left 25%")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		body, path string
		status     int
		want       *control.PeerOrder
		answer     string
	}{
		{`{"do":"show"}`, "", 200, &control.PeerOrder{Do: control.PeerShow}, `{"changes":[{"action":"show","scene":"Talk"}]}`},
		{`{"do":"arrange","layout":"pip top-left 25%"}`, "", 200, &control.PeerOrder{Do: control.PeerArrange, Layout: pip}, ""},
		{`{"do":"use","saved":"corner"}`, "", 200, &control.PeerOrder{Do: control.PeerUse, Saved: scenes.Saved{Canvas: scenes.Size{W: 1280, H: 720}}}, ""},
		{`{"do":"mute-me"}`, "", 200, &control.PeerOrder{Do: control.PeerMuteMe}, ""},
		{`{"do":"use","saved":"other"}`, "", 400, nil, "there is no saved layout \"other\"\n"},
		{`{"do":"arrange","layout":"upside down"}`, "", 400, nil, ""},
		{`{"do":"arrange"}`, "", 400, nil, ""},
		{`{"do":"save"}`, "", 400, nil, "nobody knows how to \"save\" a peer\n"},
		{`{"do":"show","obs":"192.0.2.1:4455"}`, "", 400, nil, ""},
		{`{"do":"show"} {"do":"hide"}`, "", 400, nil, "not an order: something follows it\n"},
		{`[]`, "", 400, nil, ""},
		{``, "", 400, nil, ""},
		{`{"do":"` + strings.Repeat("x", maxBody) + `"}`, "", 400, nil, "not an order: http: request body too large\n"},
		{`{"id":"audio.sink"}`, "/TOKEN/fix", 200, nil, `{"done":"Done."}`},
		{`{"id":"net.ports"}`, "/TOKEN/fix", 200, nil, `{"failed":"nothing left to repair"}`},
		{`{"id":5}`, "/TOKEN/fix", 400, nil, ""},
	} {
		t.Run(tt.body[:min(40, len(tt.body))], func(t *testing.T) {
			c := &companion{}
			_, address := start(t, c.options(dir(t)))
			q := order(tt.body)
			if tt.path != "" {
				q.path = tt.path
			}
			response, body := q.send(t, address)
			if response.StatusCode != tt.status || tt.answer != "" && strings.TrimSpace(body) != strings.TrimSpace(tt.answer) {
				t.Errorf("got %s %q, want %d %q", response.Status, body, tt.status, tt.answer)
			}
			checkHeaders(t, response, "same-origin")
			var want []control.PeerOrder
			if tt.want != nil {
				want = []control.PeerOrder{*tt.want}
			}
			if diff := cmp.Diff(want, c.orders); diff != "" {
				t.Errorf("orders (-want +got):\n%s", diff)
			}
		})
	}
}

// TestOrderFails: what went wrong is in the answer, in words, and what was changed all the same.
func TestOrderFails(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{errors.New("the scene is locked"), "the scene is locked"},
		{control.ErrOtherOBS, "costream-obs has no connection to OBS: start OBS"},
		{fmt.Errorf("hide: %w", context.DeadlineExceeded), "OBS did not answer within 15s; see: costream-obs status"},
	} {
		c := &companion{failed: tt.err}
		_, address := start(t, c.options(dir(t)))
		response, body := order(`{"do":"hide"}`).send(t, address)
		var got answer
		if err := json.Unmarshal([]byte(body), &got); err != nil || response.StatusCode != 200 {
			t.Fatalf("got %s %q (%v)", response.Status, body, err)
		}
		if got.Failed != tt.want || len(got.Changes) != 1 {
			t.Errorf("got %+v, want the failure %q with one change", got, tt.want)
		}
	}
}

// TestAnswers: what an order came to is told as the commands of `costream-obs peer` tell it.
func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		done control.PeerAnswer
		want string
	}{
		{control.PeerAnswer{Break: "the scene \"Desk\" is private"}, `{"break":"the scene \"Desk\" is private"}`},
		{control.PeerAnswer{WaitsForOBS: true}, `{"waits_for_obs":true}`},
	} {
		o := (&companion{}).options(dir(t))
		o.Order = func(context.Context, control.PeerOrder) (control.PeerAnswer, error) { return tt.done, nil }
		_, address := start(t, o)
		if _, body := order(`{"do":"back"}`).send(t, address); strings.TrimSpace(body) != tt.want {
			t.Errorf("got %s, want %s", body, tt.want)
		}
	}
}

// TestBusy: a page that orders more than OBS can carry out is told so at once.
func TestBusy(t *testing.T) {
	c := &companion{}
	o := c.options(dir(t))
	begun, release := make(chan struct{}, maxOrders), make(chan struct{})
	o.Order = func(ctx context.Context, _ control.PeerOrder) (control.PeerAnswer, error) {
		begun <- struct{}{}
		<-release
		return control.PeerAnswer{}, nil
	}
	_, address := start(t, o)
	var waiting sync.WaitGroup
	for range maxOrders {
		waiting.Add(1)
		go func() {
			defer waiting.Done()
			if response, _ := order(`{"do":"show"}`).send(t, address); response.StatusCode != 200 {
				t.Errorf("got %s", response.Status)
			}
		}()
		<-begun
	}
	if response, _ := order(`{"do":"show"}`).send(t, address); response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("one too many: got %s, want 503", response.Status)
	}
	close(release)
	waiting.Wait()
}

// reader reads the events of a page.
type reader struct {
	t    *testing.T
	body *bufio.Reader
}

func listen(t *testing.T, address string) (*reader, int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"events", nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return &reader{t, bufio.NewReader(response.Body)}, response.StatusCode
}

// next reads one event into the value.
func (r *reader) next(event string, into any) {
	r.t.Helper()
	var lines [3]string
	for i := range lines {
		line, err := r.body.ReadString('\n')
		if err != nil {
			r.t.Fatalf("events: %v after %q", err, lines)
		}
		lines[i] = line
	}
	data, is := strings.CutPrefix(lines[1], "data: ")
	if lines[0] != "event: "+event+"\n" || !is || lines[2] != "\n" {
		r.t.Fatalf("got %q, want the event %s", lines, event)
	}
	if err := json.Unmarshal([]byte(data), into); err != nil {
		r.t.Fatal(err)
	}
}

func TestEvents(t *testing.T) {
	loss, frames := call.Percent(2), 0
	c := &companion{status: control.Status{
		Report: control.Report{State: control.OnAirWithPeer, Problems: []string{"sound: \n muted"}, Codes: []problem.Code{problem.Sink}}, Peer: "Bob",
		Figures: &call.Figures{
			In: call.Direction{Kbps: 900, Loss: &loss}, Out: call.Direction{Kbps: 1200},
			Picture: &call.Delay{Total: call.Millis(80 * time.Millisecond)}, Dropped: call.Dropped{Us: &frames},
		},
	}}
	s, address := start(t, c.options(dir(t)))
	page, code := listen(t, address)
	if code != http.StatusOK {
		t.Fatalf("events: got %d", code)
	}
	var history struct{ Samples []sample }
	page.next("history", &history)
	var got news
	for len(got.Fixes) == 0 { // They are looked for beside the first message.
		page.next("status", &got)
	}
	number := func(v float64) *float64 { return &v }
	want := news{
		Status: c.status, Saved: []string{"corner"}, Fixes: []Repair{{"audio.sink", "Mend audio.sink."}},
		Sample: sample{At: got.Sample.At, Picture: number(80), LossIn: number(2), In: number(900), Out: number(1200)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}

	// A change is told at once, not with the next second.
	c.mu.Lock()
	c.status.State, c.status.Figures = control.Ready, nil
	c.mu.Unlock()
	changed := time.Now()
	s.Changed()
	for got.Status.State != control.Ready {
		got = news{}
		page.next("status", &got)
	}
	if took := time.Since(changed); took > every/2 {
		t.Errorf("a change was told after %v", took)
	}

	// Who opens the page later gets the curves from before.
	got = news{}
	for range 2 {
		page.next("status", &got)
	}
	later, _ := listen(t, address)
	later.next("history", &history)
	if len(history.Samples) == 0 || history.Samples[0].At == 0 {
		t.Errorf("history: got %+v", history)
	}
}

// TestManyPages: pages beyond the limit are told so, one that goes makes room, and 100 of them do not delay the end (start).
func TestManyPages(t *testing.T) {
	c := &companion{}
	s, address := start(t, c.options(dir(t)))
	codes := make(map[int]int)
	var open []*reader
	for range maxPages {
		page, code := listen(t, address)
		codes[code]++
		page.next("history", new(any))
		open = append(open, page)
	}
	for range 5 {
		page, code := listen(t, address)
		codes[code]++
		page.next("full", new(any))
		if _, err := page.body.ReadByte(); !errors.Is(err, io.EOF) {
			t.Errorf("one page too many: after its event comes %v, want the end", err)
		}
	}
	if diff := cmp.Diff(map[int]int{200: maxPages + 5}, codes); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}

	// The others are connections that send a request and read nothing.
	for range 100 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(strings.Split(address, "/")[2], "//"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_, _ = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", strings.SplitAfterN(address, "/", 4)[3], strings.Split(address, "/")[2])
	}
	s.Changed()
	open[0].next("status", new(any)) // A page that is open goes on.
}

// TestSlowPeople: connections that send a request slowly are closed, and pages that read nothing do not stop the others.
func TestSlowPeople(t *testing.T) {
	c := &companion{}
	s, address := start(t, c.options(dir(t)))
	host := strings.Split(address, "/")[2]
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: ")
	begun := time.Now()
	_ = conn.SetReadDeadline(begun.Add(headerWithin + 3*time.Second))
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a request without an end: got %v after %v, want it closed", err, time.Since(begun))
	}

	deaf, _ := listen(t, address)
	page, _ := listen(t, address)
	page.next("history", new(any))
	for range 3 {
		s.Changed()
		page.next("status", new(any))
	}
	_ = deaf
}

// TestHugeHeader: a header larger than any browser sends is refused.
func TestHugeHeader(t *testing.T) {
	_, address := start(t, (&companion{}).options(dir(t)))
	response, _ := get("/TOKEN/").with("X-Large", strings.Repeat("x", maxHeader+6<<10)).send(t, address)
	if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %s", response.Status)
	}
}

func TestPictures(t *testing.T) {
	c := &companion{}
	_, address := start(t, c.options(dir(t)))
	for range 5 {
		response, body := get("/TOKEN/picture/friend").send(t, address)
		if response.StatusCode != 200 || response.Header.Get("Content-Type") != "image/jpeg" || !strings.HasPrefix(body, "\xff\xd8") {
			t.Errorf("got %s, %s, %q", response.Status, response.Header.Get("Content-Type"), body)
		}
	}
	if c.pictures > 2 {
		t.Errorf("OBS was asked for %d pictures within a moment, want one a second", c.pictures)
	}
	if response, body := get("/TOKEN/picture/sent").send(t, address); response.StatusCode != http.StatusNoContent || body != "" {
		t.Errorf("without a picture: got %s %q", response.Status, body)
	}
	// A break hides a picture that was taken just before it.
	c.mu.Lock()
	c.hidden = true
	c.mu.Unlock()
	if response, body := get("/TOKEN/picture/friend").send(t, address); response.StatusCode != http.StatusNoContent || body != "" {
		t.Errorf("hidden: got %s %q", response.Status, body)
	}
}

// TestLogsHaveNoToken runs everything that is logged, and looks for the token there.
func TestLogsHaveNoToken(t *testing.T) {
	var log bytes.Buffer
	c := &companion{}
	o := c.options(dir(t))
	o.Log = textLog(&log)
	o.Picture = func(context.Context, Whose) ([]byte, error) { return nil, errors.New("OBS is busy") }
	busy, err := net.Listen("tcp", "127.0.0.1:"+keptPort(t, o.StateDir))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Close() }()
	old, _, err := load(o.StateDir)
	if err != nil {
		t.Fatal(err)
	}
	_, address := start(t, o)
	for _, q := range []request{get("/TOKEN/picture/friend"), get("/TOKEN/"), get("/TOKEN/x"), order("?")} {
		q.send(t, address)
	}
	token := strings.Split(address, "/")[3]
	if log.Len() == 0 || strings.Contains(log.String(), token) || strings.Contains(log.String(), old.Token) {
		t.Errorf("the log is empty or has the token:\n%s", log.String())
	}
}

func keptPort(t *testing.T, dir string) string {
	t.Helper()
	access, known, err := load(dir)
	if err != nil || !known {
		t.Fatalf("no access is kept in %s (%v)", dir, err)
	}
	return strconv.Itoa(access.Port)
}
