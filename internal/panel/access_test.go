// SPDX-License-Identifier: Apache-2.0

package panel

import (
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func textLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// TestAccessStays: the address outlives run, is for its user alone, and `setup dock` finds it while nothing runs.
func TestAccessStays(t *testing.T) {
	c := &companion{}
	d := t.TempDir()
	before, err := LoadOrCreate(d)
	if err != nil || len(before.Token) != 43 || before.Port != defaultPort {
		t.Fatalf("the first access: got %+v (%v)", before, err)
	}
	if again, err := LoadOrCreate(d); err != nil || again != before {
		t.Errorf("asked again: got %+v (%v), want %+v", again, err, before)
	}
	if info, err := os.Stat(File(d)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode: got %v (%v), want 0600", info.Mode(), err)
	}
	d = dir(t)
	kept, err := LoadOrCreate(d)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		t.Run("run", func(t *testing.T) {
			if _, address := start(t, c.options(d)); address != kept.URL() {
				t.Error("the address is another one after a restart")
			}
		})
	}
}

// TestAccessIsMadeAnew where somebody may know the token, or nobody can.
func TestAccessIsMadeAnew(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, d string, a Access){
		"others can read it": func(t *testing.T, d string, _ Access) {
			if err := os.Chmod(File(d), 0o644); err != nil {
				t.Fatal(err)
			}
		},
		"a short token": func(t *testing.T, d string, a Access) {
			if err := (Access{a.Port, "abc"}).save(d); err != nil {
				t.Fatal(err)
			}
		},
		"no token": func(t *testing.T, d string, a Access) {
			if err := (Access{Port: a.Port}).save(d); err != nil {
				t.Fatal(err)
			}
		},
		"damaged": func(t *testing.T, d string, _ Access) {
			if err := os.WriteFile(File(d), []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		// It may have been sent the token by a page that waited for us.
		"another program has the port": func(t *testing.T, _ string, a Access) {
			l, err := net.Listen("tcp", strings.Split(a.URL(), "/")[2])
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := dir(t)
			old, err := LoadOrCreate(d)
			if err != nil {
				t.Fatal(err)
			}
			spoil(t, d, old)
			_, address := start(t, (&companion{}).options(d))
			if strings.Contains(address, old.Token) || len(strings.Split(address, "/")[3]) != 43 {
				t.Error("the token is still the old one")
			}
			if now, err := LoadOrCreate(d); err != nil || now.URL() != address {
				t.Errorf("the new one is not kept (%v)", err)
			}
			if info, err := os.Stat(File(d)); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the file's mode: got %v (%v), want 0600", info.Mode(), err)
			}
		})
	}
}

// listensElsewhere makes a panel listen on another address, and returns what it tells of that.
func listensElsewhere(t *testing.T, o *Options, address string) chan error {
	t.Helper()
	elsewhere := make(chan error)
	o.Listen, o.Elsewhere = address, func(err error) {
		select {
		case elsewhere <- err:
		case <-t.Context().Done():
		}
	}
	return elsewhere
}

// told is the next of it.
func told(t *testing.T, elsewhere chan error) error {
	t.Helper()
	select {
	case err := <-elsewhere:
		return err
	case <-time.After(requestWithin):
		t.Fatal("nothing is told of --panel-listen")
		return nil
	}
}

// TestListen: the page is served on another address when the user asks for it, and then by that address alone.
func TestListen(t *testing.T) {
	o := (&companion{}).options(dir(t))
	elsewhere := listensElsewhere(t, &o, "127.0.0.3") // stands for the home network
	s, address := start(t, o)
	if err := told(t, elsewhere); err != nil {
		t.Fatal(err)
	}
	all := s.Addresses()
	if len(all) != 2 || all[1] != strings.Replace(address, "127.0.0.1", "127.0.0.3", 1) {
		t.Fatalf("got %d addresses", len(all))
	}
	if response, _ := get("/TOKEN/").send(t, all[1]); response.StatusCode != 200 {
		t.Errorf("on the other address: got %s", response.Status)
	}
	q := get("/TOKEN/")
	q.host = strings.Split(all[0], "/")[2]
	if response, _ := q.send(t, all[1]); response.StatusCode != 403 {
		t.Errorf("on the other address with this one's name: got %s", response.Status)
	}
}

