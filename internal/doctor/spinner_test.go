// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/terminal"
)

// screen keeps what is written, and closes spun when the spinner is seen in it.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
	spun chan struct{}
	seen bool
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bytes.Contains(b, []byte("checking, 3 of 3")) && !s.seen {
		s.seen = true
		close(s.spun)
	}
	return s.text.Write(b)
}

// lines is what a terminal shows in the end.
func (s *screen) lines() string {
	var b strings.Builder
	for line := range strings.Lines(s.text.String()) {
		if i := strings.LastIndex(line, clearLine); i >= 0 {
			line = line[i+len(clearLine):]
		}
		b.WriteString(line)
	}
	return b.String()
}

// TestSpinner: it shows while a check takes its time, and leaves nothing behind.
func TestSpinner(t *testing.T) {
	spun := &screen{spun: make(chan struct{})}
	slow := check("c.one", Error, bad)
	slow.Run = func(ctx context.Context) Result {
		select {
		case <-spun.spun:
		case <-ctx.Done():
			t.Error("no spinner was seen")
		}
		return bad
	}
	table := []Check{check("a.one", Error, Fine("all is well")), check("b.one", Error, fixable), slow}
	p := NewPrinter(spun, terminal.Style{Terminal: true, Rewrite: true})
	stop := p.Spin(len(table))
	r := runAll(t, table, p.Print)
	stop()
	p.Sum(r)

	var plain bytes.Buffer
	p = NewPrinter(&plain, terminal.Style{Terminal: true})
	stop = p.Spin(len(table)) // does nothing
	for _, f := range r.Checks {
		p.Print(f)
	}
	stop()
	p.Sum(r)
	if diff := cmp.Diff(plain.String(), spun.lines()); diff != "" {
		t.Errorf("left on the screen (-without spinner +with):\n%s", diff)
	}
}
