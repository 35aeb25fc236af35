// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
)

// errInterrupted is what a question ends with at Ctrl-C.
var errInterrupted = errors.New("interrupted; nothing was changed")

// readLine reads a line that somebody types, until Ctrl-C: the signal ends ctx, but no read from a terminal. After it the
// input must not be read again.
func readLine(ctx context.Context, in *bufio.Reader) (string, error) {
	var (
		line string
		err  error
	)
	read := make(chan struct{})
	go func() {
		defer close(read)
		line, err = in.ReadString('\n')
	}()
	select {
	case <-ctx.Done():
	case <-read:
	}
	if ctx.Err() != nil { // also where the input has ended: a window that is closed does both
		return "", errInterrupted
	}
	return line, err
}

// agree asks on the terminal. Whatever is not a yes is a no.
func agree(ctx context.Context, c *invocation) bool {
	fmt.Fprint(c.stdout, "Do it? [y/N] ")
	answer, _ := readLine(ctx, bufio.NewReader(c.stdin))
	a := strings.ToLower(strings.TrimSpace(answer))
	return a == "y" || a == "yes"
}
