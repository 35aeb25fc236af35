// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/relay"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
)

// camera sends pictures at the rate that the link allows, each with its number and the time at which it was made.
type camera struct {
	rate atomic.Int64 // bit/s
	key  atomic.Bool
}

const (
	pictureRate = 30
	pictureSSRC = 7
)

// ask is the peer's wish for a key frame.
func (c *camera) ask() { c.key.Store(true) }

// shoot sends pictures until the test ends.
func (c *camera) shoot(t testing.TB, s *side) {
	t.Helper()
	done, ended := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(done); <-ended })
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second / pictureRate)
		defer tick.Stop()
		number := uint16(0)
		for picture := uint32(0); ; picture++ {
			left := int(c.rate.Load()) / 8 / pictureRate
			for part := 0; part == 0 || left > 0; part++ {
				payload := make([]byte, 1100)
				copy(payload, []byte{0x61, 0x9a}) // a slice that begins a picture
				if part == 0 && c.key.Swap(false) {
					copy(payload, keyFrame)
				}
				binary.BigEndian.PutUint32(payload[16:], picture)
				binary.BigEndian.PutUint64(payload[20:], uint64(time.Now().UnixNano()))
				b := rtpPacket(pictureSSRC, number, payload)
				binary.BigEndian.PutUint32(b[4:], picture*(90000/pictureRate))
				if left -= 1100; left <= 0 {
					b[1] |= 0x80
				}
				number++
				if s.WriteRTP(link.Video, b) != nil {
					return
				}
			}
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
}

