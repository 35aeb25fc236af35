// SPDX-License-Identifier: Apache-2.0

package pulse_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

const limit = 10 * time.Second

func exists(t *testing.T, p pulse.Client, sink string) bool {
	t.Helper()
	_, err := p.SinkNamed(t.Context(), sink)
	if err != nil && !errors.Is(err, pulse.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func TestRealEnsureSink(t *testing.T) {
	testbed.Need(t)
	p := pulse.Client{Server: testbed.NewPulse(t, "load-module module-null-sink sink_name=users_own").Server}
	ctx := t.Context()

	made, unload, err := p.EnsureSink(ctx, "costream_topeer", "CoStreamToPeer")
	if err != nil || !made {
		t.Fatalf("first: got made %t, error %v, want it made", made, err)
	}
	sink, err := p.SinkNamed(ctx, "costream_topeer")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := sink.Description, "CoStreamToPeer"; got != want {
		t.Errorf("description: got %q, want %q", got, want)
	}

	// As a companion does that comes after one that was killed.
	made, again, err := p.EnsureSink(ctx, "costream_topeer", "CoStreamToPeer")
	if err != nil || made {
		t.Errorf("second: got made %t, error %v, want it found", made, err)
	}
	if err := again(ctx); err != nil {
		t.Error(err)
	}
	if exists(t, p, "costream_topeer") {
		t.Error("the sink of an earlier run is still there")
	}
	if err := unload(ctx); err != nil {
		t.Errorf("unload what is gone: %v", err)
	}

	made, unload, err = p.EnsureSink(ctx, "users_own", "CoStreamToPeer")
	if err != nil || made {
		t.Errorf("user's own: got made %t, error %v, want it found", made, err)
	}
	if err := unload(ctx); err != nil {
		t.Error(err)
	}
	if !exists(t, p, "users_own") {
		t.Error("a sink that we did not make is gone")
	}
}

// After a restart of the server, module indices belong to others.
func TestRealUnloadAfterRestart(t *testing.T) {
	testbed.Need(t)
	server := testbed.NewPulse(t)
	p := pulse.Client{Server: server.Server}
	_, unload, err := p.EnsureSink(t.Context(), "costream_topeer", "CoStreamToPeer")
	if err != nil {
		t.Fatal(err)
	}
	server.Restart()
	server.Pactl("load-module", "module-null-sink", "sink_name=stranger")
	if err := unload(t.Context()); err != nil {
		t.Error(err)
	}
	if !exists(t, p, "stranger") {
		t.Error("another's module was unloaded")
	}
	server.Kill()
	if err := unload(t.Context()); err != nil {
		t.Errorf("unload without a server: got %v, want no error", err)
	}
	if _, _, err := p.EnsureSink(t.Context(), "costream_topeer", "CoStreamToPeer"); !errors.Is(err, pulse.ErrNoServer) {
		t.Errorf("ensure without a server: got %v, want %v", err, pulse.ErrNoServer)
	}
}

func TestRealMoveSinkInput(t *testing.T) {
	testbed.Need(t)
	server := testbed.NewPulse(t)
	p := pulse.Client{Server: server.Server}
	ctx := t.Context()
	if _, err := p.LoadNullSink(ctx, "costream_topeer", "CoStreamToPeer"); err != nil {
		t.Fatal(err)
	}
	target, err := p.SinkNamed(ctx, "costream_topeer")
	if err != nil {
		t.Fatal(err)
	}
	server.PlayTone(testbed.Headphones, testbed.Tone{Hz: 1000})
	input := awaitInput(t, p)
	if err := p.MoveSinkInput(ctx, input.Index, "costream_topeer"); err != nil {
		t.Fatal(err)
	}
	if got := awaitInput(t, p).Sink; got != target.Index {
		t.Errorf("sink of the moved stream: got %d, want %d", got, target.Index)
	}
	testbed.Await(t, "the tone is in the sink it was moved to", limit, func() error {
		if got := testbed.ToneLevel(server.Record(target.Monitor, 200*time.Millisecond), 1000); got < 0.4 {
			return fmt.Errorf("got level %.2f, want 0.5", got)
		}
		return nil
	})
	if err := p.SetSinkInputMute(ctx, input.Index, true); err != nil {
		t.Fatal(err)
	}
	if !awaitInput(t, p).Mute {
		t.Error("stream: got it audible, want it mute")
	}
	if err := p.MoveSinkInput(ctx, 4711, "costream_topeer"); !errors.Is(err, pulse.ErrNotFound) {
		t.Errorf("move what is not there: got %v, want %v", err, pulse.ErrNotFound)
	}
	// PipeWire answers that access is denied.
	if err := p.Unload(ctx, 4711); !errors.Is(err, pulse.ErrNotFound) {
		t.Errorf("unload what is not there: got %v, want %v", err, pulse.ErrNotFound)
	}
}

// awaitInput returns the only stream.
func awaitInput(t *testing.T, p pulse.Client) (input pulse.SinkInput) {
	t.Helper()
	testbed.Await(t, "one stream plays", limit, func() error {
		inputs, err := p.SinkInputs(t.Context())
		if err == nil && len(inputs) != 1 {
			return errors.New("not one stream")
		}
		if err == nil {
			input = inputs[0]
		}
		return err
	})
	return input
}

func TestRealSubscribe(t *testing.T) {
	testbed.Need(t)
	server := testbed.NewPulse(t)
	ctx, cancel := context.WithCancel(t.Context())
	changes := pulse.Client{Server: server.Server}.Subscribe(ctx)
	await := func(what string, match func(pulse.Change) bool) {
		t.Helper()
		deadline := time.After(limit)
		for {
			select {
			case c := <-changes:
				if match(c) {
					return
				}
			case <-deadline:
				t.Fatalf("awaited for %v: %s", limit, what)
			}
		}
	}
	newSink := func(c pulse.Change) bool { return c.Event == "new" && c.Object == "sink" }

	await("the server came", pulse.Change.ServerCame)
	server.Pactl("load-module", "module-null-sink", "sink_name=other")
	await("a sink came", newSink)
	server.Kill()
	await("the server went", pulse.Change.ServerWent)
	server.Restart()
	await("the server came back", pulse.Change.ServerCame)
	server.Pactl("load-module", "module-null-sink", "sink_name=other")
	await("a sink came after the restart", newSink)

	cancel()
	deadline := time.After(limit)
	for {
		select {
		case _, open := <-changes:
			if !open {
				return
			}
		case <-deadline:
			t.Fatal("the channel is not closed after the end of its context")
		}
	}
}

// TestRealPeak: one stream is heard alone, beside another in the same sink that is louder, and silence is exactly 0.
func TestRealPeak(t *testing.T) {
	testbed.Need(t)
	server := testbed.NewPulse(t)
	p := pulse.Client{Server: server.Server}
	play := func(tone testbed.Tone) (index int) {
		t.Helper()
		before, err := p.SinkInputs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		server.PlayTone(testbed.Headphones, tone)
		testbed.Await(t, "a stream", limit, func() error {
			now, err := p.SinkInputs(t.Context())
			if err != nil || len(now) == len(before) {
				return fmt.Errorf("%d streams, %w", len(now), err)
			}
			for _, stream := range now {
				if !slices.ContainsFunc(before, func(old pulse.SinkInput) bool { return old.Index == stream.Index }) {
					index = stream.Index
				}
			}
			return nil
		})
		return index
	}
	loud, quiet := play(testbed.Tone{Hz: 440, Volume: 0.5}), play(testbed.Tone{Hz: 1000, Volume: 0.1})
	muted := play(testbed.Tone{Hz: 700, Volume: 0.5})
	if err := p.SetSinkInputMute(t.Context(), muted, true); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		what     pulse.Sounding
		from, to float64
	}{
		{"the loud one", pulse.OfSinkInput(loud), 0.4, 0.55},
		{"the quiet one", pulse.OfSinkInput(quiet), 0.05, 0.15},
		{"the silent one", pulse.OfSinkInput(muted), 0, 0},
		{"all that the sink plays", pulse.OfSource(testbed.Headphones + ".monitor"), 0.5, 0.7},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		got, err := p.Peak(ctx, tt.what)
		cancel()
		if err != nil || got < tt.from || got > tt.to {
			t.Errorf("%s: got a peak of %.3f, %v, want %v to %v", tt.name, got, err, tt.from, tt.to)
		}
	}
}
