// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/control"
)

// orderCommand has a running costream-obs carry out an order that needs no OBS.
func orderCommand(do control.PeerAction, short, long, done string) *command {
	return &command{
		name: string(do), short: short, long: long, settings: []string{"json", "verbose"},
		bind: func(*pflag.FlagSet) action {
			return func(ctx context.Context, c *invocation) error {
				answer, err := orderRunning(ctx, do)
				switch {
				case err != nil:
					return err
				case c.config.JSON:
					return printJSON(c.stdout, map[string]control.PeerAction{"done": do})
				case answer.WaitsForOBS:
					_, err = fmt.Fprintln(c.stdout, "You go on air when OBS is there.")
				default:
					_, err = fmt.Fprintln(c.stdout, done)
				}
				return err
			}
		},
	}
}

// orderRunning has a running costream-obs carry out an order that names no OBS.
func orderRunning(ctx context.Context, do control.PeerAction) (control.PeerAnswer, error) {
	socket, err := controlSocket()
	if err != nil {
		return control.PeerAnswer{}, err
	}
	answer, err := control.Client{Path: socket}.Peer(ctx, control.PeerOrder{Do: do})
	if errors.Is(err, control.ErrOtherOBS) {
		return control.PeerAnswer{}, errors.New("the costream-obs that runs is from before this command: restart it")
	}
	return answer, err
}
