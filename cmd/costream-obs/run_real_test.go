// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// running is a `costream-obs run --json` within the test.
type running struct {
	mu     sync.Mutex
	stdout bytes.Buffer
	ended  chan int
	stop   context.CancelFunc
	stderr bytes.Buffer // to be read once it has ended
}

func (r *running) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stdout.Write(b)
}

// reports are the lines so far.
func (r *running) reports(t *testing.T) []control.Report {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []control.Report
	for line := range strings.Lines(r.stdout.String()) {
		var report control.Report
		if err := json.Unmarshal([]byte(line), &report); err != nil {
			t.Errorf("line %q is no report: %v", line, err)
		}
		all = append(all, report)
	}
	return all
}

// await returns when the newest report is in a state and has this in its detail.
func (r *running) await(t *testing.T, state control.State, detail string) {
	t.Helper()
	testbed.Await(t, fmt.Sprintf("%q with %q", state, detail), 20*time.Second, func() error {
		all := r.reports(t)
		if len(all) == 0 {
			return fmt.Errorf("no report")
		}
		if last := all[len(all)-1]; last.State != state || !strings.Contains(last.Detail, detail) {
			return fmt.Errorf("the newest report is %+v", last)
		}
		return nil
	})
}

// end waits for the program, after stopping it where asked, and returns what it left.
func (r *running) end(t *testing.T, stop bool) result {
	t.Helper()
	if stop {
		r.stop()
	}
	select {
	case code := <-r.ended:
		return result{Code: code, Stderr: r.stderr.String()}
	case <-time.After(20 * time.Second):
		t.Fatal("still runs after 20 s")
		return result{}
	}
}

// startRun starts the program beside a sound server and a peer who is never there.
func startRun(t *testing.T, basePort int, args ...string) *running {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r := &running{ended: make(chan int, 1), stop: stop}
	args = append([]string{"run", "--json", "--peer=127.0.0.2", "--listen=127.0.0.1", "--route=portable", "--base-port", strconv.Itoa(basePort)}, args...)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.ended <- Run(ctx, args, strings.NewReader(""), r, &r.stderr)
	}()
	t.Cleanup(func() { stop(); <-done })
	return r
}

