// SPDX-License-Identifier: Apache-2.0

package portmap

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// timing has the times of a Mapper, which tests shorten.
type timing struct {
	waits    []time.Duration // between the same questions over UDP
	patience time.Duration   // for a protocol before the next one may open the port
	attempt  time.Duration   // for all protocols
	search   time.Duration   // for answers of UPnP routers, who may wait a second (MX)
	check    time.Duration   // between checks with PCP and NAT-PMP: 52 bytes each way
	checkUP  time.Duration   // between checks with UPnP: 2000 bytes each way
	retry    time.Duration   // after a first failure, then doubled
	maxLost  time.Duration   // at most, for a router that had the port open: it may be starting
	maxRetry time.Duration   // at most
	shortest time.Duration   // lifetime that is taken from a router, so that none makes us renew all the time
	closing  time.Duration   // for the deletions at the end
	settle   time.Duration   // between two readings of the network, for one after an event
	reread   time.Duration   // between two readings without one
}

var standardTiming = timing{
	waits:    []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second},
	patience: 250 * time.Millisecond,
	attempt:  8 * time.Second,
	search:   2 * time.Second,
	check:    15 * time.Second,
	checkUP:  time.Minute,
	retry:    2 * time.Second,
	maxLost:  15 * time.Second,
	maxRetry: 5 * time.Minute,
	shortest: time.Minute,
	closing:  900 * time.Millisecond,
	settle:   200 * time.Millisecond,
	reread:   30 * time.Second,
}

// lostFor is how long a router may take to start.
const lostFor = 10 * time.Minute

// worker keeps the port open for one address of ours.
type worker struct {
	m *Mapper
	subject
	ctx   context.Context
	stop  context.CancelFunc
	after *worker // of the same subject; it must have ended first
	done  chan struct{}
	log   *slog.Logger

	suggested netip.AddrPort // what the router gave before
}

func newWorker(ctx context.Context, m *Mapper, s subject, after *worker) *worker {
	w := &worker{m: m, subject: s, after: after, done: make(chan struct{}), log: m.log.With("own", s.own, "gateway", s.gateway)}
	w.ctx, w.stop = context.WithCancel(ctx)
	return w
}

func (w *worker) ended() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

func (w *worker) run() {
	defer close(w.done)
	defer w.stop()
	if w.after != nil {
		<-w.after.done
		w.after = nil
	}
	pause := w.m.asking.retry
	var open time.Time // when the port was open last
	for w.ctx.Err() == nil {
		err := w.m.bound(int(w.m.port))
		if err != nil {
			w.m.tell(w.ctx, w.subject, result{err: err})
			w.sleep(w.m.asking.retry)
			continue
		}
		a := w.attempt(w.ctx)
		if a.err != nil {
			w.m.tell(w.ctx, w.subject, result{verdict: verdictOf(a.err), err: a.err})
			w.close(a.began)
			w.sleep(pause)
			most := w.m.asking.maxRetry
			if !open.IsZero() && time.Since(open) < lostFor {
				most = w.m.asking.maxLost
			}
			pause = min(2*pause, most)
			continue
		}
		pause = w.m.asking.retry
		w.keep(a)
		open = time.Now()
	}
}

func (w *worker) sleep(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-w.ctx.Done():
	case <-t.C:
	}
}

func (w *worker) openers() []opener {
	waits := w.m.asking.waits
	pcp := &pcpOpener{subject: w.subject, port: w.m.port, nonce: w.m.nonce, waits: waits, suggested: w.suggested}
	if w.own.Is6() {
		return []opener{pcp, &pinholeOpener{finder: w.m.finder, own: w.own, gateway: w.gateway, port: w.m.port}}
	}
	return []opener{
		pcp,
		&natpmpOpener{subject: w.subject, port: w.m.port, waits: waits, suggested: w.suggested.Port()},
		&igdOpener{finder: w.m.finder, own: w.own, port: w.m.port, suggested: w.suggested.Port()},
	}
}

// attempt is what came of asking the router with all protocols.
type attempt struct {
	opener opener
	grant  grant
	began  []opener // all that may have opened the port
	err    error    // nil if opener has
}

