// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Keeper keeps a connection to OBS: it finds OBS, connects, calls a function with the client, and begins again when the
// connection ends.
type Keeper struct {
	// Find says where OBS is; it is asked before every attempt, because OBS
	// may come back with another port or password. An endpoint that comes
	// with ErrNoConfig is tried.
	Find func() (Endpoint, error)
	// Options of the connections.
	Options Options
	// Log receives what happens; nil discards it.
	Log *slog.Logger
	// MinBackoff and MaxBackoff bound the pause after a failed attempt, which
	// doubles each time. Defaults 0.25 s and 5 s.
	MinBackoff, MaxBackoff time.Duration
	// OnDown, when set, is called from Run's goroutine for each failed attempt and each lost connection.
	OnDown func(error)
}

// Run calls use for each connection, one at a time. The context given to use
// ends with the connection, and Run waits for use to return. It returns nil
// when ctx ends, or use's error when that wraps ErrStop.
func (k *Keeper) Run(ctx context.Context, use func(ctx context.Context, c *Client) error) error {
	log := k.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	shortest, longest := k.MinBackoff, k.MaxBackoff
	if shortest <= 0 {
		shortest = 250 * time.Millisecond
	}
	if longest <= 0 {
		longest = 5 * time.Second
	}
	longest = max(shortest, longest)

	pause := shortest
	for ctx.Err() == nil {
		began := time.Now()
		connected, err := k.once(ctx, use)
		if errors.Is(err, ErrStop) {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
		log.Debug("no connection to OBS", "reason", err)
		if k.OnDown != nil {
			k.OnDown(err)
		}
		// After a connection that lasted, try again at once. One that ends immediately counts as a failed attempt.
		if connected && time.Since(began) >= longest {
			pause = shortest
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, longest)
	}
	return nil
}

// once makes one attempt and reports whether it got as far as a connection.
func (k *Keeper) once(ctx context.Context, use func(ctx context.Context, c *Client) error) (connected bool, err error) {
	endpoint, err := k.Find()
	if err != nil && !errors.Is(err, ErrNoConfig) {
		return false, err
	}
	client, err := Dial(ctx, endpoint, k.Options)
	if err != nil {
		return false, err
	}
	defer func() { _ = client.Close() }()

	ctx, cancel := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-client.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	err = use(ctx, client)
	cancel()
	<-watched
	if lost := client.Err(); lost != nil && !errors.Is(err, ErrStop) {
		return true, lost
	}
	return true, err
}