// speak sends sound until the test ends.
func speak(t testing.TB, s *side) {
	t.Helper()
	done, ended := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(done); <-ended })
	go func() {
		defer close(ended)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for number := uint16(0); s.WriteRTP(link.Audio, soundPacket(number)) == nil; number++ {
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
}

// soundPacket is 10 ms of sound.
func soundPacket(number uint16) []byte {
	b := rtpPacket(pictureSSRC+1, number, make([]byte, 50))
	binary.BigEndian.PutUint32(b[4:], 480*uint32(number))
	return b
}

// viewer notes when each picture is complete.
type viewer struct {
	mu    sync.Mutex
	parts map[uint32]*viewed

	sound, soundLost int
	soundNext        uint16
}

type viewed struct {
	first, last uint16 // sequence numbers; known once the picture's neighbours are
	count       int
	marked      bool
	made, done  time.Time
}

func (v *viewer) take(m link.Medium, _ link.Stream, b []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	number := binary.BigEndian.Uint16(b[2:])
	if m != link.Video {
		if v.sound > 0 {
			v.soundLost += int(int16(number - v.soundNext))
		}
		v.sound++
		v.soundNext = number + 1
		return
	}
	picture := binary.BigEndian.Uint32(b[12+16:])
	p := v.parts[picture]
	if p == nil {
		p = &viewed{first: number, made: time.Unix(0, int64(binary.BigEndian.Uint64(b[12+20:])))}
		v.parts[picture] = p
	}
	if int16(number-p.first) < 0 {
		p.first = number
	}
	p.count++
	if b[1]&0x80 != 0 {
		p.marked, p.last = true, number
	}
	if p.marked && p.count == int(p.last-p.first)+1 {
		p.done = time.Now()
	}
}

// frozen sums up how much longer than one picture those pauses were that were longer than 2.5 pictures.
func (v *viewer) frozen(from, to time.Time) (frozen, longest time.Duration, pictures int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	shown := from
	for n := uint32(0); n < 1<<20; n++ {
		p := v.parts[n]
		if p == nil {
			if len(v.parts) == pictures {
				break
			}
			continue
		}
		if p.made.Before(from) || p.done.IsZero() {
			pictures++
			continue
		}
		if p.made.After(to) {
			break
		}
		pictures++
		at := p.done
		if at.Before(shown) {
			at = shown
		}
		longest = max(longest, at.Sub(p.made))
		if gap := at.Sub(shown); gap > time.Second*5/2/pictureRate {
			frozen += gap - time.Second/pictureRate
		}
		shown = at
	}
	return frozen, longest, pictures
}

// TestRealSecureRate lets a path drop from 4 to 1.5 Mbit/s and come back.
func TestRealSecureRate(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	noGoroutines(t)
	wide := relay.Path{Rate: 4_000_000, Delay: 10 * time.Millisecond}
	narrow := relay.Path{Rate: 1_500_000, Delay: 10 * time.Millisecond}
	c, v := &camera{}, &viewer{parts: map[uint32]*viewed{}}
	c.key.Store(true)
	c.rate.Store(3_000_000)
	network := stand(t, wide)
	a := network.start(t, 0, link.Handler{Bitrate: func(bits int) { c.rate.Store(int64(bits)) }, KeyFrameRequest: c.ask})
	b := network.start(t, 1, link.Handler{RTP: v.take})
	awaitSession(t, a, b)
	speak(t, a)
	c.shoot(t, a)
	began := time.Now()
	await := func(what string, within time.Duration, ok func() bool) time.Duration {
		t.Helper()
		from := time.Now()
		testbed.Await(t, what, within, func() error {
			if !ok() {
				return errNotYet
			}
			return nil
		})
		return time.Since(from)
	}
	await("the first seconds", patience, func() bool { return time.Since(began) > 4*time.Second })
	before := c.rate.Load()
	dropped := time.Now()
	network.SetPath(relay.AToB, narrow)
	await("the narrow time", patience, func() bool { return time.Since(dropped) > 6*time.Second })
	during := c.rate.Load()
	network.SetPath(relay.AToB, wide)
	returned := time.Now()
	took := await("the rate of before", 3*patience, func() bool { return c.rate.Load() > 3_000_000 })
	await("some time after", patience, func() bool { return time.Since(returned) > 6*time.Second })
	frozen, longest, pictures := v.frozen(dropped, time.Now())
	t.Logf("%d kbit/s before, %d while narrow; back after %v; %d pictures, frozen for %v, the longest delay was %v",
		before/1000, during/1000, took.Round(time.Millisecond), pictures, frozen.Round(time.Millisecond), longest.Round(time.Millisecond))
	// The goals are 0.5 s and 5 s; a machine with much else to do adds pauses of its own.
	if frozen > 3*500*time.Millisecond || took > 2*5*time.Second {
		t.Errorf("frozen for %v, at full rate after %v; want at most 500ms and 5s", frozen, took)
	}
	if lost := b.Stats().Video.Receive.Lost; lost > 10 {
		t.Errorf("%d packets were lost for good, want next to none", lost)
	}
}

// TestRealSecureLoss sums up how long the picture stands still on paths that lose packets, and how much sound is missing.
// make bench-loss holds the same to the goals. Here it must be far from what a link that repairs nothing shows, which is
// a quarter of the time and more: a busy machine has standstills of its own.
func TestRealSecureLoss(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	noGoroutines(t)
	const ms = time.Millisecond
	for _, test := range []struct {
		name string
		path relay.Path
	}{
		{"none, RTT 20", relay.Path{Delay: 10 * ms}},
		{"1 %, RTT 20", relay.Path{Delay: 10 * ms, Loss: 0.01}},
		{"3 %, RTT 50", relay.Path{Delay: 25 * ms, Loss: 0.03}},
		{"bursts of 8, RTT 20", relay.Path{Delay: 10 * ms, Loss: 0.002, Burst: 8}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, v := &camera{}, &viewer{parts: map[uint32]*viewed{}}
			c.key.Store(true)
			c.rate.Store(3_000_000)
			network := stand(t, test.path)
			a, b := network.start(t, 0, link.Handler{KeyFrameRequest: c.ask}), network.start(t, 1, link.Handler{RTP: v.take})
			awaitSession(t, a, b)
			speak(t, a)
			c.shoot(t, a)
			began := time.Now().Add(time.Second)
			testbed.Await(t, "the time to pass", 30*time.Second, func() error {
				if time.Since(began) < 10*time.Second {
					return errNotYet
				}
				return nil
			})
			frozen, longest, pictures := v.frozen(began, time.Now())
			got := frozen.Seconds() / time.Since(began).Seconds()
			stats := b.Stats().Video.Receive
			t.Logf("%d pictures, frozen for %.2f %% of the time, the longest delay was %v; %d packets, %d asked for, %d restored, %d lost; %d of %d packets of sound lost",
				pictures, 100*got, longest.Round(ms), stats.Packets, stats.Requested, stats.Restored, stats.Lost, v.soundLost, v.sound)
			if most := 0.08; got > most {
				t.Errorf("frozen for %.2f %% of the time, want under %.0f %%", 100*got, 100*most)
			}
			if v.soundLost > v.sound/50 {
				t.Errorf("%d of %d packets of sound did not come in time, want next to none", v.soundLost, v.sound)
			}
		})
	}
}
