// SPDX-License-Identifier: Apache-2.0

// Command costream-obs lets two people stream together, each with OBS on a machine of their own. This package is its
// command line: flags, wiring and printing; what is done is done elsewhere.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(untilSignal()) }

func untilSignal() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // A second signal ends the program at once, should tidying up hang.
	if !signal.Ignored(syscall.SIGHUP) {
		// A window that is closed sends it, and the shell in it once more, which ends nothing. Under nohup it is ignored.
		ctx, stop = signal.NotifyContext(ctx, syscall.SIGHUP)
		defer stop()
	}
	return Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}
