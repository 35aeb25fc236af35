// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/relay"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// wire is a bad network at work: a relay, and a record of what went in.
type wire struct {
	relay *relay.Relay
	path  relay.Path // there
	tb    testbed.TB

	mu     sync.Mutex
	tenths []int64 // bytes that the sender gave it in each tenth of a second
}

func newWire(tb testbed.TB, p place, ports int, n *network) *wire {
	there, back := n.path, n.path
	there.Delay, back.Delay = n.delay/2, n.delay-n.delay/2
	if len(n.rates) > 0 {
		there.Rate = n.rates[0].rate
	}
	o := relay.Options{
		A: netip.MustParseAddr(p.sender), B: netip.MustParseAddr(p.receiver),
		ForA: netip.MustParseAddr(p.forSender), ForB: netip.MustParseAddr(p.forReceiver),
		Paths: [2]relay.Path{there, back}, Seed: n.seed,
	}
	for i := range ports {
		o.Ports = append(o.Ports, p.port+i)
	}
	r, err := relay.New(o)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	w := &wire{relay: r, path: there, tb: tb}
	w.background(func(ctx context.Context) { _ = r.Run(ctx) })
	w.background(w.record)
	return w
}

// background runs until the turn ends.
func (w *wire) background(f func(context.Context)) {
	ctx, stop := context.WithCancel(w.tb.Context())
	done := together(func() { f(ctx) })
	w.tb.Cleanup(func() {
		stop()
		<-done
	})
}

func (w *wire) record(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var last uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := w.relay.Stats()[relay.AToB].Bytes
		w.mu.Lock()
		w.tenths = append(w.tenths, int64(now-last))
		w.mu.Unlock()
		last = now
	}
}

func (w *wire) samples() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.tenths)
}

// since are the samples after the first n.
func (w *wire) since(n int) []int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]int64(nil), w.tenths[n:]...)
}

// change makes the changes of rate while the window goes on.
func (w *wire) change(ctx context.Context, changes []rateChange) {
	began := time.Now()
	w.background(func(context.Context) {
		for _, c := range changes {
			pause(ctx, time.Until(began.Add(c.after)))
			if ctx.Err() != nil {
				return
			}
			path := w.path
			path.Rate = c.rate
			w.relay.SetPath(relay.AToB, path)
		}
	})
}
