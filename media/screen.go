// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Screen shows pictures to OBS: the peer's, or a placeholder, with which it begins.
type Screen interface {
	// Run shows pictures until ctx ends (nil) or the screen fails.
	Run(ctx context.Context) error
	// Show takes the peer's newest picture and copies it. Pictures of another size than the screen's are ignored. It does
	// not wait for the reader, and may be called at any rate, also before and after Run.
	Show(Frame)
	// Placeholder covers the peer's picture with the placeholder, or uncovers
	// it. The placeholder also stays until the first picture has come.
	Placeholder(on bool)
	// SetPlaceholder replaces the placeholder by another one of the screen's size.
	SetPlaceholder(Frame)
}

// ScreenOptions are what all screens take.
type ScreenOptions struct {
	// Format is the size and rate of the screen; odd sides are rounded down to
	// even.
	Format VideoFormat
	// Placeholder is the picture that is shown while there is no other. It must have the size of Format; the zero Frame
	// means NewPlaceholder without a name.
	Placeholder Frame
	// Name is written over the peer's pictures, unless it is empty.
	Name string
	Log  *slog.Logger

	plate *plate // of Name, made by normal
}

// normal returns the options completed and checked.
func (o ScreenOptions) normal() (ScreenOptions, error) {
	f, err := o.Format.normal()
	if err != nil {
		return o, err
	}
	o.Format = f
	if !o.Placeholder.is(f) {
		if o.Placeholder, err = NewPlaceholder(f, ""); err != nil {
			return o, err
		}
	}
	if o.plate, err = newPlate(o.Name); err != nil {
		return o, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// canvas is the picture that a screen shows at the moment.
type canvas struct {
	format VideoFormat
	log    *slog.Logger

	mu          sync.Mutex
	placeholder []byte
	live        []byte
	plate       *plate // nil: no name is written
	arrived     bool   // live holds a picture
	covered     bool
	followers   map[chan struct{}]bool // each receives a value if there is something new to show
}

func newCanvas(o ScreenOptions) *canvas {
	return &canvas{
		format:      o.Format,
		log:         o.Log,
		plate:       o.plate,
		placeholder: o.Placeholder.Data,
		live:        make([]byte, o.Format.FrameSize()),
		covered:     true,
		followers:   make(map[chan struct{}]bool),
	}
}

// set takes a new picture.
func (c *canvas) set(f Frame) {
	if !f.is(c.format) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	copy(c.live, f.Data)
	if c.plate != nil {
		if err := c.plate.put(c.live, c.format, f.Area); err != nil {
			c.log.Error("the peer's name cannot be written", "err", err)
			c.plate = nil
		}
	}
	c.arrived = true
	if !c.covered {
		c.tell()
	}
}

func (c *canvas) cover(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if on != c.covered {
		c.covered = on
		c.tell()
	}
}

// setPlaceholder replaces the placeholder.
func (c *canvas) setPlaceholder(f Frame) {
	if !f.is(c.format) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.placeholder = f.Data
	if c.covered || !c.arrived {
		c.tell()
	}
}

// tell wakes all followers. The caller holds mu.
func (c *canvas) tell() {
	for f := range c.followers {
		select {
		case f <- struct{}{}:
		default:
		}
	}
}

// follow calls show at the beginning, when there is something new to show, and repeatedly after each pace without anything
// new, until ctx ends (nil) or show fails.
func (c *canvas) follow(ctx context.Context, pace time.Duration, show func() error) error {
	news := make(chan struct{}, 1)
	c.mu.Lock()
	c.followers[news] = true
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.followers, news)
		c.mu.Unlock()
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		wait := pace
		select {
		case <-ctx.Done():
			return nil
		case <-news:
			// The next picture may be a little late.
			wait = 2 * pace
		case <-timer.C:
		}
		if err := show(); err != nil {
			return err
		}
		timer.Reset(wait)
	}
}

// view calls use with the current picture, which must not be kept.
func (c *canvas) view(use func([]byte)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.covered || !c.arrived {
		use(c.placeholder)
		return
	}
	use(c.live)
}
