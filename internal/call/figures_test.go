// SPDX-License-Identifier: Apache-2.0

package call

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/pairing"
	"github.com/costream-obs/costream-obs/internal/relay"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
)

// The stream of the truth test: packets enough for a share of 2 % to be known within a quarter of a percent.
const (
	testPictures = 50 // a second
	testPackets  = 20 // of a picture
	testPayload  = 60
)

// TestFiguresTellTheTruth runs two calls over a network whose delay and loss are known, and compares the figures of both.
func TestFiguresTellTheTruth(t *testing.T) {
	t.Parallel()
	const (
		loss   = 2.0 // percent
		age    = 20 * time.Millisecond
		output = 30 * time.Millisecond
	)
	for _, test := range []struct {
		name   string
		secure bool
		delay  time.Duration
	}{
		{"plain", false, 50 * time.Millisecond},
		{"secure", true, 50 * time.Millisecond},
		// What is lost is there again before the peer has reported it.
		{"secure and near", true, 2 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			secure, delay := test.secure, test.delay
			t.Parallel()
			var calls [2]*Call
			for i, l := range linked(t, secure, relay.Path{Delay: delay, Loss: loss / 100}) {
				calls[i] = startBare(t, l, secure)
				calls[i].avSync.side[link.Video].Output(output)
			}
			for _, c := range calls {
				testbed.Await(t, "the link", 10*time.Second, func() error {
					if c.Link() == nil {
						return errors.New("none yet")
					}
					return nil
				})
				c.Link().SetAge(link.Video, age)
			}
			for _, c := range calls {
				talk(t, c)
			}
			for i, c := range calls {
				want := truth{delay: delay, loss: loss, age: age, output: output, secure: secure}
				var f Figures
				// A busy machine can only make packets later than the network does, so the figures are right in the end.
				testbed.Await(t, fmt.Sprintf("true figures at side %d", i), 60*time.Second, func() error {
					f, _ = c.Figures()
					if time.Since(f.Since) < (lossWindow+2)*time.Second {
						return errors.New("too early")
					}
					return want.check(f)
				})
				text, err := json.Marshal(f)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("side %d after %v: %s", i, time.Since(f.Since).Round(time.Second), text)
			}
		})
	}
}

// truth is what the network does, and what the test claims of the machines.
type truth struct {
	delay, age, output time.Duration
	loss               float64 // in percent
	secure             bool
}

// check returns what is wrong with figures.
func (w truth) check(f Figures) error {
	if f.RoundTrip == nil || f.Picture == nil || f.In.Loss == nil || f.Out.Loss == nil {
		return fmt.Errorf("some are missing: %+v", f)
	}
	var wrong []error
	near := func(what string, got Millis, want, within time.Duration) {
		if (got.Duration() - want).Abs() > within {
			wrong = append(wrong, fmt.Errorf("%s: got %v, want %v within %v", what, got.Duration(), want, within))
		}
	}
	share := func(what string, got *Percent, want float64) {
		switch {
		case got == nil:
			wrong = append(wrong, fmt.Errorf("%s is missing", what))
		case float64(*got) < want-0.5 || float64(*got) > want+0.5:
			wrong = append(wrong, fmt.Errorf("%s: got %v %%, want %v within 0.5", what, *got, want))
		}
	}
	p := f.Picture
	near("round-trip time", *f.RoundTrip, 2*w.delay, 5*time.Millisecond)
	near("network", p.Network, w.delay, 5*time.Millisecond)
	near("what we take", p.Receive, w.output, 0)
	// What is captured takes its age, and what the pacer of a secure link takes for a picture.
	near("the peer's machine", p.Peer, w.age+3*time.Millisecond, 8*time.Millisecond)
	near("the sum", p.Total, (p.Peer + p.Network + p.Receive + p.OBS + p.Wait).Duration(), 0)
	share("loss in", f.In.Loss, w.loss)
	share("loss out", f.Out.Loss, w.loss)
	if w.secure {
		share("loss in after repair", f.In.LossAfterRepair, 0)
		share("loss out after repair", f.Out.LossAfterRepair, 0)
	} else if f.In.LossAfterRepair != nil || f.Out.LossAfterRepair != nil || f.Dropped.Network != nil {
		wrong = append(wrong, errors.New("a plain link repairs nothing"))
	}
	if least := 8 * testPictures * testPackets * testPayload / 1000 * 9 / 10; f.Out.Kbps < least || f.In.Kbps < least {
		wrong = append(wrong, fmt.Errorf("got %d kbit/s out and %d in, want at least %d", f.Out.Kbps, f.In.Kbps, least))
	}
	return errors.Join(wrong...)
}

