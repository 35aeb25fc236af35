// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"image"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

const (
	// flickerEvery is how often the lamp changes while somebody watches whether pictures go on.
	flickerEvery = 80 * time.Millisecond
	// flickerStep is the least difference of two of its colours, in brightness; far more than encoding changes one.
	flickerStep = 60
)

// flickers are the colours of the lamp. Each differs from the one before and the one after it.
var flickers = []uint8{0x20, 0x70, 0xc0, 0xff, 0x90}

// WatchPictures returns when the viewer's OBS showed a new picture of the person, until enough returns true. The person's lamp changes
// all the time meanwhile (AddLamp). A change that is asked for late, or a look that takes long on a busy machine, counts as no new
// picture.
func (p *Person) WatchPictures(viewer *Person, enough func() bool) []time.Time {
	p.tb.Helper()
	ctx, cancel := context.WithCancel(p.tb.Context())
	flickered := make(chan error, 1)
	go func() { flickered <- p.flicker(ctx) }()
	var changes []time.Time
	last := -flickerStep
	for !enough() {
		time.Sleep(glancePause)
		level := 0
		err := viewer.glance(PeerInput, func(img image.Image) error {
			level = brightness(img, scaled(p.lamp(), p.Width, img.Bounds().Dx()))
			return nil
		})
		if d := level - last; err == nil && max(d, -d) >= flickerStep/2 {
			last = level
			changes = append(changes, time.Now())
		}
	}
	cancel()
	if err := <-flickered; err != nil {
		p.tb.Fatalf("%s's lamp: %v", p.Name, err)
	}
	return changes
}

// flicker changes the lamp until ctx ends.
func (p *Person) flicker(ctx context.Context) error {
	tick := time.NewTicker(flickerEvery)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		v := flickers[i%len(flickers)]
		grey := 0xff000000 | uint32(v)<<16 | uint32(v)<<8 | uint32(v)
		set := testbed.D{"inputName": lampInput, "inputSettings": testbed.D{"color": grey}}
		if err := p.OBS.TryRequest("SetInputSettings", set, nil); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// brightness is the mean of an area, 0 to 255.
func brightness(img image.Image, area image.Rectangle) int {
	sum, count := 0, 0
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			r, g, b, _ := img.At(x, y).RGBA()
			sum += int(r+g+b) / 3 >> 8
			count++
		}
	}
	return sum / max(count, 1)
}
