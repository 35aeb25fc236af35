// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

func graphCommand() *command {
	return &command{
		name:  "graph",
		short: "draw the running media pipelines",
		long: "Prints the GStreamer pipelines of the costream-obs that runs as a drawing for Graphviz, or with --text as launch lines to try by hand.\n\n" +
			"  costream-obs graph | dot -Tsvg > pipelines.svg",
		bind: func(set *pflag.FlagSet) action {
			text := set.Bool("text", false, "print launch lines for gst-launch-1.0 instead")
			return func(ctx context.Context, c *invocation) error { return graph(ctx, c, *text) }
		},
	}
}

func graph(ctx context.Context, c *invocation, text bool) error {
	url := "http://costream-obs/graph"
	if text {
		url += "?text"
	}
	socket, err := controlSocket()
	if err != nil {
		return err
	}
	body, err := ask(ctx, socket, url)
	if err != nil {
		return err
	}
	if strings.TrimSpace(body) == "" {
		return errors.New("no pipeline runs now: they do while OBS is on air")
	}
	_, err = io.WriteString(c.stdout, body)
	return err
}

// ask gets what a running costream-obs answers on its control socket.
func ask(ctx context.Context, socket, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	switch {
	case errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED):
		return "", errors.New("costream-obs does not run: start it with `costream-obs run`")
	case errors.Is(err, context.DeadlineExceeded):
		return "", fmt.Errorf("costream-obs runs but does not answer on %s", socket)
	case err != nil:
		return "", fmt.Errorf("control socket %s: %w", socket, errors.Unwrap(err))
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("control socket %s: %w", socket, err)
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("control socket %s: %s: %s", socket, response.Status, strings.TrimSpace(string(body)))
	}
	return string(body), nil
}
