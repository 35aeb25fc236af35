// SPDX-License-Identifier: Apache-2.0

package call

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
)

// overlap is how long the tests wait for a call that should not come through meanwhile.
const overlap = 100 * time.Millisecond

// coveredScreen notes whether the placeholder is on.
type coveredScreen struct {
	covering func() // called before the placeholder comes back

	mu      sync.Mutex
	covered bool
}

func (s *coveredScreen) Show(media.Frame) {}
func (s *coveredScreen) Placeholder(on bool) {
	if on {
		s.covering()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.covered = on
}

func (s *coveredScreen) isCovered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.covered
}

// A picture that comes while the placeholder is put back is on show in the end.
func TestPictureWhileThePlaceholderComesBack(t *testing.T) {
	var c *Call
	back := make(chan struct{})
	var once sync.Once
	screen := &coveredScreen{covered: true, covering: func() {
		once.Do(func() {
			shown := make(chan struct{})
			go func() {
				defer close(back)
				defer close(shown)
				c.show(media.Frame{})
			}()
			select {
			case <-shown:
			case <-time.After(overlap):
			}
		})
	}}
	told := make(chan bool, 16)
	c = Start(t.Context(), Options{
		Link:     func(link.Handler) (link.Link, error) { return nil, errors.New("none in this test") },
		Screen:   screen,
		PeerSeen: func(seen bool) { told <- seen },
		Apart:    true,
	})
	c.show(media.Frame{})
	// The peer is silent now, until the placeholder comes.
	testbed.Receive(t, back, "the placeholder, and a picture")
	got := []bool{testbed.Receive(t, told, "the peer"), testbed.Receive(t, told, "that the peer is gone"), testbed.Receive(t, told, "that the peer is back")}
	if diff := cmp.Diff([]bool{true, false, true}, got); diff != "" {
		t.Errorf("what is told of the peer differs (-want +got):\n%s", diff)
	}
	if screen.isCovered() {
		t.Error("the placeholder covers a picture that has come after it")
	}
	c.Stop()
}

func TestPresence(t *testing.T) {
	var told []bool
	p := presence{tell: func(seen bool) { told = append(told, seen) }}
	begin := time.Now()
	if last := p.look(begin); !last.IsZero() {
		t.Errorf("got a picture at %v before there was one", last)
	}
	p.came(begin)
	p.came(begin.Add(stallAfter))
	p.look(begin.Add(2 * stallAfter))
	if diff := cmp.Diff([]bool{true}, told); diff != "" {
		t.Errorf("while pictures come (-want +got):\n%s", diff)
	}
	for range 2 {
		p.look(begin.Add(2*stallAfter + 1))
	}
	p.came(begin.Add(3 * stallAfter))
	if diff := cmp.Diff([]bool{true, false, true}, told); diff != "" {
		t.Errorf("after a stall (-want +got):\n%s", diff)
	}
}

// A value that changes while a new part gets the old one reaches the part last.
func TestSettingChangesWhileAPartIsNew(t *testing.T) {
	var s setting[bool]
	var mu sync.Mutex
	var got []bool
	changed := make(chan struct{})
	var once sync.Once
	s.attach(func(v bool) {
		once.Do(func() {
			go func() {
				defer close(changed)
				s.set(true)
			}()
			select {
			case <-changed:
			case <-time.After(overlap):
			}
		})
		mu.Lock()
		defer mu.Unlock()
		got = append(got, v)
	})
	testbed.Receive(t, changed, "the change")
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff([]bool{false, true}, got); diff != "" {
		t.Errorf("what the part was told (-want +got):\n%s", diff)
	}
	s.detach()
	s.set(false)
	if len(got) != 2 {
		t.Errorf("a part that is gone was told %v", got[2:])
	}
	if s.get() {
		t.Error("got the old value")
	}
}

// TestPictureWithoutAScreen: a peer whose pictures nobody can see is not seen.
func TestPictureWithoutAScreen(t *testing.T) {
	var there bool
	told := make(chan bool, 16)
	c := Start(t.Context(), Options{
		Link:        func(link.Handler) (link.Link, error) { return nil, errors.New("none in this test") },
		Screen:      &coveredScreen{covered: true, covering: func() {}},
		ScreenReady: func() bool { return there },
		PeerSeen:    func(seen bool) { told <- seen },
		Apart:       true,
	})
	defer c.Stop()
	c.show(media.Frame{})
	if len(told) > 0 {
		t.Error("the peer is seen without a screen")
	}
	there = true
	c.show(media.Frame{})
	if !testbed.Receive(t, told, "the peer") {
		t.Error("the peer is not seen")
	}
}
