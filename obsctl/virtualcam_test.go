// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
)

// fakeCam is a virtual camera and the /proc of the OBS that has it.
type fakeCam struct {
	mu      sync.Mutex
	active  bool
	missing bool     // 604
	broken  bool     // the start is accepted and nothing happens
	opens   string   // device that the start opens
	held    []string // devices that OBS has open besides
	fd      string
}

const camPID = 4242

func (c *fakeCam) procRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	c.fd = filepath.Join(root, strconv.Itoa(camPID), "fd")
	if err := os.MkdirAll(c.fd, 0o700); err != nil {
		t.Fatal(err)
	}
	for i, device := range append([]string{"/dev/null", "socket:[1]"}, c.held...) {
		if err := os.Symlink(device, filepath.Join(c.fd, strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
	}
	if c.active {
		c.open(true)
	}
	return root
}

func (c *fakeCam) open(active bool) {
	c.active = active
	link := filepath.Join(c.fd, "99")
	_ = os.Remove(link)
	if active {
		_ = os.Symlink(c.opens, link)
	}
}

func (c *fakeCam) handle(request string, _ json.RawMessage) (any, *fakeobs.Refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.missing {
		return nil, &fakeobs.Refusal{Code: CodeInvalidState, Comment: "VirtualCam is not available."}
	}
	switch request {
	case "StartVirtualCam":
		if c.active {
			return nil, &fakeobs.Refusal{Code: CodeOutputRunning}
		}
		if !c.broken {
			c.open(true)
		}
	case "StopVirtualCam":
		if !c.active {
			return nil, &fakeobs.Refusal{Code: CodeOutputNotRunning}
		}
		c.open(false)
	}
	return map[string]any{"outputActive": c.active}, nil
}

func TestEnsureVirtualCam(t *testing.T) {
	refused := errors.New("video10 is busy")
	tests := []struct {
		name      string
		cam       *fakeCam
		preflight error
		want      error
		started   bool
		active    bool // afterwards
		text      string
		requests  []string
	}{
		{
			name:    "opens our device, beside a webcam and the peer's",
			cam:     &fakeCam{opens: "/dev/video10", held: []string{"/dev/video0", "/dev/video11"}},
			started: true, active: true,
			requests: []string{"GetVirtualCamStatus", "StartVirtualCam", "GetVirtualCamStatus"},
		},
		{
			name: "runs already on our device", cam: &fakeCam{active: true, opens: "/dev/video10"},
			active: true, requests: []string{"GetVirtualCamStatus"},
		},
		{
			name: "runs already on another: the user's, left alone", cam: &fakeCam{active: true, opens: "/dev/video9"},
			want: ErrWrongDevice, active: true, text: "/dev/video9 instead of /dev/video10",
			requests: []string{"GetVirtualCamStatus"},
		},
		{
			name: "opens another device: stopped again",
			cam:  &fakeCam{opens: "/dev/video9", held: []string{"/dev/video0"}},
			want: ErrWrongDevice, text: "/dev/video9 instead of /dev/video10",
			requests: []string{"GetVirtualCamStatus", "StartVirtualCam", "GetVirtualCamStatus", "StopVirtualCam"},
		},
		{
			name: "preflight fails: never tried", cam: &fakeCam{opens: "/dev/video10"}, preflight: refused, want: refused,
			requests: []string{"GetVirtualCamStatus"},
		},
		{
			name: "no virtual camera", cam: &fakeCam{missing: true}, want: ErrNoVirtualCam, text: "restart OBS",
			requests: []string{"GetVirtualCamStatus"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			proc := tt.cam.procRoot(t)
			f := (&fakeobs.Server{Handle: tt.cam.handle}).Start(t)
			started, err := dialFake(t, f, Options{}).EnsureVirtualCam(t.Context(), VirtualCam{
				Device: "/dev/video10", PID: camPID, ProcRoot: proc,
				Preflight: func(context.Context) error { return tt.preflight },
			})
			if !errors.Is(err, tt.want) || started != tt.started {
				t.Errorf("got %v, %v, want %v, %v", started, err, tt.started, tt.want)
			}
			if err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("message: got %q, want it to contain %q", err, tt.text)
			}
			if tt.cam.active != tt.active {
				t.Errorf("camera afterwards: got active %v, want %v", tt.cam.active, tt.active)
			}
			if diff := cmp.Diff(tt.requests, f.Requests()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// TestVirtualCamDead: before 30.0.0 nothing but the status shows a failed
// start; there is one attempt.
func TestVirtualCamDead(t *testing.T) {
	cam := fakeCam{broken: true}
	f := (&fakeobs.Server{Handle: cam.handle}).Start(t)
	_, err := dialFake(t, f, Options{}).EnsureVirtualCam(t.Context(), VirtualCam{Device: "/dev/video10"})
	if !errors.Is(err, ErrVirtualCamDead) {
		t.Errorf("got error %v, want ErrVirtualCamDead", err)
	}
	starts := 0
	for _, request := range f.Requests() {
		if request == "StartVirtualCam" {
			starts++
		}
	}
	if starts != 1 {
		t.Errorf("attempts: got %d, want 1", starts)
	}
}

// TestVirtualCamBrokenOff: a start that is broken off leaves no camera behind.
func TestVirtualCamBrokenOff(t *testing.T) {
	for _, at := range []string{"StartVirtualCam", "GetVirtualCamStatus"} {
		t.Run(at, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			cam := &fakeCam{opens: "/dev/video10"}
			proc := cam.procRoot(t)
			startAsked := false
			f := (&fakeobs.Server{Handle: func(request string, data json.RawMessage) (any, *fakeobs.Refusal) {
				startAsked = startAsked || request == "StartVirtualCam"
				if startAsked && request == at {
					stop()
				}
				return cam.handle(request, data)
			}}).Start(t)
			// The device is the wrong one, so that there is an error also where the last answer overtakes the end of ctx.
			started, err := dialFake(t, f, Options{}).EnsureVirtualCam(ctx, VirtualCam{Device: "/dev/video9", PID: camPID, ProcRoot: proc})
			if started || err == nil {
				t.Errorf("got %v, %v, want false and an error", started, err)
			}
			cam.mu.Lock()
			defer cam.mu.Unlock()
			if cam.active {
				t.Error("the camera still runs")
			}
		})
	}
}

// TestVirtualCamUnknown: a camera of which OBS does not say whether it runs, as while it loads scenes, is stopped, too.
func TestVirtualCamUnknown(t *testing.T) {
	cam := &fakeCam{opens: "/dev/video10"}
	proc := cam.procRoot(t)
	startAsked := false
	f := (&fakeobs.Server{Handle: func(request string, data json.RawMessage) (any, *fakeobs.Refusal) {
		if startAsked && request == "GetVirtualCamStatus" {
			return nil, &fakeobs.Refusal{Code: 207}
		}
		startAsked = startAsked || request == "StartVirtualCam"
		return cam.handle(request, data)
	}}).Start(t)
	started, err := dialFake(t, f, Options{}).EnsureVirtualCam(t.Context(), VirtualCam{Device: "/dev/video10", PID: camPID, ProcRoot: proc})
	if started || !IsCode(err, 207) {
		t.Errorf("got %v, %v, want false and the refusal", started, err)
	}
	cam.mu.Lock()
	defer cam.mu.Unlock()
	if cam.active {
		t.Error("the camera still runs")
	}
}

func TestOpenVideoDevices(t *testing.T) {
	cam := fakeCam{held: []string{"/dev/video11", "/dev/video0", "/dev/video11", "/home/u/dev/video3"}}
	got, err := OpenVideoDevices(camPID, cam.procRoot(t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/dev/video0", "/dev/video11"}, got); diff != "" {
		t.Errorf("devices (-want +got):\n%s", diff)
	}
	if _, err := OpenVideoDevices(1, t.TempDir()); err == nil {
		t.Error("no such process: got no error")
	}
}
