// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGraph(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc // nil when nothing listens
		args   []string
		want   result
	}{
		{
			name: "nothing runs",
			want: result{Code: exitFailure, Stderr: "costream-obs graph: costream-obs does not run: start it with `costream-obs run`\n"},
		},
		{
			name:   "drawing",
			answer: func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.URL.String() + "\n")) },
			want:   result{Stdout: "/graph\n"},
		},
		{
			name:   "text",
			answer: func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.URL.String() + "\n")) },
			args:   []string{"--text"},
			want:   result{Stdout: "/graph?text\n"},
		},
		{
			name:   "off air",
			answer: func(http.ResponseWriter, *http.Request) {},
			want:   result{Code: exitFailure, Stderr: "costream-obs graph: no pipeline runs now; pipelines run while you are on air\n"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			home := isolate(t)
			if test.answer != nil {
				dir := filepath.Join(home, "run")
				if err := os.Mkdir(dir, 0o700); err != nil {
					t.Fatal(err)
				}
				l, err := net.Listen("unix", filepath.Join(dir, "costream-obs.sock"))
				if err != nil {
					t.Fatal(err)
				}
				mux := http.NewServeMux()
				mux.HandleFunc("GET /graph", test.answer)
				server := &http.Server{Handler: mux}
				done := make(chan struct{})
				go func() {
					defer close(done)
					_ = server.Serve(l)
				}()
				t.Cleanup(func() { _ = server.Close(); <-done })
			}
			got := runCLI(t.Context(), append([]string{"graph"}, test.args...)...)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
