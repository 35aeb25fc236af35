// SPDX-License-Identifier: Apache-2.0

package call

import (
	"context"
	"fmt"
)

// Send is the sending half of a call. It returns nil when ctx ends, and an error when a part fails. It uses the options
// Link, Picture, FrameTime, BitrateKbps, Encoders, Microphone and Log.
func Send(ctx context.Context, o Options) error {
	c := newCall(o, func(error) {}, func(error) {})
	alone := func(part func(context.Context, func()) error) func(context.Context) error {
		return func(ctx context.Context) error { return part(ctx, func() {}) }
	}
	return together(ctx, alone(c.runLink), alone(c.runVideo), func(ctx context.Context) error {
		if err := c.runAudio(ctx, func() {}); err != nil {
			return fmt.Errorf("sound source %s: %w", o.Microphone, err)
		}
		return nil
	})
}

// together runs parts until one of them or ctx ends, waits for all, and returns the first failure.
func together(ctx context.Context, parts ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error)
	for _, part := range parts {
		go func() { ended <- part(ctx) }()
	}
	var first error
	for range parts {
		if err := <-ended; first == nil {
			first = err
		}
		cancel()
	}
	return first
}
