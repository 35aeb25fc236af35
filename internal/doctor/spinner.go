// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"io"
	"time"

	"github.com/costream-obs/costream-obs/internal/terminal"
)

const (
	// spinAfter avoids a flicker on a healthy machine.
	spinAfter = 150 * time.Millisecond
	spinEvery = 100 * time.Millisecond

	// clearLine moves the cursor to the beginning of the line and empties it (ECMA-48).
	clearLine = "\r\x1b[K"
)

var spinnerSigns = [...]string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

// Spin shows on a terminal that checks are running, below the text, until stop is called. Elsewhere it does nothing. total
// is how many findings will come.
func (p *Printer) Spin(total int) (stop func()) {
	if !p.style.Rewrite {
		return func() {}
	}
	p.mu.Lock()
	p.done, p.total = 0, total
	p.mu.Unlock()
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		next := time.NewTimer(spinAfter)
		defer next.Stop()
		for turn := 0; ; turn++ {
			select {
			case <-end:
				return
			case <-next.C:
				next.Reset(spinEvery)
			}
			p.mu.Lock()
			sign := p.style.Paint(terminal.Dim, spinnerSigns[turn%len(spinnerSigns)])
			text := fmt.Sprintf("  %s %s", sign, p.style.Paint(terminal.Dim, fmt.Sprintf("checking, %d of %d", min(p.done+1, p.total), p.total)))
			_, _ = io.WriteString(p.out, clearLine+text)
			p.spinning = true
			p.mu.Unlock()
		}
	}()
	return func() {
		close(end)
		<-ended
		p.mu.Lock()
		defer p.mu.Unlock()
		p.write("")
	}
}

// write replaces the spinner, if there is one, by text. The printer is locked.
func (p *Printer) write(text string) {
	if p.spinning {
		p.spinning = false
		text = clearLine + text
	}
	_, _ = io.WriteString(p.out, text)
}
