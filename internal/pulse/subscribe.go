// SPDX-License-Identifier: Apache-2.0

package pulse

import (
	"bufio"
	"context"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// Change is something that happened at the sound server.
type Change struct {
	Event  string // "new", "change" or "remove"
	Object string // "sink", "sink-input", "source", "server", ...
	Index  int    // -1 for the whole server
}

// The server itself comes and goes as an object of this name.
const wholeServer = "whole server"

// ServerCame reports that the server answers, for the first time or again.
// Everything that was known of it before is void.
func (c Change) ServerCame() bool { return c.Object == wholeServer && c.Event == "new" }

// ServerWent reports that the server does not answer any more.
func (c Change) ServerWent() bool { return c.Object == wholeServer && c.Event == "remove" }

const (
	minRetry = 250 * time.Millisecond
	maxRetry = 5 * time.Second
)

// Subscribe reports changes at the server until ctx ends; it stays through
// restarts of the server. The channel is closed when nothing of it runs any
// more. Who reads too slowly misses changes: take each as a reason to look,
// not as what there is to see.
func (c Client) Subscribe(ctx context.Context) <-chan Change {
	changes := make(chan Change, 256)
	go func() {
		defer close(changes)
		// The death signal follows the thread that forked, see prctl(2).
		runtime.LockOSThread()
		for retry := minRetry; ctx.Err() == nil; retry = min(2*retry, maxRetry) {
			if c.subscribe(ctx, changes) {
				retry = minRetry
			}
			select {
			case <-ctx.Done():
			case <-time.After(retry):
			}
		}
	}()
	return changes
}

// subscribe runs until the server goes and tells whether it was there.
func (c Client) subscribe(ctx context.Context, changes chan<- Change) (came bool) {
	send := func(c Change) {
		select {
		case changes <- c:
		default:
		}
	}
	keepFiles()
	cmd := exec.CommandContext(ctx, "pactl", "subscribe")
	cmd.Env = c.environ()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = time.Second
	out, err := cmd.StdoutPipe()
	if err != nil || cmd.Start() != nil {
		return false
	}
	pokeCtx, heard := context.WithCancel(ctx)
	poked := make(chan struct{})
	go func() {
		defer close(poked)
		c.poke(pokeCtx)
	}()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if !came {
			came = true
			heard()
			send(Change{Event: "new", Object: wholeServer, Index: -1})
		}
		// Every pactl that somebody runs is a client; who looks at the server
		// by pactl on each of those would never come to rest.
		if c, ok := parseChange(lines.Text()); ok && c.Object != "client" {
			send(c)
		}
	}
	heard()
	<-poked
	_ = cmd.Wait()
	if came && ctx.Err() == nil {
		send(Change{Event: "remove", Object: wholeServer, Index: -1})
	}
	return came
}

// poke connects to the server again and again until ctx ends, which makes
// events: pactl does not say when its subscription has begun.
func (c Client) poke(ctx context.Context) {
	const pause = 100 * time.Millisecond
	for ctx.Err() == nil {
		if _, err := c.Info(ctx); err != nil && ctx.Err() == nil {
			return // pactl subscribe will have failed likewise
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

var changeLine = regexp.MustCompile(`^Event '(\w+)' on ([\w-]+) #(\d+)$`)

func parseChange(line string) (Change, bool) {
	m := changeLine.FindStringSubmatch(line)
	if m == nil {
		return Change{}, false
	}
	index, err := strconv.ParseUint(m[3], 10, 32)
	if err != nil {
		return Change{}, false
	}
	return Change{Event: m[1], Object: m[2], Index: int(index)}, true
}
