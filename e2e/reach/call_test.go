// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/pairing"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// call is a pair of peers.
type call struct {
	t      testing.TB
	invite string
}

func newCall(t testing.TB) *call {
	t.Helper()
	invite, err := pairing.NewInvite(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &call{t, invite.Line()}
}

// runningPeer is one of them, as the test sees it.
type runningPeer struct {
	t       testing.TB
	process *testbed.Process
	ask     io.Writer
	came    chan struct{} // something has been told

	mu     sync.Mutex
	events []event
	gap    time.Duration // longest of all reports since the last call of report
}

// start starts a peer on a computer. It returns when the peer looks for the other one.
func (c *call) start(on *pc, config peerConfig) *runningPeer {
	c.t.Helper()
	config.Invite = c.invite
	text, err := json.Marshal(config)
	if err != nil {
		c.t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		c.t.Fatal(err)
	}
	p := &runningPeer{t: c.t, came: make(chan struct{}, 1)}
	command := on.command(self)
	command.Env = append(slices.Clone(os.Environ()), envPeer+"="+string(text))
	var told io.Reader
	p.process, p.ask, told = on.start(command)
	go func() {
		for lines := bufio.NewScanner(told); lines.Scan(); {
			var e event
			if json.Unmarshal(lines.Bytes(), &e) != nil {
				continue
			}
			p.mu.Lock()
			p.events = append(p.events, e)
			p.mu.Unlock()
			select {
			case p.came <- struct{}{}:
			default:
			}
		}
	}()
	if _, ok := p.await(peerRuns, patience); !ok {
		c.t.Fatalf("the peer in %s does not run", on.name)
	}
	return p
}

// patience is how long is waited for what takes no time on a machine that is not busy.
const patience = 20 * time.Second

// await returns the newest event of a kind, and waits for the first one.
func (p *runningPeer) await(what string, limit time.Duration) (event, bool) {
	deadline := time.After(limit)
	for {
		p.mu.Lock()
		for _, e := range slices.Backward(p.events) {
			if e.What == what {
				p.mu.Unlock()
				return e, true
			}
		}
		p.mu.Unlock()
		select {
		case <-p.came:
		case <-p.process.Done():
			return event{}, false
		case <-deadline:
			return event{}, false
		}
	}
}

// report asks what has come since the last report, and begins to note gaps anew.
func (p *runningPeer) report() event {
	p.t.Helper()
	e := p.recent()
	p.gap = 0
	return e
}

// longest is the longest gap since the last call of report.
func (p *runningPeer) longest() time.Duration {
	p.t.Helper()
	p.recent()
	return p.gap
}

// recent asks what has come since the last report, and goes on with noting gaps.
func (p *runningPeer) recent() event {
	p.t.Helper()
	p.mu.Lock()
	p.events = slices.DeleteFunc(p.events, func(e event) bool { return e.What == peerReport })
	p.mu.Unlock()
	if _, err := io.WriteString(p.ask, "\n"); err != nil {
		p.t.Fatal(err)
	}
	e, ok := p.await(peerReport, patience)
	if !ok {
		p.t.Fatal("the peer does not answer")
	}
	p.gap = max(p.gap, e.Gap)
	return e
}

// firstPictures returns how long after both were there each had the other one's picture.
func firstPictures(a, b *runningPeer, limit time.Duration) (time.Duration, bool) {
	var there, pictures time.Time
	deadline := time.Now().Add(limit)
	for _, p := range []*runningPeer{a, b} {
		runs, ok := p.await(peerRuns, 0)
		first, came := p.await(peerPicture, time.Until(deadline))
		if !ok || !came {
			return 0, false
		}
		there, pictures = later(there, runs.At), later(pictures, first.At)
	}
	return pictures.Sub(there), true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// all returns all events of a kind.
func (p *runningPeer) all(what string) (all []event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.events {
		if e.What == what {
			all = append(all, e)
		}
	}
	return all
}
