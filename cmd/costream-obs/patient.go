// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"sync"
	"time"
)

const (
	// patience is how many bytes wait for a reader; what comes on top of them is lost.
	patience = 1 << 20
	// flushLimit is how long the end of the program waits for a reader.
	flushLimit = time.Second
)

// A patientWriter never makes its writers wait: a terminal that was stopped with Ctrl-S, or a pipe that nobody reads, must
// not hold up what goes on beside OBS.
type patientWriter struct {
	mu      sync.Mutex
	waiting [][]byte
	size    int // of waiting, in bytes
	writing bool
	ended   bool
	some    chan struct{} // has room for one
	done    chan struct{}
}

func newPatientWriter(w io.Writer) *patientWriter {
	p := &patientWriter{some: make(chan struct{}, 1), done: make(chan struct{})}
	go func() {
		defer close(p.done)
		for range p.some {
			for {
				text, more := p.next()
				if len(text) == 0 {
					if !more {
						return
					}
					break
				}
				_, _ = w.Write(text) // A reader that has gone is no reason to stop.
			}
		}
	}()
	return p
}

// Write keeps b for the reader. It never fails.
func (p *patientWriter) Write(b []byte) (int, error) {
	p.mu.Lock()
	if p.size+len(b) <= patience {
		p.waiting = append(p.waiting, append([]byte(nil), b...))
		p.size += len(b)
	}
	p.mu.Unlock()
	p.wake()
	return len(b), nil
}

// Offer keeps b for the reader if nothing else waits for it, and reports whether it does. It is for what is not worth
// reading later.
func (p *patientWriter) Offer(b []byte) bool {
	p.mu.Lock()
	idle := len(p.waiting) == 0 && !p.writing
	p.mu.Unlock()
	if idle {
		_, _ = p.Write(b)
	}
	return idle
}

// Close writes what waits, unless nobody reads it in time. Then the goroutine is left with the blocked write, which ends
// with the program.
func (p *patientWriter) Close() error {
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	p.wake()
	select {
	case <-p.done:
	case <-time.After(flushLimit):
	}
	return nil
}

// next takes the oldest text, and says whether more may come.
func (p *patientWriter) next() (text []byte, more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writing = len(p.waiting) > 0
	if p.writing {
		text, p.waiting = p.waiting[0], p.waiting[1:]
		p.size -= len(text)
	}
	return text, !p.ended
}

func (p *patientWriter) wake() {
	select {
	case p.some <- struct{}{}:
	default:
	}
}
