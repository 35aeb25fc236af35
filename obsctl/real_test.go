// SPDX-License-Identifier: Apache-2.0

package obsctl_test

import (
	"bytes"
	"errors"
	"image"
	_ "image/jpeg"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/obsctl"
)

// findAndDial connects as a user's program would: from OBS's own files.
func findAndDial(t *testing.T, obs *testbed.OBS) *obsctl.Client {
	t.Helper()
	endpoint, err := obsctl.Find(obsctl.FindOptions{Home: obs.Home, XDGConfigHome: obs.Config})
	if err != nil {
		t.Fatalf("Find: %v", err)
	}
	c, err := obsctl.Dial(t.Context(), endpoint, obsctl.Options{Heartbeat: 200 * time.Millisecond})
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// must fails the test on an error of a request that has to work.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// send sends a batch of one request, and returns its answer.
func send[T any](t *testing.T, b *obsctl.Batch, answer *obsctl.Answer[T]) T {
	t.Helper()
	check(t, b.Do(t.Context()))
	check(t, answer.Err)
	return answer.Value
}

// awaitEvent takes events until the wanted one comes.
func awaitEvent(t *testing.T, c *obsctl.Client, want obsctl.Event) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case got, open := <-c.Events():
			if !open {
				t.Fatalf("await %#v: the connection ended: %v", want, c.Err())
			}
			if cmp.Equal(got, want) {
				return
			}
		case <-deadline:
			t.Fatalf("event %#v did not come", want)
		}
	}
}

func awaitDone(t *testing.T, c *obsctl.Client, limit time.Duration, want error) {
	t.Helper()
	began := time.Now()
	select {
	case <-c.Done():
		t.Logf("noticed after %v: %v", time.Since(began).Round(time.Millisecond), c.Err())
	case <-time.After(limit):
		t.Fatalf("the client did not end within %v", limit)
	}
	if !errors.Is(c.Err(), want) {
		t.Errorf("Err: got %v, want %v", c.Err(), want)
	}
}

func TestRealConnection(t *testing.T) {
	testbed.Need(t)
	obs := testbed.StartOBS(t, testbed.OBSOptions{Password: "correct horse"})

	t.Run("found by its files and its process", func(t *testing.T) {
		endpoint := must[obsctl.Endpoint](t)(obsctl.Find(obsctl.FindOptions{Home: obs.Home, XDGConfigHome: obs.Config}))
		if endpoint.Port != obs.Port || endpoint.Password.Reveal() != obs.Password || endpoint.PID != obs.PID() ||
			!endpoint.AuthRequired || !endpoint.Enabled {
			t.Errorf("got %+v (password right: %v), want port %d, process %d", endpoint,
				endpoint.Password.Reveal() == obs.Password, obs.Port, obs.PID())
		}
	})
	t.Run("wrong password", func(t *testing.T) {
		endpoint := obsctl.Endpoint{Host: "127.0.0.1", Port: obs.Port, Password: "wrong"}
		if _, err := obsctl.Dial(t.Context(), endpoint, obsctl.Options{}); !errors.Is(err, obsctl.ErrAuth) {
			t.Errorf("got error %v, want ErrAuth", err)
		}
	})
	t.Run("version", func(t *testing.T) {
		v := findAndDial(t, obs).Version()
		if v.OBS.Major < 28 || v.WebSocket.Major != 5 || !v.Supports("GetSourceScreenshot") || v.Supports("Nonsense") {
			t.Errorf("got %+v", v)
		}
	})
	t.Run("frozen", func(t *testing.T) {
		endpoint := must[obsctl.Endpoint](t)(obsctl.Find(obsctl.FindOptions{Home: obs.Home, XDGConfigHome: obs.Config}))
		options := obsctl.Options{Timeout: 500 * time.Millisecond, Heartbeat: 100 * time.Millisecond}
		c := must[*obsctl.Client](t)(obsctl.Dial(t.Context(), endpoint, options))
		t.Cleanup(func() { _ = c.Close() })
		check(t, syscall.Kill(obs.PID(), syscall.SIGSTOP))
		awaitDone(t, c, 5*time.Second, obsctl.ErrNoAnswer)
		_, err := obsctl.Dial(t.Context(), endpoint, options)
		check(t, syscall.Kill(obs.PID(), syscall.SIGCONT))
		if !errors.Is(err, obsctl.ErrNoAnswer) {
			t.Errorf("Dial of a frozen OBS: got error %v, want ErrNoAnswer", err)
		}
		findAndDial(t, obs)
	})
	t.Run("closed by the user", func(t *testing.T) {
		c := findAndDial(t, obs)
		began := time.Now()
		obs.Interrupt()
		// OBS waits 5 s for a client that does not answer its close frame.
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("OBS took %v to end, want it not to wait for us", took)
		}
		awaitEvent(t, c, obsctl.Exiting{})
		awaitDone(t, c, time.Second, obsctl.ErrLost)
	})
	t.Run("killed", func(t *testing.T) {
		obs.Start()
		c := findAndDial(t, obs)
		obs.Kill()
		awaitDone(t, c, 2*time.Second, obsctl.ErrLost)
		_, err := obsctl.Dial(t.Context(), c.Endpoint(), obsctl.Options{})
		if !errors.Is(err, obsctl.ErrRefused) {
			t.Errorf("Dial after the kill: got error %v, want ErrRefused", err)
		}
	})
}

