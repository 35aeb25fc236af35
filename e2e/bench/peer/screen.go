// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/costream-obs/costream-obs/media"
)

// pipeScreen writes pictures to a pipe as a DeviceScreen writes them to a device: it copies each, and a new one takes the
// place of one that waits. It has no placeholder.
type pipeScreen struct {
	out   io.Writer
	shown chan struct{} // has a value when a picture waits

	mu      sync.Mutex
	waiting []byte
}

var (
	_ media.Screen = (*pipeScreen)(nil)
	_ media.Screen = blank{}
)

func newPipeScreen(out io.Writer) *pipeScreen {
	return &pipeScreen{out: out, shown: make(chan struct{}, 1), waiting: make([]byte, format.FrameSize())}
}

func (s *pipeScreen) Show(f media.Frame) {
	s.mu.Lock()
	copy(s.waiting, f.Data)
	s.mu.Unlock()
	select {
	case s.shown <- struct{}{}:
	default:
	}
}

func (s *pipeScreen) Placeholder(bool) {}

func (s *pipeScreen) SetPlaceholder(media.Frame) {}

func (s *pipeScreen) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.shown:
		}
		// Like a DeviceScreen it keeps Show waiting while it writes.
		s.mu.Lock()
		_, err := s.out.Write(s.waiting)
		s.mu.Unlock()
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("pictures to file descriptor 3: %w", err)
		}
	}
}

// blank is the screen of an end that only sends.
type blank struct{}

func (blank) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (blank) Show(media.Frame)              {}
func (blank) Placeholder(bool)              {}
func (blank) SetPlaceholder(media.Frame)    {}
