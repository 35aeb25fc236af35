// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
)

// Main runs body with a TB of its own, so that a plain program can use the
// testbed, and returns what Fatalf was called with. Cleanup functions have
// run when it returns. Lines for the user go to logf.
func Main(ctx context.Context, logf func(format string, args ...any), body func(tb TB)) error {
	ctx, cancel := context.WithCancel(ctx)
	p := &program{ctx: ctx, logf: logf}
	done := make(chan struct{})
	go func() {
		defer close(done)
		body(p)
	}()
	<-done
	cancel()
	p.cleanup()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

type program struct {
	ctx  context.Context
	logf func(format string, args ...any)

	mu       sync.Mutex
	err      error
	cleanups []func()
}

func (p *program) Helper() {}

func (p *program) Logf(format string, args ...any) { p.logf(format, args...) }

func (p *program) Fatalf(format string, args ...any) {
	p.mu.Lock()
	p.err = errors.Join(p.err, fmt.Errorf(format, args...))
	p.mu.Unlock()
	runtime.Goexit()
}

func (p *program) Failed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err != nil
}

func (p *program) Cleanup(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cleanups = append(p.cleanups, f)
}

func (p *program) TempDir() string { return shortDir(p) }

func (p *program) Context() context.Context { return p.ctx }

// cleanup gives each function a goroutine, because Fatalf inside one of them
// must end that function only.
func (p *program) cleanup() {
	for {
		p.mu.Lock()
		n := len(p.cleanups)
		if n == 0 {
			p.mu.Unlock()
			return
		}
		f := p.cleanups[n-1]
		p.cleanups = p.cleanups[:n-1]
		p.mu.Unlock()
		done := make(chan struct{})
		go func() {
			defer close(done)
			f()
		}()
		<-done
	}
}
