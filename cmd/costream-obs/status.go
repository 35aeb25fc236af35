// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/terminal"
)

func statusCommand() *command {
	return &command{
		name:  "status",
		short: "print how the co-stream goes: delay, loss, bitrate",
		long: "Prints what the running costream-obs does, and while on air what it measures. The exit code is 0 on air with the peer, and 1 otherwise; then what is printed says why.\n\n" +
			"  tally           whether you are in each other's programme, muted, on a break\n" +
			"  bitrate         of the last 3 seconds, repairs and encryption included\n" +
			"  picture, voice  how late the peer is in your programme; in brackets what takes\n" +
			"                  so long: the peer's machine, the network (half of the RTT, the\n" +
			"                  round-trip time), receiving, OBS, and what A/V sync adds\n" +
			"  A/V             how much later the picture is than the voice\n" +
			"  loss            packets of the last 10 seconds that did not arrive when they\n" +
			"                  were sent; after the arrow those that never arrived\n" +
			"  encoder         how long it takes for a picture, of the time that it has\n" +
			"  dropped         pictures lost since you went on air: by OBS (rendering lag),\n" +
			"                  by us (this machine was too slow), by the network\n\n" +
			"Figures that cannot be measured are left out: a peer without costream-obs (--link plain) tells less. docs/status.md describes the form of --json.",
		settings: []string{"json"},
		bind: func(set *pflag.FlagSet) action {
			watch := set.Bool("watch", false, "go on until Ctrl-C, as costream-obs run prints it")
			return func(ctx context.Context, c *invocation) error {
				socket, err := controlSocket()
				if err != nil {
					return err
				}
				client := control.Client{Path: socket}
				if *watch {
					return watchStatus(ctx, c, client)
				}
				return printStatus(ctx, c, client)
			}
		},
	}
}

// printStatus prints the status once.
func printStatus(ctx context.Context, c *invocation, client control.Client) error {
	status, _, err := client.Status(ctx)
	if err != nil {
		return err
	}
	if c.config.JSON {
		err = printJSON(c.stdout, status)
	} else {
		printer := newReportPrinter(c.stdout, c.config, false)
		printer.style = terminal.StyleOf(bare(c.stdout))
		text := printer.plain(status.Report)
		if printer.style.Terminal {
			text = printer.pretty(status.Report)
		}
		_, err = io.WriteString(c.stdout, text+block(status, time.Now()))
	}
	if err != nil {
		return err
	}
	return withPeer(status.Report)
}

// withPeer is the exit of the command: no error on air with the peer. What is printed says why not.
func withPeer(r control.Report) error {
	if r.State == control.OnAirWithPeer {
		return nil
	}
	return errReported
}

// watchStatus prints the status until ctx ends, as run does.
func watchStatus(ctx context.Context, c *invocation, client control.Client) error {
	printer := newReportPrinter(bare(c.stdout), c.config, false)
	stdout := newPatientWriter(bare(c.stdout))
	defer func() { _ = stdout.Close() }()
	printer.out = stdout
	defer printer.end()
	asking, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var last control.Report
	next := func() control.Status {
		status, _, err := client.Status(asking)
		if err != nil {
			stop(err)
			return control.Status{}
		}
		if !last.Time.Equal(status.Time) {
			last = status.Report
			printer.print(last)
		}
		return status
	}
	next()
	printer.follow(asking, next)
	if err := context.Cause(asking); ctx.Err() == nil && err != nil {
		return err
	}
	return withPeer(last)
}