// linked makes two links with a bad network between them.
func linked(t *testing.T, secure bool, path relay.Path) [2]func(link.Handler) (link.Link, error) {
	t.Helper()
	var at [4]netip.Addr
	for i := range at {
		at[i] = netip.MustParseAddr(testbed.LoopbackAddress(t))
	}
	var ports []int
	base := testbed.FreeUDPPorts(t, 8)
	for i := range 8 {
		ports = append(ports, base+i)
	}
	network, err := relay.New(relay.Options{A: at[0], B: at[1], ForA: at[2], ForB: at[3], Ports: ports, Paths: [2]relay.Path{path, path}, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	runUntilEnd(t, func(ctx context.Context) {
		if err := network.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	invite, err := pairing.NewInvite(nil)
	if err != nil {
		t.Fatal(err)
	}
	var links [2]func(link.Handler) (link.Link, error)
	for i, role := range []pairing.Role{pairing.Inviter, pairing.Guest} {
		id, err := (&pairing.Pair{Role: role, Invite: invite}).Identity()
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := at[i].String(), at[2+i].String()
		links[i] = func(h link.Handler) (link.Link, error) {
			return link.NewPlain(link.PlainOptions{Peer: theirs, Listen: ours, BasePort: base, Send: true, Receive: true, Handler: h})
		}
		if secure {
			links[i] = func(h link.Handler) (link.Link, error) {
				return link.NewSecure(link.SecureOptions{
					Identity: id, Listen: ours, Port: base, Peers: []string{theirs}, Handler: h,
					MinBitrate: 4_000_000, // The pictures of this test have one size, whatever the machine makes of the path.
				})
			}
		}
	}
	return links
}

// startBare starts a call without pipelines.
func startBare(t *testing.T, l func(link.Handler) (link.Link, error), secure bool) *Call {
	t.Helper()
	nothing := func(error) {}
	c := newCall(Options{Link: l, PeerAsks: secure, Screen: &coveredScreen{}, Log: slog.New(slog.DiscardHandler)}, nothing, nothing)
	runUntilEnd(t, func(ctx context.Context) {
		if err := c.runLink(ctx, func() {}); err != nil {
			t.Error(err)
		}
	})
	runUntilEnd(t, c.avSync.run)
	runUntilEnd(t, c.watchFigures)
	// The packets are no pictures: nothing decodes them.
	runUntilEnd(t, func(ctx context.Context) {
		for {
			select {
			case <-ctx.Done():
				return
			case p := <-c.video.packets:
				c.video.free.Put(p.data)
			}
		}
	})
	return c
}

// talk sends pictures until the test ends.
func talk(t *testing.T, c *Call) {
	t.Helper()
	runUntilEnd(t, func(ctx context.Context) {
		tick := time.NewTicker(time.Second / testPictures)
		defer tick.Stop()
		packet := make([]byte, rtpHeader+testPayload)
		began := time.Now()
		for number := uint16(0); ; {
			select {
			case <-ctx.Done():
				return
			case now := <-tick.C:
				for i := range testPackets {
					packet[0], packet[1] = 2<<6, 96
					if i == testPackets-1 {
						packet[1] |= 0x80
					}
					binary.BigEndian.PutUint16(packet[2:], number)
					binary.BigEndian.PutUint32(packet[4:], uint32(now.Sub(began).Seconds()*90000))
					binary.BigEndian.PutUint32(packet[8:], 7)
					packet[rtpHeader], packet[rtpHeader+1] = 0x65, 0 // a part of a key frame
					switch i {
					case 0:
						packet[rtpHeader] = 0x67 // parameter sets
					case 1:
						packet[rtpHeader+1] = 0x80 // the first part
					}
					c.send(link.Video, c.videoOut, packet)
					number++
				}
			}
		}
	})
}

// runUntilEnd runs f until the test ends.
func runUntilEnd(t *testing.T, f func(context.Context)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Add(1)
	go func() {
		defer running.Done()
		f(ctx)
	}()
	t.Cleanup(func() { cancel(); running.Wait() })
}

// TestFiguresAsJSON holds the documented form.
func TestFiguresAsJSON(t *testing.T) {
	loss, after, none := Percent(2.0312), Percent(0), 0
	f := Figures{
		Since: time.Date(2026, 11, 22, 20, 41, 7, 0, time.UTC), At: time.Date(2026, 11, 22, 20, 42, 7, 0, time.UTC),
		Out: Direction{Kbps: 3120, Loss: &loss, LossAfterRepair: &after}, In: Direction{Kbps: 2980},
		RoundTrip: millis(100400 * time.Microsecond),
		Picture:   &Delay{Total: Millis(142 * time.Millisecond), Peer: Millis(40 * time.Millisecond), Network: Millis(50 * time.Millisecond), Receive: Millis(12 * time.Millisecond), OBS: Millis(40 * time.Millisecond)},
		Encoder:   &Encoder{Name: "x264enc", PerFrame: Millis(4130 * time.Microsecond), Frame: Millis(time.Second / 30)},
		Dropped:   Dropped{Us: &none},
	}
	got, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"on_air_since":"2026-11-22T20:41:07Z","measured_at":"2026-11-22T20:42:07Z","out":{"kbps":3120,"loss_percent":2.03,"loss_after_repair_percent":0},"in":{"kbps":2980},` +
		`"round_trip_ms":100.4,"picture":{"total_ms":142,"peer_ms":40,"network_ms":50,"receive_ms":12,"obs_ms":40,"wait_ms":0},` +
		`"encoder":{"name":"x264enc","per_frame_ms":4.1,"frame_ms":33.3},"dropped":{"us":0}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	var back Figures
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	if back.Picture.Total != f.Picture.Total || back.RoundTrip.Duration() != f.RoundTrip.Duration() {
		t.Errorf("read back: got %+v, want %+v", back, f)
	}
}

// TestMeterForgetsOverABreak holds that counts that begin again at 0 make no figures.
func TestMeterForgetsOverABreak(t *testing.T) {
	var m meter
	at := time.Now()
	stats := func(stream, packets uint64, lost int64) (s link.Stats) {
		s.Video.Receive.Stream.ID, s.Video.Receive.Packets, s.Video.Receive.Lost, s.Video.Receive.Bytes = stream, packets, lost, 1000*packets
		return s
	}
	in := func(s sample) traffic { return s.in }
	for second, step := range []struct {
		stats link.Stats
		want  string
	}{
		{stats(1, 1000, 50), `{"kbps":0}`},
		{stats(1, 1990, 60), `{"kbps":7920,"loss_percent":1}`},
		{stats(1, 2990, 60), `{"kbps":7960,"loss_percent":0.5}`},
		{stats(2, 10, 0), `{"kbps":0}`},
		{stats(2, 110, 0), `{"kbps":800,"loss_percent":0}`},
	} {
		m.add(at.Add(time.Duration(second)*time.Second), nil, step.stats, nil, media.EncoderLoad{})
		got, err := json.Marshal(m.direction(in))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != step.want {
			t.Errorf("second %d: got %s, want %s", second, got, step.want)
		}
	}
}
