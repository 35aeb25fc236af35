// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/control"
)

func graphCommand() *command {
	return &command{
		name:  "graph",
		short: "draw the running media pipelines",
		long: "Prints the GStreamer pipelines of the running costream-obs as a drawing for Graphviz, or with --text as launch lines to try by hand.\n\n" +
			"  costream-obs graph | dot -Tsvg > pipelines.svg",
		bind: func(set *pflag.FlagSet) action {
			text := set.Bool("text", false, "print launch lines for gst-launch-1.0 instead")
			return func(ctx context.Context, c *invocation) error { return graph(ctx, c, *text) }
		},
	}
}

func graph(ctx context.Context, c *invocation, text bool) error {
	socket, err := controlSocket()
	if err != nil {
		return err
	}
	drawing, err := control.Client{Path: socket}.Graph(ctx, text)
	if err != nil {
		return err
	}
	if strings.TrimSpace(drawing) == "" {
		return errors.New("no pipeline runs now; pipelines run while you are on air")
	}
	_, err = io.WriteString(c.stdout, drawing)
	return err
}
