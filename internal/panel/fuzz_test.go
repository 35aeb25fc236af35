// SPDX-License-Identifier: Apache-2.0

package panel

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/scenes"
)

// FuzzRequest sends any bytes as a request. Without the token in its path, and the right host, it must get nothing and order
// nothing; with both, an order must be one that a page may give.
func FuzzRequest(f *testing.F) {
	access := Access{Port: 4466, Token: strings.Repeat("t", 43)}
	for _, seed := range []string{
		"GET /" + access.Token + "/ HTTP/1.1\r\nHost: 127.0.0.1:4466\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: 127.0.0.1:4466\r\n\r\n",
		"GET http://127.0.0.1:4466/" + access.Token + "/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
		"POST /" + access.Token + "/do HTTP/1.1\r\nHost: 127.0.0.1:4466\r\nOrigin: http://127.0.0.1:4466\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"do\":\"show\"}",
		"POST /" + access.Token + "/do HTTP/1.1\r\nHost: 127.0.0.1:4466\r\nOrigin: http://127.0.0.1:4466\r\nContent-Type: application/json\r\nContent-Length: 32\r\n\r\n{\"do\":\"arrange\",\"layout\":\"grid\"}",
		"POST /" + access.Token + "/fix HTTP/1.1\r\nHost: localhost:4466\r\nOrigin: http://localhost:4466\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"id\":\"a\"}",
		"GET /" + access.Token + "/../page.js HTTP/1.1\r\nHost: [::1]:4466\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(data)))
		if err != nil {
			return
		}
		acted := false
		s := New(Options{
			Status: func() control.Status { return control.Status{} },
			Order: func(_ context.Context, o control.PeerOrder) (control.PeerAnswer, error) {
				acted = true
				if o.OBS != "" || o.Do == control.PeerRemove || o.Do == control.PeerAdd || o.Do == control.PeerSave || o.Scenes != nil {
					t.Errorf("a page ordered %+v", o)
				}
				return control.PeerAnswer{}, nil
			},
			Visible: func(Whose) bool { return true },
			Picture: func(context.Context, Whose) ([]byte, error) { acted = true; return nil, nil },
			Saved:   func() (map[string]scenes.Saved, error) { return nil, nil },
		})
		s.open(access)
		ctx, cancel := context.WithCancel(context.WithValue(context.WithValue(t.Context(), visitor{}, func() bool { return true }), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4466})))
		cancel() // Events end at once.
		answer := httptest.NewRecorder()
		s.serve(answer, r.WithContext(ctx))
		ours := strings.HasPrefix(r.URL.Path, "/"+access.Token+"/") && (r.Host == "127.0.0.1:4466" || r.Host == "localhost:4466" || r.Host == "[::ffff:127.0.0.1]:4466")
		if !ours && (acted || answer.Code != http.StatusForbidden || answer.Body.String() != turnedAway) {
			t.Errorf("%q: got %d %q, acted %t", data, answer.Code, answer.Body, acted)
		}
		if acted && r.Method == http.MethodPost && r.Header.Get("Origin") != "http://"+r.Host {
			t.Errorf("%q was carried out", data)
		}
		if strings.Contains(answer.Body.String(), access.Token) {
			t.Errorf("%q: the answer has the token", data)
		}
	})
}
