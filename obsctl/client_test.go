// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
)

// TestEndAfterHello is the third fault of goobs: it panics where a connection
// ends before it has answered OBS's hello, as at a Ctrl-C.
func TestEndAfterHello(t *testing.T) {
	hangsUp := endpointOf((&fakeobs.Server{HangUp: true}).Start(t))
	for range 100 {
		if c, err := Dial(t.Context(), hangsUp, Options{}); err == nil {
			_ = c.Close()
			t.Fatal("logged in to a server that hangs up")
		}
	}
}

// TestLateReply is the first fault of goobs: an answer that comes after the
// deadline leaves its reader blocked for ever, and every later request too.
func TestLateReply(t *testing.T) {
	release := make(chan struct{})
	f := (&fakeobs.Server{Handle: func(request string, _ json.RawMessage) (any, *fakeobs.Refusal) {
		if request == "GetStreamStatus" {
			<-release
		}
		return nil, nil
	}}).Start(t)
	before := runtime.NumGoroutine()
	c := dialFake(t, f, Options{Timeout: 500 * time.Millisecond})

	_, err := c.StreamActive(t.Context())
	if !errors.Is(err, ErrNoAnswer) {
		t.Errorf("late request: got error %v, want ErrNoAnswer", err)
	}
	within(t, "Done after a missed deadline", 5*time.Second, c.Done())
	close(release)

	for i := range 3 {
		began := time.Now()
		_, err := c.RecordActive(t.Context())
		if !errors.Is(err, ErrNoAnswer) {
			t.Errorf("request %d after the late reply: got error %v, want ErrNoAnswer", i, err)
		}
		if took := time.Since(began); took > 250*time.Millisecond {
			t.Errorf("request %d after the late reply took %v, want it to fail at once", i, took)
		}
	}
	closed := make(chan struct{})
	go func() { defer close(closed); _ = c.Close() }()
	within(t, "Close after a late reply", 5*time.Second, closed)
	awaitGoroutines(t, before)

	replacement := dialFake(t, f, Options{})
	if _, err := replacement.StreamActive(t.Context()); err != nil {
		t.Errorf("request of a new client: %v", err)
	}
}