func TestRealArgumentsOfOBS(t *testing.T) {
	testbed.Need(t)
	port := testbed.FreePort(t)
	// The testbed waits for the log instead of the server, whose port it does
	// not know here; the arguments do not switch a server on.
	obs := testbed.StartOBS(t, testbed.OBSOptions{WebSocketOff: true,
		Args: []string{"--websocket_port", strconv.Itoa(port), "--websocket_password=by argument"}})
	got, err := obsctl.Find(obsctl.FindOptions{Home: obs.Home, XDGConfigHome: obs.Config})
	if !errors.Is(err, obsctl.ErrServerDisabled) {
		t.Errorf("got error %v, want ErrServerDisabled", err)
	}
	if got.Port != port || got.Password.Reveal() != "by argument" || got.PID != obs.PID() {
		t.Errorf("got %+v, want port %d of process %d", got, port, obs.PID())
	}
	_, err = obsctl.Dial(t.Context(), got, obsctl.Options{})
	if !errors.Is(err, obsctl.ErrRefused) {
		t.Errorf("Dial: got error %v, want ErrRefused", err)
	}
}

// TestRealIPv4Only: an OBS that listens on IPv4 alone is found, and its plugin says which virtual camera it has, running
// or not.
func TestRealIPv4Only(t *testing.T) {
	testbed.Need(t)
	obs := testbed.StartOBS(t, testbed.OBSOptions{Args: []string{"--websocket_ipv4_only"}})
	c := findAndDial(t, obs)
	endpoint, v := c.Endpoint(), c.Version()
	if endpoint.Host != "127.0.0.1" || endpoint.PID != obs.PID() {
		t.Errorf("got %+v, want 127.0.0.1 and process %d", endpoint, obs.PID())
	}
	endpoint.Host = "::1"
	if _, err := obsctl.Dial(t.Context(), endpoint, obsctl.Options{}); !errors.Is(err, obsctl.ErrRefused) || !strings.Contains(err.Error(), "leave out --obs-host") ||
		!strings.Contains(err.Error(), "127.0.0.1:"+strconv.Itoa(endpoint.Port)) || strings.Contains(err.Error(), "tick") {
		t.Errorf("by IPv6: got %v, want it refused, with where OBS listens and without a box that is ticked", err)
	}
	if installed := obsctl.Installed("", v.OBS); installed.CameraPatched != v.CameraPatched {
		t.Errorf("OBS %s: its camera is patched: %t by its process, %t by its package", v.OBS, v.CameraPatched, installed.CameraPatched)
	}
	// Debian 12, 13 and forky.
	if want, known := map[string]bool{"29.0.2": false, "30.2.3": true, "32.2.2": false}[v.OBS.String()]; known && v.CameraPatched != want {
		t.Errorf("OBS %s: its camera is patched: got %t, want %t", v.OBS, v.CameraPatched, want)
	}
}