// TestListenOnNothing: an address that nobody can listen on takes nothing from the page on this machine, and is tried again.
func TestListenOnNothing(t *testing.T) {
	for _, tt := range []struct{ name, listen, want string }{
		{"of another machine", "192.0.2.77", "ip address"},
		{"another program's port", "127.0.0.3", "ss -ltnp sport = :"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := (&companion{}).options(dir(t))
			elsewhere := listensElsewhere(t, &o, tt.listen)
			other, err := net.Listen("tcp", "127.0.0.3:"+keptPort(t, o.StateDir))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = other.Close() }()
			s := New(o)
			s.retry = time.Millisecond
			address := run(t, s)
			for range 2 {
				if err := told(t, elsewhere); err == nil || !strings.Contains(err.Error(), "--panel-listen "+tt.listen) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want the next command: %s", err, tt.want)
				}
			}
			if response, _ := get("/TOKEN/").send(t, address); response.StatusCode != 200 || len(s.Addresses()) != 1 {
				t.Errorf("on this machine: got %s and %d addresses", response.Status, len(s.Addresses()))
			}
			if tt.listen != "127.0.0.3" {
				return
			}
			_ = other.Close()
			for told(t, elsewhere) != nil {
			}
			if response, _ := get("/TOKEN/").send(t, s.Addresses()[1]); response.StatusCode != 200 {
				t.Errorf("when the port is free: got %s", response.Status)
			}
		})
	}
}

// TestListenEverywhere: all addresses of the machine include that of the page on this machine.
func TestListenEverywhere(t *testing.T) {
	for _, listen := range []string{"0.0.0.0", "::"} {
		t.Run(listen, func(t *testing.T) {
			if l, err := net.Listen("tcp", net.JoinHostPort(listen, "0")); err != nil {
				t.Skip(err)
			} else {
				_ = l.Close()
			}
			o := (&companion{}).options(dir(t))
			o.Listen = listen
			o.Elsewhere = func(err error) { t.Errorf("a second listener: %v", err) }
			s, address := start(t, o)
			if !strings.HasPrefix(address, "http://127.0.0.1:"+keptPort(t, o.StateDir)+"/") {
				t.Error("the address of this machine is another one")
			}
			for _, at := range append(s.Addresses(), strings.Replace(address, "127.0.0.1", "127.0.0.4", 1)) {
				response, body := get("/TOKEN/").send(t, at)
				if response.StatusCode != 200 || !strings.Contains(body, "<title>") {
					t.Errorf("%s: got %s", strings.Split(at, "/")[2], response.Status)
				}
				q := get("/TOKEN/")
				q.host = "evil.example:" + port(at)
				if response, _ := q.send(t, at); response.StatusCode != 403 {
					t.Errorf("%s, by another name: got %s", strings.Split(at, "/")[2], response.Status)
				}
			}
		})
	}
}

// TestAnotherUser has another user of this machine try to get in: it cannot read the token, and gets nothing without it.
func TestAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can act as another user")
	}
	for _, tool := range []string{"setpriv", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	for _, listen := range []string{"", "0.0.0.0"} {
		t.Run("--panel-listen "+listen, func(t *testing.T) { testAnotherUser(t, listen) })
	}
}

func testAnotherUser(t *testing.T, listen string) {
	c := &companion{}
	// The directories above can be entered by everybody, so that the file's own mode must do.
	d, err := os.MkdirTemp("/tmp", "panel")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(d) })
	if err := os.Chmod(d, 0o755); err != nil {
		t.Fatal(err)
	}
	o := c.options(d)
	o.Listen = listen
	_, address := start(t, o)
	asNobody := func(args ...string) (string, error) {
		out, err := exec.CommandContext(t.Context(), "setpriv", append([]string{"--reuid=65534", "--regid=65534", "--clear-groups"}, args...)...).CombinedOutput()
		return string(out), err
	}
	if out, err := asNobody("ls", d); err != nil || !strings.Contains(out, filepath.Base(File(d))) {
		t.Fatalf("the other user should see that there is a file: %v %s", err, out)
	}
	if out, err := asNobody("cat", File(d)); err == nil || !strings.Contains(out, "Permission denied") {
		t.Errorf("reading the token: got %q (%v)", out, err)
	}
	base := strings.Join(strings.Split(address, "/")[:3], "/")
	for _, path := range []string{"/", "/events", "/" + strings.Repeat("A", 43) + "/"} {
		if out, err := asNobody("curl", "-s", "-m", "5", base+path); err != nil || out != turnedAway {
			t.Errorf("%s: got %q (%v)", path, out, err)
		}
	}
	// Not even with the token, which a page may have sent to whoever had our port while we did not run.
	for _, path := range []string{"", "page.js", "picture/friend"} {
		if out, err := asNobody("curl", "-s", "-m", "5", address+path); err != nil || out != turnedAway {
			t.Errorf("with the token, %s: got %.99q (%v)", path, out, err)
		}
	}
	if out, err := asNobody("curl", "-s", "-m", "5", "-H", "Origin: "+base, "-H", "Content-Type: application/json", "-d", `{"do":"hide"}`, address+"do"); err != nil || out != turnedAway {
		t.Errorf("an order with the token: got %.99q (%v)", out, err)
	}
	if len(c.orders) > 0 || c.pictures > 0 {
		t.Error("another user got something")
	}
}