// awaitGoroutines waits for goobs's goroutines, which end with its own
// timeout, a second after ours.
func awaitGoroutines(t *testing.T, want int) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	// The server's side of a connection is two goroutines.
	for runtime.NumGoroutine() > want+2 {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("goroutines: got %d, want at most %d\n%s", runtime.NumGoroutine(), want+2,
				stacks[:runtime.Stack(stacks, true)])
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestReset is the second fault of goobs: it takes no notice of a RST, so each
// request waits for its timeout.
func TestReset(t *testing.T) {
	t.Run("in the middle of a request", func(t *testing.T) {
		asked, release := make(chan struct{}), make(chan struct{})
		f := (&fakeobs.Server{Handle: func(string, json.RawMessage) (any, *fakeobs.Refusal) {
			close(asked)
			<-release
			return nil, nil
		}}).Start(t)
		defer close(release)
		c := dialFake(t, f, Options{Timeout: time.Minute})
		failed := make(chan error, 1)
		go func() {
			_, err := c.StreamActive(t.Context())
			failed <- err
		}()
		within(t, "the request", 5*time.Second, asked)
		f.Reset()
		if err := within(t, "the end of the request", 5*time.Second, failed); !errors.Is(err, ErrLost) {
			t.Errorf("request: got error %v, want ErrLost", err)
		}
		within(t, "Done", 5*time.Second, c.Done())
	})
	t.Run("idle", func(t *testing.T) {
		f := (&fakeobs.Server{}).Start(t)
		c := dialFake(t, f, Options{Timeout: time.Minute, Heartbeat: time.Hour})
		f.Reset()
		within(t, "Done", 5*time.Second, c.Done())
		if !errors.Is(c.Err(), ErrLost) {
			t.Errorf("Err: got %v, want ErrLost", c.Err())
		}
		if _, open := <-c.Events(); open {
			t.Error("Events: got an event, want the channel closed")
		}
	})
}

// TestHeartbeat: an OBS that is frozen, or gone without a word, shows only by
// not answering.
func TestHeartbeat(t *testing.T) {
	f := (&fakeobs.Server{}).Start(t)
	c := dialFake(t, f, Options{Timeout: 500 * time.Millisecond, Heartbeat: 20 * time.Millisecond})
	f.Answer(false)
	within(t, "Done", 5*time.Second, c.Done())
	if !errors.Is(c.Err(), ErrNoAnswer) {
		t.Errorf("Err: got %v, want ErrNoAnswer", c.Err())
	}
}

// TestQueue: waiting for the request before does not count against the
// deadline of the next.
func TestQueue(t *testing.T) {
	const each, requests = 30 * time.Millisecond, 20
	f := (&fakeobs.Server{Handle: func(string, json.RawMessage) (any, *fakeobs.Refusal) {
		time.Sleep(each)
		return nil, nil
	}}).Start(t)
	c := dialFake(t, f, Options{Timeout: requests / 2 * each})
	failures := make(chan error)
	for range requests {
		go func() {
			_, err := c.StreamActive(t.Context())
			failures <- err
		}()
	}
	for range requests {
		if err := within(t, "a queued request", 5*time.Second, failures); err != nil {
			t.Errorf("queued request: %v", err)
		}
	}
}

// TestCancel: a caller that gives up does not cost the connection.
func TestCancel(t *testing.T) {
	release := make(chan struct{})
	f := (&fakeobs.Server{Handle: func(request string, _ json.RawMessage) (any, *fakeobs.Refusal) {
		if request == "GetRecordStatus" {
			<-release
		}
		return map[string]any{"outputActive": request == "GetStreamStatus"}, nil
	}}).Start(t)
	c := dialFake(t, f, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.RecordActive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("cancelled request: got error %v, want context.DeadlineExceeded", err)
	}
	close(release)
	// The answer to the first request must not be taken for this one's.
	active, err := c.StreamActive(t.Context())
	if err != nil || !active {
		t.Errorf("next request: got %v, %v, want true, nil", active, err)
	}
}

// TestTrackless: one track is enough, and an answer without tracks says nothing.
func TestTrackless(t *testing.T) {
	for _, tt := range []struct {
		name   string
		tracks any
		want   bool
	}{
		{"all", map[string]bool{"1": true, "2": true}, false},
		{"the last", map[string]bool{"1": false, "2": true}, false},
		{"none", map[string]bool{"1": false, "2": false}, true},
		{"not told", nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := (&fakeobs.Server{Handle: func(request string, _ json.RawMessage) (any, *fakeobs.Refusal) {
				if request != "GetInputAudioTracks" {
					return nil, nil
				}
				return map[string]any{"inputAudioTracks": tt.tracks}, nil
			}}).Start(t)
			got, err := dialFake(t, f, Options{}).Trackless(t.Context(), "Music")
			if err != nil || got != tt.want {
				t.Errorf("got %v, %v, want %v", got, err, tt.want)
			}
		})
	}
}

func TestRefusal(t *testing.T) {
	tests := []struct {
		name    string
		refusal fakeobs.Refusal
		want    RequestError
		text    string
	}{
		{"with a comment", fakeobs.Refusal{Code: 600, Comment: "No source was found by the name of `Pe (600)er`."},
			RequestError{"SetInputMute", 600, "ResourceNotFound", "No source was found by the name of `Pe (600)er`."},
			"OBS refused SetInputMute: No source was found by the name of `Pe (600)er` (code 600)"},
		{"without", fakeobs.Refusal{Code: 500}, RequestError{"SetInputMute", 500, "OutputRunning", ""},
			"OBS refused SetInputMute: OutputRunning (code 500)"},
		{"with lines", fakeobs.Refusal{Code: 400, Comment: "a\nb"}, RequestError{"SetInputMute", 400, "InvalidRequestField", "a\nb"},
			"OBS refused SetInputMute: a\nb (code 400)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := (&fakeobs.Server{Handle: func(string, json.RawMessage) (any, *fakeobs.Refusal) { return nil, &tt.refusal }}).Start(t)
			err := dialFake(t, f, Options{}).SetInputMuted(t.Context(), "Peer", true)
			var got *RequestError
			if !errors.As(err, &got) {
				t.Fatalf("got error %v, want a *RequestError", err)
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
			if err.Error() != tt.text {
				t.Errorf("message: got %q, want %q", err, tt.text)
			}
			if !IsCode(fmt.Errorf("outer: %w", err), tt.want.Code) {
				t.Errorf("IsCode(%d): got false, want true", tt.want.Code)
			}
		})
	}
}