// attempt asks with all protocols at once, but a protocol opens the port only when those before it have failed or do not
// answer soon. The first that has opened it is taken.
func (w *worker) attempt(ctx context.Context) attempt {
	ctx, cancel := context.WithTimeout(ctx, w.m.asking.attempt)
	defer cancel()
	type outcome struct {
		i     int
		grant grant
		began bool
		err   error
	}
	openers := w.openers()
	outcomes := make(chan outcome, len(openers))
	turns := make([]chan struct{}, len(openers))
	for i, o := range openers {
		turns[i] = make(chan struct{})
		go func() {
			began := false
			g, err := func() (grant, error) {
				if err := o.prepare(ctx); err != nil {
					return grant{}, err
				}
				select {
				case <-ctx.Done():
					return grant{}, ctx.Err()
				case <-turns[i]:
				}
				began = true
				return o.open(ctx)
			}()
			outcomes <- outcome{i, g, began, err}
		}()
	}
	start := time.Now()
	patience := time.NewTicker(w.m.asking.patience)
	defer patience.Stop()
	var a attempt
	failed := make([]error, len(openers))
	next := 0
	for open := len(openers); open > 0; {
		for ; next < len(turns) && (next == 0 || failed[next-1] != nil || time.Since(start) >= time.Duration(next)*w.m.asking.patience); next++ {
			close(turns[next])
		}
		select {
		case <-patience.C:
		case o := <-outcomes:
			open--
			if o.began {
				a.began = append(a.began, openers[o.i])
			}
			if o.err == nil && a.opener == nil {
				a.opener, a.grant = openers[o.i], o.grant
				w.log.Debug("router: the port is open", "protocol", a.opener.protocol(), "external", o.grant.external, "lifetime", o.grant.lifetime, "took", time.Since(start))
				cancel()
			}
			if failed[o.i] = o.err; o.err != nil && a.opener == nil {
				w.log.Debug("router: not with this protocol", "protocol", openers[o.i].protocol(), "err", o.err, "took", time.Since(start))
			}
			if s := (*sharedError)(nil); errors.As(o.err, &s) && s.address.IsValid() {
				cancel() // the others would say the same
			}
		}
	}
	if a.opener == nil {
		a.err = telling(failed)
	}
	return a
}

// telling makes one error of those of all protocols: the one that says most.
func telling(failed []error) error {
	var refused []string
	var shared *sharedError
	for _, err := range failed {
		if s := (*sharedError)(nil); errors.As(err, &s) && (shared == nil || s.address.IsValid()) {
			shared = s
		}
		if r := (*refusal)(nil); errors.As(err, &r) {
			refused = append(refused, r.Error())
		}
	}
	if shared != nil {
		return shared
	}
	if len(refused) > 0 {
		return fmt.Errorf("%w: %s", errRefused, strings.Join(refused, "; "))
	}
	var silent []string
	for _, err := range failed {
		silent = append(silent, err.Error())
	}
	return fmt.Errorf("no router answered: %s", strings.Join(silent, "; "))
}

var errRefused = errors.New("the router opens no port")

func verdictOf(err error) Verdict {
	if s := (*sharedError)(nil); errors.As(err, &s) {
		return Shared
	}
	if errors.Is(err, errRefused) {
		return Refused
	}
	return None
}

// keep keeps what an attempt has opened until that fails or the context ends. In the end it takes it back.
func (w *worker) keep(a attempt) {
	every := w.m.asking.check
	if a.opener.protocol() == UPnP {
		every = w.m.asking.checkUP
	}
	check := time.NewTicker(every)
	defer check.Stop()
	renew := time.NewTimer(0)
	defer renew.Stop()
	for {
		w.suggested = a.grant.external
		w.m.tell(w.ctx, w.subject, result{external: a.grant.external, protocol: a.opener.protocol(), verdict: Open})
		renew.Reset(w.renewAfter(a.grant.lifetime))
		if !w.await(check.C, renew.C, a.opener) {
			w.close(a.began)
			return
		}
		if w.m.bound(int(w.m.port)) != nil {
			w.close(a.began)
			return
		}
		g, err := a.opener.open(w.ctx)
		if err != nil && w.ctx.Err() == nil {
			w.log.Debug("router: the port cannot be renewed", "protocol", a.opener.protocol(), "err", err)
			return // what the router may still have is asked for again, with the same nonce and port
		}
		if err == nil {
			w.log.Debug("router: the port is renewed", "protocol", a.opener.protocol(), "external", g.external, "lifetime", g.lifetime)
			a.grant = g
		}
	}
}

// await returns when the port must be opened again: true, or when the context or the port's binding has ended: false.
func (w *worker) await(check, renew <-chan time.Time, o opener) bool {
	for {
		select {
		case <-w.ctx.Done():
			return false
		case <-renew:
			return true
		case <-check:
			if err := w.m.bound(int(w.m.port)); err != nil {
				w.log.Debug("router: the port is given back", "err", err)
				return false
			}
			if err := o.check(w.ctx); err != nil && w.ctx.Err() == nil {
				w.log.Debug("router: the port is opened anew", "protocol", o.protocol(), "err", err)
				return true
			}
		}
	}
}

func (w *worker) renewAfter(granted time.Duration) time.Duration {
	if granted == 0 || granted > lifetime {
		granted = lifetime
	}
	return max(granted, w.m.asking.shortest) / 2
}

// close takes back what may be open. It has a deadline of its own, since the worker's context may have ended.
func (w *worker) close(began []opener) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), w.m.asking.closing)
	defer cancel()
	var all sync.WaitGroup
	for _, o := range began {
		all.Add(1)
		go func() {
			defer all.Done()
			err := o.close(ctx)
			w.log.Debug("router: the port is taken back", "protocol", o.protocol(), "err", err)
		}()
	}
	all.Wait()
}