func TestRealRun(t *testing.T) {
	testbed.Need(t)
	pulse := testbed.NewPulse(t)
	obs := testbed.StartOBS(t, testbed.OBSOptions{Pulse: pulse, Password: "correct horse"})
	mute := testbed.StartOBS(t, testbed.OBSOptions{Name: "OBS without websocket", Pulse: pulse, WebSocketOff: true})
	port := testbed.FreeUDPPorts(t, 8)
	begin := func(t *testing.T) {
		t.Helper()
		isolate(t)
		t.Setenv("PULSE_SERVER", pulse.Server)
	}

	t.Run("no OBS", func(t *testing.T) {
		begin(t)
		r := startRun(t, port, "--obs-port", strconv.Itoa(testbed.FreePort(t)))
		r.await(t, control.Waiting, "nothing listens at")

		t.Run("second one", func(t *testing.T) {
			second := startRun(t, testbed.FreeUDPPorts(t, 8)).end(t, false)
			if want := "costream-obs run: costream-obs is already running"; second.Code != exitFailure ||
				!strings.HasPrefix(second.Stderr, want) || strings.Count(second.Stderr, "\n") != 1 {
				t.Errorf("got %+v, want exit code 1 and one line that begins with %q", second, want)
			}
		})
		if diff := cmp.Diff(result{}, r.end(t, true)); diff != "" {
			t.Errorf("stopped: -want +got:\n%s", diff)
		}
		if sinks := pulse.Pactl("list", "short", "sinks"); strings.Contains(sinks, "costream") {
			t.Errorf("left sinks behind:\n%s", sinks)
		}
	})

	t.Run("port taken", func(t *testing.T) {
		begin(t)
		holder, err := net.ListenPacket("udp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port+2)))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = holder.Close() }()
		got := startRun(t, port).end(t, false)
		begins, ends := fmt.Sprintf("costream-obs run: UDP port %d is taken by ", port+2), fmt.Sprintf("stop it with: kill %d\n", os.Getpid())
		if got.Code != exitFailure || !strings.HasPrefix(got.Stderr, begins) || !strings.HasSuffix(got.Stderr, ends) {
			t.Errorf("got %+v, want exit code 1 and %q...%q", got, begins, ends)
		}
	})

	t.Run("wrong password", func(t *testing.T) {
		begin(t)
		before := obsState(t, obs)
		t.Setenv("COSTREAM_OBS_PASSWORD", "hunter2")
		got := startRun(t, port, "--obs-port", strconv.Itoa(obs.Port)).end(t, false)
		if got.Code != exitFailure || !strings.Contains(got.Stderr, "does not accept the password") ||
			strings.Count(got.Stderr, "\n") != 1 || strings.Contains(got.Stderr, "hunter2") {
			t.Errorf("got %+v, want exit code 1 and one line about the password without it", got)
		}
		if diff := cmp.Diff(before, obsState(t, obs)); diff != "" {
			t.Errorf("OBS is not as before: -before +after:\n%s", diff)
		}
	})

	t.Run("OBS without websocket", func(t *testing.T) {
		begin(t)
		t.Setenv("HOME", mute.Home)
		t.Setenv("XDG_CONFIG_HOME", mute.Config)
		r := startRun(t, port)
		r.await(t, control.Waiting, "WebSocket Server Settings")
		if diff := cmp.Diff(result{}, r.end(t, true)); diff != "" {
			t.Errorf("stopped: -want +got:\n%s", diff)
		}
	})

	t.Run("ready and off again", func(t *testing.T) {
		begin(t)
		before := obsState(t, obs)
		t.Setenv("COSTREAM_OBS_PASSWORD", "correct horse")
		r := startRun(t, port, "--obs-port", strconv.Itoa(obs.Port))
		r.await(t, control.Ready, "connected to OBS")
		if got := runCLI(t.Context(), "graph"); got.Code > exitFailure {
			t.Errorf("graph: got %+v, want an answer", got)
		}
		if diff := cmp.Diff(result{Stderr: plainWarning}, r.end(t, true)); diff != "" {
			t.Errorf("stopped: -want +got:\n%s", diff)
		}
		if diff := cmp.Diff(before, obsState(t, obs)); diff != "" {
			t.Errorf("OBS is not as before: -before +after:\n%s", diff)
		}
	})
}

// TestRealPeerThroughRun: a running costream-obs does what peer commands ask for, and they do it themselves without one. The
// commands have a wrong password, which only their own connection to OBS needs.
func TestRealPeerThroughRun(t *testing.T) {
	testbed.Need(t)
	pulse := testbed.NewPulse(t)
	obs := testbed.StartOBS(t, testbed.OBSOptions{Pulse: pulse, Password: "correct horse"})
	isolate(t)
	t.Setenv("PULSE_SERVER", pulse.Server)
	t.Setenv("COSTREAM_OBS_PORT", strconv.Itoa(obs.Port))
	t.Setenv("COSTREAM_ROUTE", "portable")
	t.Setenv("COSTREAM_OBS_PASSWORD", "correct horse")
	r := startRun(t, testbed.FreeUDPPorts(t, 8))
	r.await(t, control.Ready, "connected to OBS")

	t.Setenv("COSTREAM_OBS_PASSWORD", "wrong")
	for _, step := range []struct{ args, want string }{
		{"peer add", "Added to scene \"" + testbed.Scene + "\"\n"},
		{"peer hide", "Hidden in scene \"" + testbed.Scene + "\"\n"},
		{"peer toggle", "Shown in scene \"" + testbed.Scene + "\"\n"},
		{"peer layout full", "Laid out in scene \"" + testbed.Scene + "\"\n"},
		{"peer layout save mine", ""},
		{"peer layout restore", "Laid out in scene \"" + testbed.Scene + "\"\n"},
		{"peer layout use mine", "Laid out in scene \"" + testbed.Scene + "\"\n"},
		{"peer remove", "Removed from scene \"" + testbed.Scene + "\"\n"},
	} {
		if diff := cmp.Diff(result{Stdout: step.want}, runCLI(t.Context(), strings.Fields(step.args)...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.args, diff)
		}
	}
	if got := runCLI(t.Context(), "peer", "hide", "--scene", "Nowhere"); got.Code != exitFailure || !strings.Contains(got.Stderr, "Nowhere") {
		t.Errorf("a scene that OBS does not have: got %+v, want exit code 1 and its name", got)
	}
	// To another OBS the command connects itself.
	if got := runCLI(t.Context(), "peer", "status", "--obs-port", strconv.Itoa(testbed.FreePort(t))); got.Code != exitFailure || !strings.Contains(got.Stderr, "nothing listens") {
		t.Errorf("another OBS: got %+v, want exit code 1 and that nothing listens there", got)
	}
	if diff := cmp.Diff(result{Stderr: plainWarning}, r.end(t, true)); diff != "" {
		t.Errorf("stopped: -want +got:\n%s", diff)
	}
	if got := runCLI(t.Context(), "peer", "status"); got.Code != exitFailure || !strings.Contains(got.Stderr, "does not accept the password") {
		t.Errorf("without run: got %+v, want exit code 1 and that the password is wrong", got)
	}
	t.Setenv("COSTREAM_OBS_PASSWORD", "correct horse")
	if got := runCLI(t.Context(), "peer", "add"); got.Code != exitOK {
		t.Errorf("without run: got %+v, want it done", got)
	}
}

// obsState is what a user would see of OBS: its profile, scenes, items and inputs.
func obsState(t *testing.T, obs *testbed.OBS) map[string]any {
	t.Helper()
	state := make(map[string]any)
	for _, request := range []string{"GetProfileList", "GetSceneCollectionList", "GetSceneList", "GetInputList", "GetSpecialInputs"} {
		var answer map[string]any
		obs.Request(request, nil, &answer)
		state[request] = answer
	}
	var items map[string]any
	obs.Request("GetSceneItemList", testbed.D{"sceneName": testbed.Scene}, &items)
	state["items"] = items
	return state
}