func TestUnreadableAnswer(t *testing.T) {
	f := (&fakeobs.Server{Handle: func(string, json.RawMessage) (any, *fakeobs.Refusal) {
		return map[string]any{"outputActive": "live_key_123"}, nil
	}}).Start(t)
	_, err := dialFake(t, f, Options{}).StreamActive(t.Context())
	if err == nil || strings.Contains(err.Error(), "live_key_123") {
		t.Errorf("got error %v, want one that does not quote the answer", err)
	}
}

func TestEvents(t *testing.T) {
	f := (&fakeobs.Server{}).Start(t)
	c := dialFake(t, f, Options{})
	type D = map[string]any
	f.Event("StreamStateChanged", D{"outputActive": true, "outputState": "OBS_WEBSOCKET_OUTPUT_RECONNECTING"})
	f.Event("RecordStateChanged", D{"outputState": "OBS_WEBSOCKET_OUTPUT_STARTED"})
	f.Event("RecordStateChanged", D{"outputState": "OBS_WEBSOCKET_OUTPUT_BRAND_NEW"})
	f.Event("VirtualcamStateChanged", D{"outputActive": true, "outputState": "OBS_WEBSOCKET_OUTPUT_STARTED"})
	f.Event("SomethingOfTheFuture", D{"x": 1})
	f.Event("InputMuteStateChanged", D{"inputName": "Mic/Aux", "inputMuted": true})
	f.Event("InputAudioMonitorTypeChanged", D{"inputName": "Mic/Aux", "monitorType": "OBS_MONITORING_TYPE_MONITOR_ONLY"})
	f.Event("InputNameChanged", D{"inputName": "B", "oldInputName": "A"})
	f.Event("SceneItemEnableStateChanged", D{"sceneName": "S", "sceneItemId": 3, "sceneItemEnabled": false})
	f.Event("SceneItemCreated", D{"sceneName": "S", "sceneItemId": 4, "sourceName": "Peer"})
	f.Event("SceneNameChanged", D{"sceneName": "T", "oldSceneName": "S"})
	f.Event("CurrentSceneCollectionChanging", D{"sceneCollectionName": "One"})
	f.Event("CurrentSceneCollectionChanged", D{"sceneCollectionName": "Two"})
	f.Event("ExitStarted", nil)
	want := []Event{
		StreamState{Reconnecting}, RecordState{Started}, VirtualCamState{true},
		MuteChanged{"Mic/Aux", true}, MonitorTypeChanged{"Mic/Aux", MonitorOnly}, InputRenamed{Old: "A", New: "B"},
		SceneItemEnabled{"S", 3, false}, SceneItemAdded{"S", 4, "Peer"}, SceneRenamed{Old: "S", New: "T"},
		CollectionChanging{}, CollectionChanged{"Two"}, Exiting{},
	}
	var got []Event
	for range want {
		got = append(got, within(t, "an event", 5*time.Second, c.Events()))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	f.Reset()
	within(t, "Done", 5*time.Second, c.Done())
	if want := "OBS was closed"; !strings.Contains(c.Err().Error(), want) {
		t.Errorf("Err after ExitStarted: got %q, want it to say %q", c.Err(), want)
	}
}

// TestEventOverflow: a consumer that sleeps loses the oldest events and blocks
// nobody.
func TestEventOverflow(t *testing.T) {
	f := (&fakeobs.Server{}).Start(t)
	c := dialFake(t, f, Options{})
	const sent = 3 * eventBuffer
	for i := range sent {
		f.Event("InputRemoved", map[string]any{"inputName": fmt.Sprint(i)})
		// The answer shows that what was sent before has been read by goobs,
		// whose own buffer would drop events of a burst like this one.
		if _, err := c.Stats(t.Context()); err != nil {
			t.Fatalf("request %d beside events that nobody takes: %v", i, err)
		}
	}
	first := within(t, "an event", 5*time.Second, c.Events())
	if first == (InputRemoved{"0"}) {
		t.Errorf("first event: got %v, want the oldest to be lost", first)
	}
	for last := first; last != (InputRemoved{fmt.Sprint(sent - 1)}); {
		last = within(t, "the newest event", 5*time.Second, c.Events())
	}
}

func TestDialErrors(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := endpointAt(gone.Addr())
	_ = gone.Close()
	running, here := nobody, nobody
	running.PID = 4711
	here.Host, here.PID = "localhost", 4711
	web := httptest.NewServer(nil)
	t.Cleanup(web.Close)
	locked := endpointOf((&fakeobs.Server{Password: "hunter2"}).Start(t))
	wrong, none := locked, locked
	wrong.Password, none.Password = "hunter3", ""

	tests := []struct {
		name     string
		endpoint Endpoint
		want     error
		text     string // part of the message
	}{
		{"nothing listens", nobody, ErrRefused, "start OBS"},
		{"OBS runs, nothing listens", here, ErrRefused, "process 4711"},
		{"OBS runs, one address was given", running, ErrRefused, "leave out --obs-host"},
		{"wrong password", wrong, ErrAuth, "does not accept the password"},
		{"no password", none, ErrAuth, "asks for a password"},
		{"too old", endpointOf((&fakeobs.Server{Version: "27.2.4"}).Start(t)), ErrTooOld, "OBS 27.2.4"},
		{"a web server", endpointAt(web.Listener.Addr()), ErrNotOBS, "not OBS's websocket server"},
		{"accepts and is silent", endpointAt(silent.Addr()), ErrNoAnswer, "no answer"},
		{"unknown host", Endpoint{Host: "obs.invalid", Port: 4455}, ErrUnreachable, "obs.invalid"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := Dial(t.Context(), tt.endpoint, Options{Timeout: 2 * time.Second})
			if err == nil {
				_ = c.Close()
			}
			if !errors.Is(err, tt.want) {
				t.Fatalf("got error %v, want %v", err, tt.want)
			}
			var connect *ConnectError
			if !errors.As(err, &connect) {
				t.Errorf("got %T, want a *ConnectError", err)
			}
			if !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "hunter") {
				t.Errorf("got message %q, want it to contain %q and no password", err, tt.text)
			}
		})
	}
	t.Run("right password", func(t *testing.T) {
		c, err := Dial(t.Context(), locked, Options{})
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	})
	t.Run("caller gives up", func(t *testing.T) {
		cancelled, give := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, give)
		if _, err := Dial(cancelled, endpointAt(silent.Addr()), Options{}); !errors.Is(err, context.Canceled) {
			t.Errorf("got error %v, want context.Canceled", err)
		}
	})
}

func TestSecretDoesNotPrint(t *testing.T) {
	e := Endpoint{Host: "h", Port: 1, Password: "hunter2", Source: "s"}
	var logged bytes.Buffer
	log := slog.New(slog.NewTextHandler(&logged, nil))
	log.Info("x", "endpoint", e, "password", e.Password)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "endpoint", e, "password", e.Password)
	marshalled, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	text := logged.String() + string(marshalled)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		text += fmt.Sprintf(verb, e) + fmt.Sprintf(verb, e.Password)
	}
	for _, leak := range []string{"hunter2", "68756e74657232"} {
		if strings.Contains(text, leak) {
			t.Errorf("got %q in the output:\n%s", leak, text)
		}
	}
	if got := e.Password.Reveal(); got != "hunter2" {
		t.Errorf("Reveal: got %q, want hunter2", got)
	}
}
