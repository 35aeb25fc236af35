// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/terminal"
)

// narrator tells a person what happens. On a terminal a step's line is replaced by its result. A step that takes long is
// told again.
type narrator struct {
	out      io.Writer
	terminal bool
	began    time.Time

	mu    sync.Mutex
	again *time.Timer // of the step that goes on; nil at first
}

func newNarrator(out *os.File) *narrator {
	return &narrator{out: out, terminal: terminal.Is(out), began: time.Now()}
}

// quiet is how long a step goes on before it is told again.
const quiet = 10 * time.Second

func (n *narrator) at() string { return fmt.Sprintf("%5.1f s", time.Since(n.began).Seconds()) }

// step announces what is being done.
func (n *narrator) step(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tell(fmt.Sprintf(format, args...))
}

func (n *narrator) tell(text string) {
	if n.terminal {
		fmt.Fprintf(n.out, "\r\x1b[K%s  … %s", n.at(), text)
	} else {
		fmt.Fprintf(n.out, "%s  %s\n", n.at(), text)
	}
	var own *time.Timer
	own = time.AfterFunc(quiet, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.again == own {
			n.tell(text)
		}
	})
	n.again = own
}

// done says how it ended.
func (n *narrator) done(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.again.Stop()
	n.again = nil
	text := fmt.Sprintf(format, args...)
	if n.terminal {
		fmt.Fprintf(n.out, "\r\x1b[K%s  \x1b[32m✓\x1b[0m %s\n", n.at(), text)
		return
	}
	fmt.Fprintf(n.out, "%s  ✓ %s\n", n.at(), text)
}

// detail is what the testbed has to say when something goes wrong.
func (n *narrator) detail(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.terminal {
		fmt.Fprintln(n.out)
	}
	fmt.Fprintf(n.out, "         "+format+"\n", args...)
}
