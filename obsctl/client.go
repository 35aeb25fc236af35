// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/andreykaipov/goobs"
	"github.com/andreykaipov/goobs/api/events/subscriptions"
	"github.com/gorilla/websocket"
)

// Options of a connection. The zero value is good.
type Options struct {
	// Timeout is how long one request may take before the connection is given
	// up. Default 5 s.
	Timeout time.Duration
	// Heartbeat is how long the connection may be silent before OBS is asked
	// for a sign of life. Default 2 s.
	Heartbeat time.Duration
	// Transforms asks for SceneItemTransformed events.
	Transforms bool
	// Levels asks for Levels events, and for no others.
	Levels bool
	// Quiet asks for no events of scenes, items and inputs: OBS sends one for each item that a client itself shows or hides.
	Quiet bool
	// Activations asks for InputActive events.
	Activations bool
	// Log receives what happens on the connection; nil discards it.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = 2 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// eventBuffer is how many events wait for a slow consumer before the oldest are dropped.
const eventBuffer = 256

// Client is one connection to OBS. Its methods are safe for concurrent use;
// requests are sent one after the other.
//
// A Client does not reconnect. Once its connection is lost, or OBS missed a
// deadline, Done is closed and every call returns Err; dial anew then, or let
// a Keeper do it.
type Client struct {
	endpoint Endpoint
	options  Options
	goobs    *goobs.Client
	conn     *watchedConn
	version  Version
	// cameraPatched checks OBS's plugin once, which takes some milliseconds.
	cameraPatched func() bool

	slot     chan struct{} // held by the one request in flight
	born     time.Time
	answered atomic.Int64 // nanoseconds from born to the last answer
	batches  atomic.Int64 // sent so far
	events   chan Event
	window   window
	current  collectionName
	workers  sync.WaitGroup

	end  sync.Once
	err  error // valid once done is closed
	done chan struct{}
}

// Dial connects to OBS and logs in. The error is a *ConnectError, or ctx's.
func Dial(ctx context.Context, ep Endpoint, opts Options) (*Client, error) {
	opts = opts.withDefaults()
	// All of the login together has one deadline.
	ctx, cancel := context.WithTimeout(ctx, opts.Timeout)
	defer cancel()

	c, err := connect(ctx, ep, opts)
	if err != nil {
		return nil, err
	}
	ep = c.endpoint
	c.version, err = c.readVersion(ctx)
	switch {
	case errors.Is(err, ErrLoading) && !errors.Is(ctx.Err(), context.Canceled):
		_ = c.Close()
		return nil, loadingError(ep, err)
	case err != nil:
		_ = c.Close()
		return nil, dialError(ctx, err, func(err error) error { return loginError(ep, err) })
	case !c.version.OBS.AtLeast(oldest):
		_ = c.Close()
		return nil, tooOldError(ep, c.version)
	}
	opts.Log.Debug("connected to OBS", "address", ep.Addr(), "obs", c.version.OBS, "obs-websocket", c.version.WebSocket)
	return c, nil
}

// connect logs in to OBS and does not ask for its version.
func connect(ctx context.Context, ep Endpoint, opts Options) (*Client, error) {
	tcp, ep, err := dialTCP(ctx, ep)
	if err != nil {
		return nil, err
	}
	conn := watch(tcp)
	library, err := login(ctx, conn, ep, opts)
	if err != nil {
		_ = conn.Close()
		return nil, dialError(ctx, err, func(err error) error { return loginError(ep, err) })
	}

	c := &Client{
		endpoint: ep,
		options:  opts,
		goobs:    library,
		conn:     conn,
		born:     time.Now(),
		slot:     make(chan struct{}, 1),
		events:   make(chan Event, eventBuffer),
		window:   window{answered: make(chan struct{}, 1)},
		done:     make(chan struct{}),
		cameraPatched: sync.OnceValue(func() bool {
			return ep.PID != 0 && resetsCamera(loadedFile("", ep.PID, cameraPlugin))
		}),
	}
	c.workers.Add(2)
	go func() { defer c.workers.Done(); c.pump() }()
	go func() { defer c.workers.Done(); c.keepAlive() }()
	return c, nil
}

// dialTCP connects to the first host of an endpoint that answers. That host alone is in the endpoint it returns.
func dialTCP(ctx context.Context, ep Endpoint) (net.Conn, Endpoint, error) {
	var dialer net.Dialer
	var first error
	for _, host := range ep.hosts() {
		at := ep
		at.Host = host
		conn, err := dialer.DialContext(ctx, "tcp", at.Addr())
		if err == nil {
			return conn, at, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, ep, dialError(ctx, first, func(err error) error { return tcpError(ep, err) })
}

// dialError separates the caller's cancellation from failures of OBS.
func dialError(ctx context.Context, err error, explain func(error) error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Cause(ctx)
	case ctx.Err() != nil:
		err = ctx.Err()
	}
	return explain(err)
}

// events is which events OBS sends.
func (opts Options) events() int {
	if opts.Levels {
		return subscriptions.InputVolumeMeters
	}
	mask := subscriptions.All
	if opts.Quiet {
		mask = subscriptions.General | subscriptions.Config | subscriptions.Transitions
	}
	if opts.Transforms {
		mask |= subscriptions.SceneItemTransformChanged
	}
	if opts.Activations {
		mask |= subscriptions.InputActiveStateChanged
	}
	return mask
}

// login speaks HTTP, websocket and obs-websocket's hello on conn. goobs takes
// no context, so it runs in a goroutine, which ends at the latest with goobs's
// own timeout; closing conn, as the caller does on an error, unblocks it.
func login(ctx context.Context, conn *watchedConn, ep Endpoint, opts Options) (*goobs.Client, error) {
	type result struct {
		client *goobs.Client
		err    error
	}
	results := make(chan result, 1)
	go func() {
		client, err := goobs.New(ep.Addr(),
			goobs.WithPassword(ep.Password.Reveal()),
			goobs.WithResponseTimeoutDuration(opts.Timeout),
			goobs.WithLogger(silence{}),
			goobs.WithEventSubscriptions(opts.events()),
			goobs.WithDialer(&websocket.Dialer{
				HandshakeTimeout: opts.Timeout,
				NetDialContext: func(context.Context, string, string) (net.Conn, error) {
					return conn, nil
				},
			}))
		results <- result{client, err}
	}()
	select {
	case r := <-results:
		return r.client, r.err
	case <-conn.dead:
		return nil, fmt.Errorf("the connection was closed during the login: %w", conn.cause)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// silence drops goobs's log, which would print whole messages, passwords and
// stream keys included.
type silence struct{}

func (silence) Printf(string, ...any) {}

// Close ends the connection and waits for the client's goroutines. Calls in
// flight return ErrClosed.
func (c *Client) Close() error {
	c.fail(ErrClosed)
	c.workers.Wait()
	return nil
}

// Done is closed when the connection is lost, given up or closed.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err says why Done was closed; nil before that.
func (c *Client) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}

// Events gives what happens in OBS, in order. It is closed after Done. When
// the consumer is slow the oldest events are lost.
func (c *Client) Events() <-chan Event { return c.events }

// Version is what OBS said about itself at the login.
func (c *Client) Version() Version {
	v := c.version
	v.CameraPatched = c.cameraPatched()
	return v
}

// Endpoint is where this client is connected to.
func (c *Client) Endpoint() Endpoint { return c.endpoint }

// fail ends the client for the given reason; the first reason stays.
func (c *Client) fail(reason error) {
	c.end.Do(func() {
		c.err = reason
		close(c.done)
		_ = c.conn.Close()
		c.options.Log.Debug("connection to OBS ended", "reason", reason)
	})
}

// pump passes events from goobs to the consumer and notices the end of the connection, which shows as a dead socket, or as a
// channel that goobs closes after a close frame.
func (c *Client) pump() {
	defer close(c.events)
	exiting := false
	deliver := func(raw any) {
		c.noteWindow(raw)
		c.current.note(raw)
		event, known := translate(raw)
		if !known {
			return
		}
		if _, ok := event.(Exiting); ok {
			exiting = true
		}
		c.deliver(event)
	}
	lost := func(cause error) {
		switch {
		case exiting:
			c.fail(fmt.Errorf("%w: OBS was closed", ErrLost))
		case cause != nil:
			c.fail(fmt.Errorf("%w: %w", ErrLost, cause))
		default:
			c.fail(fmt.Errorf("%w: OBS closed it", ErrLost))
		}
	}
	for {
		select {
		case raw, open := <-c.goobs.IncomingEvents:
			if !open {
				lost(nil)
				return
			}
			deliver(raw)
		case <-c.done:
			return
		case <-c.conn.dead:
			for {
				select {
				case raw, open := <-c.goobs.IncomingEvents:
					if open {
						deliver(raw)
						continue
					}
				default:
				}
				lost(c.conn.cause)
				return
			}
		}
	}
}

// deliver queues an event and drops the oldest when the queue is full; pump
// is the only sender.
func (c *Client) deliver(event Event) {
	for {
		select {
		case c.events <- event:
			return
		default:
		}
		select {
		case dropped := <-c.events:
			c.options.Log.Debug("an event of OBS was dropped: nobody takes them", "event", dropped)
		default:
		}
	}
}

// keepAlive asks OBS something whenever the connection was silent: a half-open connection and a frozen OBS cannot be noticed
// otherwise.
func (c *Client) keepAlive() {
	ticker := time.NewTicker(c.options.Heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-ticker.C:
		}
		if time.Since(c.born)-time.Duration(c.answered.Load()) < c.options.Heartbeat {
			continue
		}
		// If OBS does not answer, the call's own timeout ends the client.
		_, _ = c.Stats(context.Background())
	}
}
