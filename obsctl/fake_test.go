// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// fakeOBS speaks just enough of obs-websocket for faults that a real OBS
// cannot be made to show at will.
type fakeOBS struct {
	Endpoint Endpoint
	// handle answers requests; it may be nil, and may return nil data for an
	// empty success. GetVersion and GetStats are answered without it.
	handle func(request string, data json.RawMessage) (answer any, refusal *RequestError)
	// version is what GetVersion says; 29.0.2 when empty.
	version string
	// password makes the server ask for it.
	password string

	mu    sync.Mutex
	conns []*fakeConn
	seen  []string // names of the requests, without GetVersion and GetStats
	deaf  bool
}

type fakeConn struct {
	tcp *net.TCPConn
	ws  *websocket.Conn
	mu  sync.Mutex
}

func (c *fakeConn) send(op int, d any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.ws.WriteJSON(map[string]any{"op": op, "d": d})
}

func (f *fakeOBS) start(t testing.TB) *fakeOBS {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(func() {
		server.CloseClientConnections()
		f.eachConn(func(c *fakeConn) { _ = c.ws.Close() })
		server.Close()
	})
	f.Endpoint = endpointOf(server.Listener.Addr())
	f.Endpoint.Password = Secret(f.password)
	return f
}

func endpointOf(addr net.Addr) Endpoint {
	tcp := addr.(*net.TCPAddr)
	return Endpoint{Host: tcp.IP.String(), Port: tcp.Port, Enabled: true, Source: "the test"}
}

func (f *fakeOBS) serve(w http.ResponseWriter, r *http.Request) {
	var upgrader websocket.Upgrader
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	c := &fakeConn{tcp: ws.NetConn().(*net.TCPConn), ws: ws}
	f.mu.Lock()
	f.conns = append(f.conns, c)
	f.mu.Unlock()
	defer func() { _ = ws.Close() }()

	hello := map[string]any{"obsWebSocketVersion": "5.1.0", "rpcVersion": 1}
	if f.password != "" {
		hello["authentication"] = map[string]string{"challenge": "ch", "salt": "sa"}
	}
	c.send(0, hello)
	for {
		var m struct {
			Op int
			D  struct {
				Authentication string
				RequestType    string
				RequestID      string
				RequestData    json.RawMessage
			}
		}
		if err := ws.ReadJSON(&m); err != nil {
			return
		}
		switch {
		case m.Op == 1 && f.password != "" && m.D.Authentication != proof(f.password, "sa", "ch"):
			_ = ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(4009, "Authentication failed."))
			return
		case m.Op == 1:
			c.send(2, map[string]int{"negotiatedRpcVersion": 1})
		case m.Op == 6:
			f.answer(c, m.D.RequestType, m.D.RequestID, m.D.RequestData)
		}
	}
}

func proof(password, salt, challenge string) string {
	secret := sha256.Sum256([]byte(password + salt))
	sum := sha256.Sum256([]byte(base64.StdEncoding.EncodeToString(secret[:]) + challenge))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func (f *fakeOBS) answer(c *fakeConn, request, id string, data json.RawMessage) {
	f.mu.Lock()
	deaf := f.deaf
	if request != "GetVersion" && request != "GetStats" {
		f.seen = append(f.seen, request)
	}
	f.mu.Unlock()
	if deaf {
		return
	}
	var answer any
	var refused *RequestError
	switch {
	case request == "GetVersion":
		version := f.version
		if version == "" {
			version = "29.0.2"
		}
		answer = map[string]any{"obsVersion": version, "obsWebSocketVersion": "5.1.0"}
	case request == "GetStats":
	case f.handle != nil:
		answer, refused = f.handle(request, data)
	}
	status := map[string]any{"code": 100, "result": true}
	if refused != nil {
		status = map[string]any{"code": refused.Code, "result": false, "comment": refused.Comment}
	}
	d := map[string]any{"requestType": request, "requestId": id, "requestStatus": status}
	if answer != nil {
		d["responseData"] = answer
	}
	c.send(7, d)
}

func (f *fakeOBS) eachConn(do func(*fakeConn)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns {
		do(c)
	}
}

// event sends an event to every client.
func (f *fakeOBS) event(kind string, data any) {
	f.eachConn(func(c *fakeConn) { c.send(5, map[string]any{"eventType": kind, "eventIntent": 1, "eventData": data}) })
}

// reset breaks every connection with a RST, as the kernel does for an OBS that
// is killed with unread data.
func (f *fakeOBS) reset() {
	f.eachConn(func(c *fakeConn) {
		_ = c.tcp.SetLinger(0)
		_ = c.tcp.Close()
	})
}

// stopAnswering leaves the connections open and every request unanswered.
func (f *fakeOBS) stopAnswering() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deaf = true
}

func (f *fakeOBS) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.seen...)
}

func dialFake(t *testing.T, f *fakeOBS, opts Options) *Client {
	t.Helper()
	c, err := Dial(t.Context(), f.Endpoint, opts)
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// within fails the test when ch is not closed, or gives nothing, in time.
func within[T any](t *testing.T, what string, limit time.Duration, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(limit):
		t.Fatalf("%s: not within %v", what, limit)
		panic("unreachable")
	}
}
