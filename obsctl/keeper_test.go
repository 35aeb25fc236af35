// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
)

// keep runs k until the test ends and returns the clients that it makes.
func keep(t *testing.T, k *Keeper) <-chan *Client {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	clients := make(chan *Client)
	ended := make(chan error, 1)
	go func() {
		ended <- k.Run(ctx, func(ctx context.Context, c *Client) error {
			select {
			case clients <- c:
			case <-ctx.Done():
				return nil
			}
			<-ctx.Done()
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := within(t, "the end of Run", 5*time.Second, ended); err != nil {
			t.Errorf("Run: got error %v, want nil when its context ends", err)
		}
	})
	return clients
}

func TestKeeperReplacesClients(t *testing.T) {
	f := (&fakeobs.Server{}).Start(t)
	down := make(chan error, 10)
	clients := keep(t, &Keeper{
		Find:       func() (Endpoint, error) { return endpointOf(f), fmt.Errorf("%w: tried all the same", ErrNoConfig) },
		Options:    Options{Timeout: 500 * time.Millisecond, Heartbeat: 20 * time.Millisecond},
		MinBackoff: time.Millisecond, MaxBackoff: 10 * time.Millisecond,
		OnDown: func(err error) { down <- err },
	})
	first := within(t, "the first client", 5*time.Second, clients)
	f.Reset()
	second := within(t, "a client after the reset", 5*time.Second, clients)
	if first == second {
		t.Error("after the reset: got the same client")
	}
	if err := within(t, "OnDown", 5*time.Second, down); !errors.Is(err, ErrLost) {
		t.Errorf("OnDown after the reset: got %v, want ErrLost", err)
	}
	within(t, "Done of the first client", 5*time.Second, first.Done())

	f.Answer(false)
	if err := within(t, "OnDown", 5*time.Second, down); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("OnDown when OBS is frozen: got %v, want ErrNoAnswer", err)
	}
	f.Answer(true)
	within(t, "a client after the freeze", 5*time.Second, clients)
}

// TestKeeperBackoff: the pauses double up to the longest, and OBS is found
// again soon after it has come.
func TestKeeperBackoff(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := endpointAt(gone.Addr())
	_ = gone.Close()
	attempts := make(chan time.Time, 100)
	ctx, cancel := context.WithCancel(t.Context())
	k := &Keeper{
		Find:       func() (Endpoint, error) { attempts <- time.Now(); return nobody, nil },
		MinBackoff: 20 * time.Millisecond, MaxBackoff: 50 * time.Millisecond,
	}
	ended := make(chan error, 1)
	go func() { ended <- k.Run(ctx, func(context.Context, *Client) error { return nil }) }()
	last := within(t, "the first attempt", 5*time.Second, attempts)
	for _, least := range []time.Duration{20, 40, 50, 50} {
		next := within(t, "the next attempt", 5*time.Second, attempts)
		if pause := next.Sub(last); pause < least*time.Millisecond {
			t.Errorf("pause: got %v, want at least %v", pause, least*time.Millisecond)
		}
		last = next
	}
	cancel()
	if err := within(t, "the end of Run", 5*time.Second, ended); err != nil {
		t.Errorf("Run: got error %v, want nil", err)
	}
}

// TestKeeperNoTightLoop: a use that fails at once does not make the keeper
// hammer OBS.
func TestKeeperNoTightLoop(t *testing.T) {
	f := (&fakeobs.Server{}).Start(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	k := &Keeper{
		Find:       func() (Endpoint, error) { return endpointOf(f), nil },
		MinBackoff: 50 * time.Millisecond, MaxBackoff: time.Second,
	}
	used := 0
	if err := k.Run(ctx, func(context.Context, *Client) error { used++; return errors.New("at once") }); err != nil {
		t.Errorf("Run: got error %v, want nil", err)
	}
	if used < 2 || used > 5 {
		t.Errorf("connections in a second: got %d, want 2 to 5", used)
	}
}

func TestKeeperStops(t *testing.T) {
	f := (&fakeobs.Server{}).Start(t)
	k := &Keeper{Find: func() (Endpoint, error) { return endpointOf(f), nil }}
	want := fmt.Errorf("done here: %w", ErrStop)
	if err := k.Run(t.Context(), func(context.Context, *Client) error { return want }); !errors.Is(err, want) {
		t.Errorf("Run: got error %v, want %v", err, want)
	}
}