func TestRealRequests(t *testing.T) {
	testbed.Need(t)
	obs := testbed.StartOBS(t, testbed.OBSOptions{Width: 854, Height: 480, FPS: 25})
	c := findAndDial(t, obs)
	ctx := t.Context()

	t.Run("video", func(t *testing.T) {
		got := must[obsctl.Video](t)(c.VideoSettings(ctx))
		// OBS rounds the width of its output down to a multiple of 4.
		if diff := cmp.Diff(obsctl.Video{CanvasW: 854, CanvasH: 480, OutputW: 852, OutputH: 480, FPSNum: 25, FPSDen: 1}, got); diff != "" {
			t.Errorf("video (-want +got):\n%s", diff)
		}
		if stats := must[obsctl.Stats](t)(c.Stats(ctx)); stats.RenderTotal == 0 {
			t.Errorf("stats: got %+v, want frames", stats)
		}
	})
	t.Run("scene items", func(t *testing.T) {
		settings := map[string]any{"color": 0xff0000ff, "width": 320, "height": 180} // red, ABGR
		id := must[int](t)(c.CreateInput(ctx, testbed.Scene, "Red", "color_source_v3", settings, true))
		awaitEvent(t, c, obsctl.SceneItemAdded{Scene: testbed.Scene, ID: id, Source: "Red"})
		if _, err := c.CreateInput(ctx, testbed.Scene, "Red", "color_source_v3", nil, true); !obsctl.IsCode(err, obsctl.CodeAlreadyExists) {
			t.Errorf("second input of the name: got error %v, want code %d", err, obsctl.CodeAlreadyExists)
		}
		item := func() obsctl.SceneItem {
			t.Helper()
			for _, item := range must[[]obsctl.SceneItem](t)(c.SceneItems(ctx, testbed.Scene)) {
				if item.ID == id {
					return item
				}
			}
			t.Fatalf("no item %d", id)
			return obsctl.SceneItem{}
		}
		before := item()
		// Without bounds OBS gives 0 for them and refuses that when it is
		// sent back.
		b := c.Batch()
		send(t, b, b.SetItemTransform(testbed.Scene, obsctl.ItemID(id), before.Transform))
		after := item()
		after.Transform.BoundsW, after.Transform.BoundsH = before.Transform.BoundsW, before.Transform.BoundsH
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("item after its own transform was set (-want +got):\n%s", diff)
		}
		want := before.Transform
		want.X, want.Y, want.BoundsType, want.BoundsW, want.BoundsH = 400, 200, "OBS_BOUNDS_SCALE_INNER", 100, 50
		b = c.Batch()
		send(t, b, b.SetItemTransform(testbed.Scene, obsctl.ItemID(id), want))
		got := item().Transform
		want.W, want.H = got.W, got.H
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("transform (-want +got):\n%s", diff)
		}

		b = c.Batch()
		send(t, b, b.SetItemEnabled(testbed.Scene, obsctl.ItemID(id), false))
		awaitEvent(t, c, obsctl.SceneItemEnabled{Scene: testbed.Scene, ID: id, Enabled: false})
		b = c.Batch()
		send(t, b, b.SetItemLocked(testbed.Scene, obsctl.ItemID(id), true))
		b = c.Batch()
		second := send(t, b, b.CreateSceneItem(testbed.Scene, "Red", true).Answer)
		b = c.Batch()
		send(t, b, b.SetItemIndex(testbed.Scene, obsctl.ItemID(second), 0))
		if got := item(); got.Enabled || !got.Locked || got.Index != 1 || got.Source != "Red" || got.InputKind != "color_source_v3" {
			t.Errorf("item: got %+v, want it hidden, locked and at index 1", got)
		}
		check(t, c.RemoveSceneItem(ctx, testbed.Scene, second))
		awaitEvent(t, c, obsctl.SceneItemRemoved{Scene: testbed.Scene, ID: second, Source: "Red"})
		b = c.Batch()
		asGroup := b.GroupItems(testbed.Scene)
		check(t, b.Do(ctx))
		if asGroup.Err == nil {
			t.Error("items of a scene as of a group: got no error")
		}
	})
	t.Run("screenshot", func(t *testing.T) {
		data := must[[]byte](t)(c.Screenshot(ctx, "Red", 64, 36, "jpg", 80))
		picture, format, err := image.Decode(bytes.NewReader(data))
		check(t, err)
		if picture.Bounds().Dx() != 64 || picture.Bounds().Dy() != 36 || format != "jpeg" {
			t.Errorf("got a %s of %v, want a jpeg of 64x36", format, picture.Bounds())
		}
		if r, g, b, _ := picture.At(32, 18).RGBA(); r < 0xe000 || g > 0x2000 || b > 0x2000 {
			t.Errorf("colour: got %x %x %x, want red", r, g, b)
		}
		alone := must[*obsctl.Screenshots](t)(obsctl.DialScreenshots(ctx, c.Endpoint(), obsctl.Options{}))
		t.Cleanup(func() { _ = alone.Close() })
		if !bytes.Equal(data, must[[]byte](t)(alone.Screenshot(ctx, "Red", 64, 36, "jpg", 80))) {
			t.Error("Screenshots: got another picture than from the Client")
		}
		if _, err := alone.Screenshot(ctx, "Nobody", 64, 36, "jpg", 80); !obsctl.IsCode(err, obsctl.CodeNotFound) {
			t.Errorf("Screenshots of no source: got error %v, want code %d", err, obsctl.CodeNotFound)
		}
		if _, err := c.Screenshot(ctx, "Nobody", 64, 36, "jpg", 80); !obsctl.IsCode(err, obsctl.CodeNotFound) {
			t.Errorf("of no source: got error %v, want code %d", err, obsctl.CodeNotFound)
		}
	})
	t.Run("inputs", func(t *testing.T) {
		special := must[obsctl.SpecialInputs](t)(c.SpecialInputs(ctx))
		if diff := cmp.Diff(obsctl.SpecialInputs{Desktop: []string{"Desktop Audio"}, Mics: []string{"Mic/Aux"}}, special); diff != "" {
			t.Errorf("special inputs (-want +got):\n%s", diff)
		}
		check(t, c.SetInputSettings(ctx, "Red", map[string]any{"width": 100}, true))
		settings := must[map[string]any](t)(c.InputSettings(ctx, "Red"))
		if settings["width"] != 100.0 || settings["height"] != 180.0 {
			t.Errorf("settings: got %v, want width 100 and height 180", settings)
		}
		obs.Request("SetInputName", testbed.D{"inputName": "Red", "newInputName": "Crimson"}, nil)
		awaitEvent(t, c, obsctl.InputRenamed{Old: "Red", New: "Crimson"})
		check(t, c.SetInputMuted(ctx, "Mic/Aux", true))
		awaitEvent(t, c, obsctl.MuteChanged{Input: "Mic/Aux", Muted: true})
		if !must[bool](t)(c.InputMuted(ctx, "Mic/Aux")) {
			t.Error("muted: got false, want true")
		}
		check(t, c.SetMonitorType(ctx, "Mic/Aux", obsctl.MonitorOnly))
		awaitEvent(t, c, obsctl.MonitorTypeChanged{Input: "Mic/Aux", Type: obsctl.MonitorOnly})
		if must[bool](t)(c.Trackless(ctx, "Mic/Aux")) {
			t.Error("Mic/Aux is on no audio track")
		}
		obs.Request("SetInputAudioTracks", testbed.D{"inputName": "Mic/Aux",
			"inputAudioTracks": testbed.D{"1": false, "2": false, "3": false, "4": false, "5": false, "6": false}}, nil)
		if !must[bool](t)(c.Trackless(ctx, "Mic/Aux")) {
			t.Error("Mic/Aux is still on an audio track")
		}
		monitored := must[map[string]obsctl.MonitorType](t)(c.Monitored(ctx))
		if diff := cmp.Diff(map[string]obsctl.MonitorType{"Mic/Aux": obsctl.MonitorOnly}, monitored); diff != "" {
			t.Errorf("monitored (-want +got):\n%s", diff)
		}
		check(t, c.RemoveInput(ctx, "Crimson"))
		awaitEvent(t, c, obsctl.InputRemoved{Input: "Crimson"})
	})
	t.Run("scenes", func(t *testing.T) {
		check(t, c.CreateScene(ctx, "Second"))
		awaitEvent(t, c, obsctl.ScenesChanged{Scene: "Second"})
		if diff := cmp.Diff([]string{testbed.Scene, "Second"}, must[[]string](t)(c.Scenes(ctx))); diff != "" {
			t.Errorf("scenes (-want +got):\n%s", diff)
		}
		check(t, c.SetProgramScene(ctx, "Second"))
		awaitEvent(t, c, obsctl.ProgramScene{Name: "Second"})
		if got := must[string](t)(c.ProgramScene(ctx)); got != "Second" {
			t.Errorf("programme: got %q, want Second", got)
		}
		b := c.Batch()
		if studio := send(t, b, b.StudioMode()); studio {
			t.Error("studio mode at the beginning: got it on, want it off")
		}
		for _, on := range []bool{true, false} {
			obs.Request("SetStudioModeEnabled", testbed.D{"studioModeEnabled": on}, nil)
			awaitEvent(t, c, obsctl.StudioMode{On: on})
			b = c.Batch()
			if got := send(t, b, b.StudioMode()); got != on {
				t.Errorf("studio mode: got %t, want %t", got, on)
			}
		}
	})
	t.Run("collections", func(t *testing.T) {
		check(t, c.CreateCollection(ctx, "Other"))
		awaitEvent(t, c, obsctl.CollectionChanging{})
		awaitEvent(t, c, obsctl.CollectionChanged{Name: "Other"})
		check(t, c.SetCollection(ctx, "Untitled"))
		current, all, err := c.Collections(ctx)
		check(t, err)
		if diff := cmp.Diff([]string{"Other", "Untitled"}, all); current != "Untitled" || diff != "" {
			t.Errorf("collections: got current %q, all (-want +got):\n%s", current, diff)
		}
	})
	t.Run("persistent data", func(t *testing.T) {
		type memory struct {
			N    int
			Text string
			Off  bool
		}
		var got memory
		if found := must[bool](t)(c.PersistentData(ctx, "costream-test", &got)); found {
			t.Errorf("a slot that was never set: got %+v", got)
		}
		want := memory{N: 9007199254740993, Text: "ü😀\"\\n", Off: false}
		check(t, c.SetPersistentData(ctx, "costream-test", want))
		if found := must[bool](t)(c.PersistentData(ctx, "costream-test", &got)); !found || got != want {
			t.Errorf("got %+v, found %v, want %+v", got, found, want)
		}
		check(t, c.SetPersistentData(ctx, "costream-test", nil))
		if must[bool](t)(c.PersistentData(ctx, "costream-test", &got)) {
			t.Error("an emptied slot: got found")
		}
	})
	t.Run("monitoring device", func(t *testing.T) {
		for name, value := range map[string]string{"MonitoringDeviceId": "gone.monitor", "MonitoringDeviceName": "Monitor of Gone"} {
			obs.Request("SetProfileParameter", testbed.D{"parameterCategory": "Audio", "parameterName": name, "parameterValue": value}, nil)
		}
		chosen := obsctl.MonitoringDevice{ID: "gone.monitor", Name: "Monitor of Gone"}
		if got := must[obsctl.MonitoringDevice](t)(c.MonitoringDevice(ctx)); got != chosen {
			t.Errorf("got %+v, want %+v", got, chosen)
		}
		check(t, c.ResetMonitoringDevice(ctx))
		check(t, c.ResetMonitoringDevice(ctx))
		if got := must[obsctl.MonitoringDevice](t)(c.MonitoringDevice(ctx)); got.Sink(c.Version()) != "" {
			t.Errorf("after its reset: got %+v, want the default", got)
		}
		if got := must[string](t)(c.Profile(ctx)); got != "Untitled" {
			t.Errorf("profile: got %q, want Untitled", got)
		}
	})
	t.Run("virtual camera", func(t *testing.T) {
		if _, err := os.Stat("/sys/module/v4l2loopback"); err == nil {
			t.Skip("v4l2loopback is loaded on this machine")
		}
		_, err := c.EnsureVirtualCam(ctx, obsctl.VirtualCam{Device: "/dev/video10", PID: obs.PID()})
		if !errors.Is(err, obsctl.ErrNoVirtualCam) {
			t.Errorf("got error %v, want ErrNoVirtualCam", err)
		}
		if err := c.StartOutput(ctx, "V4l2sink"); !obsctl.IsCode(err, obsctl.CodeNotFound) {
			t.Errorf("an output that is not there: got error %v, want code %d", err, obsctl.CodeNotFound)
		}
	})
}

func TestRealStream(t *testing.T) {
	testbed.Need(t)
	obs := testbed.StartOBS(t, testbed.OBSOptions{})
	obs.StreamTo(testbed.NewRTMP(t))
	c := findAndDial(t, obs)
	if must[bool](t)(c.StreamActive(t.Context())) {
		t.Error("before the start: got on air")
	}
	obs.StartStream()
	awaitEvent(t, c, obsctl.StreamState{Phase: obsctl.Starting})
	awaitEvent(t, c, obsctl.StreamState{Phase: obsctl.Started})
	if !must[bool](t)(c.StreamActive(t.Context())) {
		t.Error("on air: got off air")
	}
	obs.StopStream()
	awaitEvent(t, c, obsctl.StreamState{Phase: obsctl.Stopping})
	awaitEvent(t, c, obsctl.StreamState{Phase: obsctl.Stopped})
	if must[bool](t)(c.StreamActive(t.Context())) {
		t.Error("after the stop: got on air")
	}
}
