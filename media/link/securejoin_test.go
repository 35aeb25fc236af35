// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/relay"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
)

// first returns when a picture that was made after a time was complete.
func (v *viewer) first(t testing.TB, after time.Time) time.Time {
	t.Helper()
	var at time.Time
	testbed.Await(t, "a picture", 2*patience, func() error {
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, p := range v.parts {
			if !p.done.IsZero() && p.made.After(after) && (at.IsZero() || p.done.Before(at)) {
				at = p.done
			}
		}
		if at.IsZero() {
			return errNotYet
		}
		return nil
	})
	return at
}

// TestRealSecureLateJoin starts one side again and again while the other one sends pictures.
func TestRealSecureLateJoin(t *testing.T) {
	if testing.Short() {
		t.Skip("measures a time")
	}
	noGoroutines(t)
	network := stand(t, relay.Path{Delay: 10 * time.Millisecond})
	c := &camera{}
	c.rate.Store(3_000_000)
	a := network.start(t, 0, link.Handler{KeyFrameRequest: c.ask})
	speak(t, a)
	c.shoot(t, a)
	var worst, sum time.Duration
	const times = 10
	for range times {
		v := &viewer{parts: map[uint32]*viewed{}}
		began := time.Now()
		b := network.start(t, 1, link.Handler{RTP: v.take})
		took := v.first(t, began).Sub(began)
		worst, sum = max(worst, took), sum+took
		b.stop()
	}
	t.Logf("the first picture came after %v on average, %v at worst", (sum / times).Round(time.Millisecond), worst.Round(time.Millisecond))
	if goal := 300 * time.Millisecond; sum/times > 2*goal {
		t.Errorf("the first picture came after %v on average, want %v", sum/times, goal)
	}
}

// TestRealSecurePictureAfterOutage cuts the network for ten seconds, one way or both.
func TestRealSecurePictureAfterOutage(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	noGoroutines(t)
	path := relay.Path{Delay: 10 * time.Millisecond}
	type outage struct {
		name    string
		cut     []relay.Direction
		network *place
		camera  *camera
		viewer  *viewer
	}
	outages := []*outage{
		{name: "there", cut: []relay.Direction{relay.AToB}},
		{name: "back", cut: []relay.Direction{relay.BToA}},
		{name: "both ways", cut: []relay.Direction{relay.AToB, relay.BToA}},
	}
	for _, o := range outages {
		o.network, o.camera, o.viewer = stand(t, path), &camera{}, &viewer{parts: map[uint32]*viewed{}}
		o.camera.rate.Store(3_000_000)
		a := o.network.start(t, 0, link.Handler{KeyFrameRequest: o.camera.ask, Bitrate: func(bits int) { o.camera.rate.Store(int64(bits)) }})
		o.network.start(t, 1, link.Handler{RTP: o.viewer.take})
		speak(t, a)
		o.camera.shoot(t, a)
		o.viewer.first(t, time.Now())
		for _, d := range o.cut {
			o.network.SetPath(d, relay.Path{Loss: 1})
		}
	}
	<-time.After(10 * time.Second)
	for _, o := range outages {
		for _, d := range o.cut {
			o.network.SetPath(d, path)
		}
		began := time.Now()
		took := o.viewer.first(t, began).Sub(began)
		t.Logf("cut %s: a picture after %v, of %d kbit/s", o.name, took.Round(time.Millisecond), o.camera.rate.Load()/1000)
		if took > busyLimit {
			t.Errorf("cut %s: a picture after %v, want 1s", o.name, took)
		}
	}
}
