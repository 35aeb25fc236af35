// SPDX-License-Identifier: Apache-2.0

package media

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

// TestVideoSenderCover: while it is covered a sender sends its card, from its first picture on, and nothing of what it is fed.
func TestVideoSenderCover(t *testing.T) {
	for _, f := range []VideoFormat{{320, 180, 30, 1}, {854, 480, 30, 1}} { // the second has padded rows
		card := frameFromRGBA(filled(f.W, f.H, teal))
		var wrong atomic.Uint64 // pictures that show what is fed while they must not
		var hidden atomic.Bool
		frames, put := latest[Frame]()
		r, err := NewVideoReceiver(VideoReceiverOptions{Format: f, Out: func(f Frame) {
			if hidden.Load() && shows(orange)(f) {
				wrong.Add(1)
			}
			put(clone(f))
		}})
		if err != nil {
			t.Fatal(err)
		}
		start(t, r.Run)
		s, err := NewVideoSender(VideoSenderOptions{Source: ImageSource{f}, Card: card, Out: r.Push})
		if err != nil {
			t.Fatal(err)
		}
		hidden.Store(true)
		s.Cover(true)
		start(t, s.Run)
		img := jpegOf(t, filled(f.W, f.H, orange))
		feed(t, f, func() { s.PushImage(img) })
		await(t, "the card at first", frames, soon, shows(teal))
		hidden.Store(false)
		s.Cover(false)
		await(t, "the picture", frames, soon, shows(orange))
		for range 3 {
			s.Cover(true)
			await(t, "the card", frames, soon, shows(teal))
			hidden.Store(true) // What was under way has come.
			for range 5 {
				await(t, "the card", frames, soon, shows(teal))
			}
			hidden.Store(false)
			s.Cover(false)
			await(t, "the picture again", frames, soon, shows(orange))
		}
		if n := wrong.Load(); n > 0 {
			t.Errorf("%dx%d: %d pictures were not covered", f.W, f.H, n)
		}
	}
}

// TestVideoSenderPeek: the pictures that are sent can be looked at, and the card in their place while it covers them.
func TestVideoSenderPeek(t *testing.T) {
	for _, f := range []VideoFormat{{320, 180, 30, 1}, {854, 480, 30, 1}} { // the second has padded rows
		s, err := NewVideoSender(VideoSenderOptions{Source: ImageSource{f}, Card: frameFromRGBA(filled(f.W, f.H, teal)), Out: func([]byte) {}})
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := s.Peek(); ok {
			t.Errorf("%v: a picture before there was one", f)
		}
		start(t, s.Run)
		img := jpegOf(t, filled(f.W, f.H, orange))
		feed(t, f, func() { s.PushImage(img) })
		peeked := make(chan Frame)
		go func() {
			defer close(peeked)
			for t.Context().Err() == nil {
				if frame, ok := s.Peek(); ok {
					select {
					case peeked <- frame:
					case <-t.Context().Done():
					}
				}
				sleep(t.Context(), 20*time.Millisecond)
			}
		}()
		await(t, "the picture", peeked, soon, shows(orange))
		s.Cover(true)
		await(t, "the card", peeked, soon, shows(teal))
		s.Cover(false)
		await(t, "the picture again", peeked, soon, shows(orange))
	}
}

// TestVideoSenderCoverWithoutCard: nothing is sent then.
func TestVideoSenderCoverWithoutCard(t *testing.T) {
	f := VideoFormat{320, 180, 30, 1}
	s, err := NewVideoSender(VideoSenderOptions{Source: TestSource{VideoFormat: f}, Out: func([]byte) {}})
	if err != nil {
		t.Fatal(err)
	}
	s.Cover(true)
	start(t, s.Run)
	// The encoder gets nothing for as long as it takes many pictures to come.
	time.Sleep(500 * time.Millisecond)
	if n := s.Stats().Packets; n > 0 {
		t.Errorf("got %d packets, want none", n)
	}
	s.Cover(false)
	deadline := time.Now().Add(soon)
	for s.Stats().Packets == 0 {
		if time.Now().After(deadline) {
			t.Fatal("nothing is sent when it is not covered any more")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestVideoSenderRefusesCard(t *testing.T) {
	f := VideoFormat{320, 180, 30, 1}
	_, err := NewVideoSender(VideoSenderOptions{Source: ImageSource{f}, Card: frameFromRGBA(filled(16, 16, teal)), Out: func([]byte) {}})
	if !errors.Is(err, ErrFormat) {
		t.Errorf("got %v, want ErrFormat", err)
	}
}
