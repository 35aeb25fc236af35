// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/andreykaipov/goobs"

	"github.com/costream-obs/costream-obs/internal/standstill"
)

// loadingPause is between two attempts at a request while OBS loads.
const loadingPause = 50 * time.Millisecond

// slowTimeout is for requests that make OBS reload half of itself: switching
// profiles and scene collections. Measured: 0.1-0.2 s on an idle machine.
const slowTimeout = 15 * time.Second

// longestStandstill is how long this process may be stopped without losing its connection to OBS, and how long goroutines of
// goobs may stay after their connection was given up.
const longestStandstill = 5 * time.Minute

// call makes one request. It returns when OBS answers, when ctx ends, or when
// the client ends, whichever is first. While OBS loads or changes its scenes,
// when it refuses every request, the request is made again and again, for as
// long as one may take.
//
// When OBS misses the deadline the client is given up: goobs pairs answers
// with requests by order alone, so after a late answer it can never be used
// again. The socket is closed before goobs's own, longer timeout; that way its
// reader sees the end of the connection, not a reply that nobody waits for, and
// its goroutines end instead of blocking for ever. The deadline counts only the
// time in which this process runs; that of goobs cannot.
func call[T any](ctx context.Context, c *Client, request string, f func(*goobs.Client) (T, error)) (T, error) {
	return callWithin(ctx, c, c.options.Timeout, request, f)
}

func callWithin[T any](ctx context.Context, c *Client, limit time.Duration, request string,
	f func(*goobs.Client) (T, error)) (T, error) {
	var none T
	begin := time.Now()
	for loads := false; ; loads = true {
		value, err := callOnce(ctx, c, limit, request, f)
		switch {
		case loads && err != nil && ctx.Err() != nil:
			return none, fmt.Errorf("%s: %w: %w", request, ErrLoading, ctx.Err())
		case !errors.Is(err, ErrLoading) || time.Since(begin) >= limit:
			return value, err
		}
		select {
		case <-time.After(loadingPause):
		case <-c.done:
		case <-ctx.Done():
		}
	}
}

func callOnce[T any](ctx context.Context, c *Client, limit time.Duration, request string,
	f func(*goobs.Client) (T, error)) (T, error) {
	var none T
	if err := c.take(ctx); err != nil {
		return none, fmt.Errorf("%s: %w", request, err)
	}

	type result struct {
		value T
		err   error
	}
	answer := make(chan result, 1)
	late := standstill.AfterFunc(limit, func() {
		c.fail(fmt.Errorf("%w: %s took longer than %v", ErrNoAnswer, request, limit))
	})
	go func() {
		goobs.WithResponseTimeoutDuration(limit + longestStandstill)(c.goobs)
		value, err := f(c.goobs)
		late.Stop()
		c.answered.Store(int64(time.Since(c.born)))
		<-c.slot
		answer <- result{value, err}
	}()

	select {
	case r := <-answer:
		switch {
		case r.err == nil:
			return r.value, nil
		case c.Err() != nil:
			return none, fmt.Errorf("%s: %w", request, c.Err())
		}
		return none, requestError(request, r.err)
	case <-c.done:
		return none, fmt.Errorf("%s: %w", request, c.err)
	case <-ctx.Done():
		// The request is still in flight, and keeps the slot until OBS answers or its deadline ends.
		return none, fmt.Errorf("%s: %w", request, ctx.Err())
	}
}

// take waits for the previous request to end, which has a deadline.
func (c *Client) take(ctx context.Context) error {
	if err := c.Err(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case c.slot <- struct{}{}:
		return nil
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// do is call for a request whose answer is empty.
func do[T any](ctx context.Context, c *Client, request string, f func(*goobs.Client) (T, error)) error {
	_, err := call(ctx, c, request, f)
	return err
}
