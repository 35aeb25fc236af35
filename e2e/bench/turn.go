// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/costream-obs/costream-obs/e2e/bench/scene"
	"github.com/costream-obs/costream-obs/e2e/bench/score"
	"github.com/costream-obs/costream-obs/internal/relay"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

const (
	// firstLimit holds from the start of a system to its first picture.
	firstLimit = 20 * time.Second
	// settle is how long a system runs before it is measured: encoders and buffers begin with what is not usual.
	settle = 2 * time.Second
)

// network is what is between the two ends.
type network struct {
	path  relay.Path
	delay time.Duration // there and back, evenly
	seed  uint64
	// settle is how much longer than usual it takes until things are as usual.
	settle time.Duration
	// rates change the bits per second of the path there, each after that time since the begin of the window.
	rates []rateChange
}

type rateChange struct {
	after time.Duration
	rate  int
}

// turn is what was measured of a system in one turn.
type turn struct {
	window  time.Duration
	sent    int // pictures
	shown   []score.Shown
	screen  score.Screen
	ear     []time.Duration // from one null sink to the other
	sendCPU time.Duration
	recvCPU time.Duration
	bytes   int64
	tenths  []int64 // bytes in each tenth of a second, where there is a network
	first   time.Duration
	allowed int // mean of what the link allowed a picture, in bit/s; 0 of a link that says nothing
	breaks  int // of the voice
}

// bench is what all turns share.
type bench struct {
	options
	scene *scene.Scene
	sound *sound
	busy  int // loops beside the system
}

// measure gives a system one turn, with a network or directly.
func (b *bench) measure(tb testbed.TB, s system, net *network) (t turn, err error) {
	// Each turn ends what it has started.
	err = testbed.Main(tb.Context(), tb.Logf, func(tb testbed.TB) { t = b.play(tb, s, net) })
	if err != nil {
		err = fmt.Errorf("%s: %w", s.title, err)
	}
	return t, err
}

func (b *bench) play(tb testbed.TB, s system, net *network) turn {
	p := place{peer: b.peer, microphone: testbed.MicrophoneSink + ".monitor"}
	var wire *wire
	if s.ports > 0 {
		p.port = testbed.FreeUDPPorts(tb, s.ports)
		p.sender, p.receiver = testbed.LoopbackAddress(tb), testbed.LoopbackAddress(tb)
		p.forSender, p.forReceiver = p.receiver, p.sender
		if net != nil {
			p.forSender, p.forReceiver = testbed.LoopbackAddress(tb), testbed.LoopbackAddress(tb)
			wire = newWire(tb, p, s.ports, net)
		}
	}
	in, feeder := pipe(tb)
	viewer, out := pipe(tb)
	var send, receive *testbed.Process
	start := func(name string, command []string, stdin *os.File, extra ...*os.File) *testbed.Process {
		c := testbed.Command{Name: name, Path: command[0], Args: command[1:], Env: append(os.Environ(), b.sound.pulse.Env()...), ExtraFiles: extra}
		if stdin != nil {
			c.Stdin = stdin
		}
		return testbed.Start(tb, c)
	}
	if s.receive == nil {
		send = start(s.name, s.send(p), in, out)
	} else {
		receive = start(s.name+" receiver", s.receive(p), nil, out)
		send = start(s.name+" sender", s.send(p), in)
	}
	_ = in.Close()
	_ = out.Close()

	for range b.busy {
		testbed.Start(tb, testbed.Command{Name: "busy loop", Path: "sh", Args: []string{"-c", "while :; do :; done"}})
	}

	begin := time.Now()
	feed := newFeed(b.scene, feeder, begin)
	watch := newWatch(b.scene, viewer, begin)
	ctx, stop := context.WithCancel(tb.Context())
	done := together(func() { feed.run(ctx) }, func() { watch.run(ctx) })
	tb.Cleanup(func() {
		stop()
		_ = feeder.Close()
		_ = viewer.Close()
		<-done
	})
	select {
	case <-watch.first:
	case <-ctx.Done():
		tb.Fatalf("%v", ctx.Err())
	case <-send.Done():
		tb.Fatalf("the sender ended\n%s", send.Output())
	case <-time.After(firstLimit):
		said := send.Output()
		if receive != nil {
			said += receive.Output()
		}
		tb.Fatalf("no picture within %v\n%s", firstLimit, said)
	}
	t := turn{window: b.window, first: time.Since(begin)}
	pause(ctx, settle)
	if net != nil {
		pause(ctx, net.settle)
	}

	from := time.Since(begin)
	counted := startCounting(send, receive, wire)
	if net != nil {
		wire.change(ctx, net.rates)
	}
	pause(ctx, b.window)
	to := time.Since(begin)
	counted.into(&t)
	stop()
	_ = feeder.Close()
	_ = viewer.Close()
	<-done
	t.allowed = allowed(send.Output(), begin.Add(from), begin.Add(to))
	if receive != nil {
		t.breaks = voiceBreaks(receive.Output(), begin.Add(from), begin.Add(to))
	}

	all := watch.shown(feed)
	t.sent = feed.sentWithin(from, to)
	t.shown = score.Within(all, from, to)
	t.screen = score.Watch(all, from, to, score.Limit(score.Quantile(score.Delays(t.shown), 0.5)))
	if s.sound {
		t.ear = b.sound.delays(begin.Add(from), begin.Add(to))
	}
	return t
}

// pause returns after a while or when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
