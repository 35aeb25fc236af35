// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// narrator tells a person what happens. On a terminal a step's line is replaced by its result.
type narrator struct {
	out      io.Writer
	terminal bool
	began    time.Time
}

func newNarrator(out *os.File) *narrator {
	_, err := unix.IoctlGetTermios(int(out.Fd()), unix.TCGETS)
	return &narrator{out: out, terminal: err == nil, began: time.Now()}
}

func (n *narrator) at() string { return fmt.Sprintf("%5.1f s", time.Since(n.began).Seconds()) }

// step announces what is being done.
func (n *narrator) step(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if n.terminal {
		fmt.Fprintf(n.out, "%s  … %s", n.at(), text)
		return
	}
	fmt.Fprintf(n.out, "%s  %s\n", n.at(), text)
}

// done says how it ended.
func (n *narrator) done(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if n.terminal {
		fmt.Fprintf(n.out, "\r\x1b[K%s  \x1b[32m✓\x1b[0m %s\n", n.at(), text)
		return
	}
	fmt.Fprintf(n.out, "%s  ✓ %s\n", n.at(), text)
}

// detail is what the testbed has to say when something goes wrong.
func (n *narrator) detail(format string, args ...any) {
	if n.terminal {
		fmt.Fprintln(n.out)
	}
	fmt.Fprintf(n.out, "         "+format+"\n", args...)
}
