// SPDX-License-Identifier: Apache-2.0

// Package fakeobs is an obs-websocket server for faults that a real OBS cannot be made to show at will: a late
// answer, a reset connection, an answer that never comes. It speaks just enough of the protocol for that, and knows
// nothing of scenes; what it cannot answer is for the tests with a real OBS.
package fakeobs

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
)

// Server is one OBS. Set its fields before Start.
type Server struct {
	// Handle answers requests, each connection's one after the other. It may be nil, and may return a nil answer for
	// an empty success. GetVersion and GetStats are answered without it.
	Handle func(request string, data json.RawMessage) (answer any, refusal *Refusal)
	// Version is what GetVersion says; 29.0.2 when empty.
	Version string
	// Knows are the requests that GetVersion says it knows.
	Knows []string
	// Password makes the server ask for it.
	Password string
	// HangUp has it end each connection right after its hello.
	HangUp bool

	addr  *net.TCPAddr
	mu    sync.Mutex
	conns []*conn
	seen  []string // names of the requests, without GetVersion and GetStats
	deaf  bool
	loads bool
}

// Refusal is the answer to a request that fails.
type Refusal struct {
	Code    int // of obs-websocket, such as 600 for what does not exist
	Comment string
}

type conn struct {
	tcp *net.TCPConn
	ws  *websocket.Conn
	mu  sync.Mutex
}

func (c *conn) send(op int, d any) {
	text, err := json.Marshal(map[string]any{"op": op, "d": d})
	if err != nil {
		panic(err) // a test has given what is no JSON
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// In one frame, as OBS does.
	_ = c.ws.WriteMessage(websocket.TextMessage, text)
}

// Start serves on 127.0.0.1 until the test ends.
func (f *Server) Start(t testing.TB) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return f.StartAt(t, listener)
}

// StartAt serves on a listener until the test ends.
func (f *Server) StartAt(t testing.TB, listener net.Listener) *Server {
	t.Helper()
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(f.serve)}}
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		f.eachConn(func(c *conn) { _ = c.ws.Close() })
		server.Close()
	})
	f.addr = server.Listener.Addr().(*net.TCPAddr)
	return f
}

// Addr is where it listens once it was started.
func (f *Server) Addr() *net.TCPAddr { return f.addr }

func (f *Server) serve(w http.ResponseWriter, r *http.Request) {
	var upgrader websocket.Upgrader
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	c := &conn{tcp: ws.NetConn().(*net.TCPConn), ws: ws}
	f.mu.Lock()
	f.conns = append(f.conns, c)
	f.mu.Unlock()
	defer func() { _ = ws.Close() }()

	hello := map[string]any{"obsWebSocketVersion": "5.1.0", "rpcVersion": 1}
	if f.Password != "" {
		hello["authentication"] = map[string]string{"challenge": "ch", "salt": "sa"}
	}
	c.send(0, hello)
	if f.HangUp {
		return
	}
	for {
		var m struct {
			Op int
			D  struct {
				Authentication string
				RequestType    string
				RequestID      string
				RequestData    json.RawMessage
				Requests       []struct {
					RequestType string
					RequestData json.RawMessage
				}
			}
		}
		if err := ws.ReadJSON(&m); err != nil {
			return
		}
		switch {
		case m.Op == 1 && f.Password != "" && m.D.Authentication != proof(f.Password, "sa", "ch"):
			_ = ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(4009, "Authentication failed."))
			return
		case m.Op == 1:
			c.send(2, map[string]int{"negotiatedRpcVersion": 1})
		case m.Op == 6:
			if d, hears := f.answer(m.D.RequestType, m.D.RequestData); hears {
				d["requestId"] = m.D.RequestID
				c.send(7, d)
			}
		case m.Op == 8:
			results, hears := []any{}, true
			for _, r := range m.D.Requests {
				var d map[string]any
				d, hears = f.answer(r.RequestType, r.RequestData)
				results = append(results, d)
			}
			if hears {
				c.send(9, map[string]any{"requestId": m.D.RequestID, "results": results})
			}
		}
	}
}

func proof(password, salt, challenge string) string {
	secret := sha256.Sum256([]byte(password + salt))
	sum := sha256.Sum256([]byte(base64.StdEncoding.EncodeToString(secret[:]) + challenge))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// answer is what it says to a request, unless it is deaf.
func (f *Server) answer(request string, data json.RawMessage) (d map[string]any, hears bool) {
	f.mu.Lock()
	deaf, loads := f.deaf, f.loads
	if request != "GetVersion" && request != "GetStats" {
		f.seen = append(f.seen, request)
	}
	f.mu.Unlock()
	if deaf {
		return nil, false
	}
	var answer any
	var refused *Refusal
	switch {
	case loads:
		refused = &Refusal{Code: 207, Comment: "OBS is not ready to perform the request."}
	case request == "GetVersion":
		version := f.Version
		if version == "" {
			version = "29.0.2"
		}
		answer = map[string]any{"obsVersion": version, "obsWebSocketVersion": "5.1.0", "availableRequests": f.Knows}
	case request == "GetStats":
	case f.Handle != nil:
		answer, refused = f.Handle(request, data)
	}
	status := map[string]any{"code": 100, "result": true}
	if refused != nil {
		status = map[string]any{"code": refused.Code, "result": false, "comment": refused.Comment}
	}
	d = map[string]any{"requestType": request, "requestStatus": status}
	if answer != nil {
		d["responseData"] = answer
	}
	return d, true
}

func (f *Server) eachConn(do func(*conn)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns {
		do(c)
	}
}

// Event sends an event to every client.
func (f *Server) Event(kind string, data any) {
	f.eachConn(func(c *conn) { c.send(5, map[string]any{"eventType": kind, "eventIntent": 1, "eventData": data}) })
}

// Reset breaks every connection with a RST, as the kernel does for an OBS that
// is killed with unread data.
func (f *Server) Reset() {
	f.eachConn(func(c *conn) {
		_ = c.tcp.SetLinger(0)
		_ = c.tcp.Close()
	})
}

// Answer says whether requests are answered. Where they are not, the connections stay open.
func (f *Server) Answer(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deaf = !on
}

// Loading says whether OBS still loads its scenes and refuses every request for that reason.
func (f *Server) Loading(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.loads = on
}

// Requests are the names of the requests so far, without GetVersion and GetStats.
func (f *Server) Requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.seen...)
}
