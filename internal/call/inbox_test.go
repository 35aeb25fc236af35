// SPDX-License-Identifier: Apache-2.0

package call

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
)

// stubReceiver notes packets instead of decoding them.
type stubReceiver struct {
	got  chan string
	stop chan error
	over chan struct{}
}

func newStubReceiver() *stubReceiver {
	return &stubReceiver{got: make(chan string, 16), stop: make(chan error, 1), over: make(chan struct{})}
}

func (r *stubReceiver) Push(packet []byte) { r.got <- string(packet) }
func (r *stubReceiver) Dot() string        { return "" }
func (r *stubReceiver) Text() string       { return "" }
func (r *stubReceiver) Run(ctx context.Context) error {
	defer close(r.over)
	select {
	case <-ctx.Done():
		return nil
	case err := <-r.stop:
		return err
	}
}

func TestInboxGivesEachStreamItsReceiver(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	built := make(chan *stubReceiver, 4)
	failures := make(chan error, 16)
	b := newInbox(link.Video, func() (receiver, error) {
		r := newStubReceiver()
		built <- r
		return r, nil
	}, func(err error) { failures <- err }, slog.New(slog.DiscardHandler))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.run(ctx)
	}()

	b.put(link.Stream{ID: 1}, []byte("one"))
	first := testbed.Receive(t, built, "the first receiver")
	b.put(link.Stream{ID: 1}, []byte("two"))
	got := []string{testbed.Receive(t, first.got, "a packet"), testbed.Receive(t, first.got, "a packet")}
	if diff := cmp.Diff([]string{"one", "two"}, got); diff != "" {
		t.Errorf("packets of the first stream (-want +got):\n%s", diff)
	}

	b.put(link.Stream{ID: 2}, []byte("three"))
	second := testbed.Receive(t, built, "a receiver for the second stream")
	testbed.Receive(t, first.over, "the end of the first receiver")
	if got := testbed.Receive(t, second.got, "a packet"); got != "three" {
		t.Errorf("second stream: got %q, want %q", got, "three")
	}

	fault := errors.New("decoder died")
	for len(failures) > 0 {
		<-failures
	}
	second.stop <- fault
	if got := testbed.Receive(t, failures, "word of the failure"); !errors.Is(got, fault) {
		t.Errorf("failure: got %v, want %v", got, fault)
	}

	cancel()
	testbed.Receive(t, ended, "the inbox's end")
	if b.running() != nil {
		t.Error("a receiver is left after the inbox's end")
	}
}

func TestInboxHoldsPackets(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := newStubReceiver()
	b := newInbox(link.Video, func() (receiver, error) { return r, nil }, func(error) {}, slog.New(slog.DiscardHandler))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.run(ctx)
	}()
	const wait = 80 * time.Millisecond
	b.hold(wait)
	for _, packet := range []string{"one", "two"} {
		put := time.Now()
		b.put(link.Stream{ID: 1}, []byte(packet))
		if got := testbed.Receive(t, r.got, "a packet"); got != packet {
			t.Errorf("got packet %q, want %q", got, packet)
		}
		if got := time.Since(put); got < wait {
			t.Errorf("packet %q: got it after %v, want at least %v", packet, got, wait)
		}
	}
	b.hold(time.Hour)
	b.put(link.Stream{ID: 1}, []byte("never"))
	cancel()
	testbed.Receive(t, ended, "the end while a packet waits")
}

// What finds no room is told, since the link takes it for received.
func TestInboxTellsWhatItLoses(t *testing.T) {
	b := newInbox(link.Video, func() (receiver, error) { return newStubReceiver(), nil }, func(error) {}, slog.New(slog.DiscardHandler))
	lost := 0
	b.lost = func() { lost++ }
	for range inboxPackets {
		b.put(link.Stream{ID: 1}, []byte("packet"))
	}
	if lost > 0 {
		t.Errorf("%d of %d packets were lost, want room for all", lost, inboxPackets)
	}
	for range 3 {
		b.put(link.Stream{ID: 1}, []byte("one too many"))
	}
	if lost != 3 {
		t.Errorf("got word of %d lost packets, want 3", lost)
	}
}

// keyLink counts the requests for key frames, and hands packets over when told to.
type keyLink struct {
	link.Link
	handler  link.Handler
	requests atomic.Int64
}

func (l *keyLink) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (l *keyLink) RequestKeyFrame()              { l.requests.Add(1) }
func (l *keyLink) Stats() link.Stats             { return link.Stats{} }

// Where packets of the picture are lost between the link and the decoder, a key frame is asked for, although pictures go on.
func TestKeyFrameForWhatTheInboxLoses(t *testing.T) {
	l := &keyLink{}
	c := Start(t.Context(), Options{
		Link:   func(h link.Handler) (link.Link, error) { l.handler = h; return l, nil },
		Screen: &coveredScreen{covering: func() {}}, Apart: true,
	})
	for c.Link() == nil {
		runtime.Gosched()
	}
	// No packet gets to a decoder, and the one that waits for it may have left its place.
	c.video.hold(time.Hour)
	before := l.requests.Load() // since there is no picture
	for range inboxPackets + 2 {
		l.handler.RTP(link.Video, link.Stream{ID: 1}, make([]byte, rtpHeader))
	}
	if got := l.requests.Load() - before; got < 1 || got > 3 {
		t.Errorf("got %d requests for key frames, want one for each lost packet", got)
	}
	c.Stop()
}
