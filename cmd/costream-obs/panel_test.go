// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/panel"
)

// serveControl answers as a running costream-obs does.
func serveControl(t *testing.T, server *control.Server) {
	t.Helper()
	socket, err := controlSocket()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(socket), 0o700); err != nil {
		t.Fatal(err)
	}
	server.Path = socket
	listener, release, err := server.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(ctx, listener)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		release()
	})
}

func TestPanelCommand(t *testing.T) {
	const here, phone = "http://127.0.0.1:4466/secret/", "http://192.0.2.5:4466/secret/"
	for _, tt := range []struct {
		name      string
		running   bool
		addresses []string
		args      []string
		code      int
		out, err  string
	}{
		{name: "in a pipe", running: true, addresses: []string{here, phone}, out: here + "\n" + phone + "\n"},
		{name: "as JSON", running: true, addresses: []string{here}, args: []string{"--json"}, out: `{"addresses":["` + here + `"]}` + "\n"},
		{name: "nothing runs", code: exitFailure, err: "costream-obs panel: costream-obs does not run: start it with `costream-obs run`\n"},
		{name: "run --no-panel", running: true, code: exitFailure, err: "costream-obs panel: " + control.ErrNoPanel.Error() + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			isolate(t)
			if tt.running {
				serveControl(t, &control.Server{Panel: func() []string { return tt.addresses }})
			}
			var out, errs strings.Builder
			code := Run(t.Context(), append([]string{"panel"}, tt.args...), strings.NewReader(""), &out, &errs)
			if code != tt.code || out.String() != tt.out || errs.String() != tt.err {
				t.Errorf("got %d, %q and %q, want %d, %q and %q", code, out.String(), errs.String(), tt.code, tt.out, tt.err)
			}
		})
	}
}

// TestOpenInBrowser: the browser is led on by a file of the user's alone, so that no program has the token in its arguments.
func TestOpenInBrowser(t *testing.T) {
	isolate(t)
	dir := t.TempDir()
	said := filepath.Join(dir, "said")
	opener := "#!/bin/sh\nprintf '%s\\n' \"$@\" >" + said + "\n"
	if err := os.WriteFile(filepath.Join(dir, "xdg-open"), []byte(opener), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	const address = "http://127.0.0.1:4466/secret/"
	if err := openInBrowser(t.Context(), address, time.Minute); err != nil {
		t.Fatal(err)
	}
	args, err := os.ReadFile(said)
	if err != nil {
		t.Fatal(err)
	}
	file := strings.TrimSpace(string(args))
	if strings.Contains(file, "secret") {
		t.Errorf("xdg-open got %q", args)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: got mode %v (%v), want 0600", info.Mode(), err)
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "0; url="+address+"\"") || !strings.Contains(string(text), "no-referrer") {
		t.Errorf("the file says %q (%v)", text, err)
	}
}

// TestOpenerIsTheBrowser: an opener that runs as long as the browser is neither waited for nor ended, and one that fails says so.
func TestOpenerIsTheBrowser(t *testing.T) {
	isolate(t)
	dir := t.TempDir()
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	opener := func(script string) {
		if err := os.WriteFile(filepath.Join(dir, "xdg-open"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	quit, lived := filepath.Join(dir, "quit"), filepath.Join(dir, "lived")
	for _, pipe := range []string{quit, lived} {
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	opener("read line <" + quit + "\necho $line >" + lived + "\n")
	ctx, cancel := context.WithCancel(t.Context())
	if err := openInBrowser(ctx, "http://127.0.0.1:4466/secret/", time.Millisecond); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := os.WriteFile(quit, []byte("closed\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(lived); err != nil || string(got) != "closed\n" {
		t.Errorf("the browser says %q at its end (%v)", got, err)
	}
	opener("exit 3\n")
	if err := openInBrowser(t.Context(), "http://127.0.0.1:4466/secret/", time.Minute); err == nil {
		t.Error("an opener that fails: no error")
	}
}

// TestPanelOptions: an address that nobody can listen on is refused before anything starts.
func TestPanelOptions(t *testing.T) {
	isolate(t)
	for address, want := range map[string]bool{"": true, "192.168.1.5": true, "0.0.0.0": true, "fd00::5": true, "phone.local": false, "127.0.0.1": false, "::1": false} {
		c := &invocation{config: &config.Config{Panel: true, PanelListen: address}, log: slog.New(slog.DiscardHandler)}
		got, err := panelOptions(c, c.log)
		if (err == nil) != want {
			t.Errorf("--panel-listen %q: got %v", address, err)
		}
		if want && (got.Listen != address || got.Repairs == nil) {
			t.Errorf("--panel-listen %q: got %+v", address, got)
		}
		if !want && !strings.Contains(err.Error(), "ip address") {
			t.Errorf("--panel-listen %q: %v names no next command", address, err)
		}
	}
}

// TestPanelRepairs: what can be repaired is what doctor finds for these problems, and an id that has none is refused in words.
func TestPanelRepairs(t *testing.T) {
	isolate(t)
	c := &invocation{config: &config.Config{}, log: slog.New(slog.DiscardHandler)}
	options, err := panelOptions(c, c.log)
	if err != nil {
		t.Fatal(err)
	}
	var repairs panel.Repairs = options.Repairs
	if found := repairs.Find(t.Context(), []string{"obs.air", "no.such"}); len(found) > 0 {
		t.Errorf("for problems that doctor has no check for: got %+v", found)
	}
	_, err = repairs.Do(t.Context(), "no.such")
	if err == nil || !strings.Contains(err.Error(), "costream-obs doctor --only no.such") {
		t.Errorf("got %v", err)
	}
	if data, err := json.Marshal(panel.Repair{ID: "audio.sink", What: "Unmute it."}); err != nil || string(data) != `{"id":"audio.sink","what":"Unmute it."}` {
		t.Errorf("got %s (%v)", data, err)
	}
}
