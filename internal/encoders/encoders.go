// SPDX-License-Identifier: Apache-2.0

// Package encoders chooses the encoder of our picture for this machine: the best of those that pass a trial at the picture's size
// and rate. It keeps what the trials found out, and replaces an encoder that fails in a call.
//
// A trial runs in a process of its own: a driver may crash it or hang in it, and neither may take a call down. What a trial does
// is package media's.
package encoders

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/media"
)

// Auto is the setting that lets the trials decide.
const Auto = "auto"

// defaultKbps is the default of the secure link.
const defaultKbps = 6000

// Options configure a Chooser.
type Options struct {
	// Name forces an encoder; empty and Auto do not.
	Name string
	// File keeps what trials found out; empty keeps nothing.
	File string
	// Program is this program's path, which runs TrialCommand.
	Program string
	// BitrateKbps is the highest bitrate of the picture; 0 is 6000.
	BitrateKbps int
	Log         *slog.Logger // nil discards
}

// Chooser chooses encoders. Its methods may be called from any goroutine.
type Chooser struct {
	o      Options
	store  store
	pauses []time.Duration // before further trials of encoders that were too slow
	rest   time.Duration   // before the further trial of one that failed
	// hardwareWithin limits the trial of a hardware encoder.
	hardwareWithin time.Duration
	forget         time.Duration // after which a failure no longer counts

	mu       sync.Mutex
	known    map[media.VideoFormat][]Result
	trying   map[media.VideoFormat]chan struct{} // closed when it is done
	failed   map[string]string                   // why an encoder failed in a call
	resting  map[string]bool                     // of those that failed: they get one more trial
	failures map[string]int                      // not counting those that are forgotten
	latest   map[string]time.Time                // failure
	life     context.Context                     // of the latest Prepare
	news     chan struct{}                       // closed and replaced when something becomes known
}

// Result is what is known of one encoder.
type Result struct {
	Name string `json:"name"`
	// Absent says that GStreamer has no such element; there was no trial then.
	Absent bool `json:"absent,omitempty"`
	media.EncoderTrial
	// At is when the trial was.
	At time.Time `json:"at"`
}

// Passed reports whether the encoder can be used.
func (r Result) Passed() bool { return !r.Absent && r.Fault == "" }

// Check returns an error in the user's words if a setting names no encoder of this machine.
func Check(name string) error {
	if name == "" || name == Auto {
		return nil
	}
	present := media.PresentEncoders()
	if slices.Contains(present, name) {
		return nil
	}
	there := "auto"
	if len(present) > 0 {
		there += ", " + strings.Join(present, ", ")
	}
	if slices.Contains(media.EncoderNames(), name) {
		return fmt.Errorf("this machine has no encoder %s; it has: %s", name, there)
	}
	return fmt.Errorf("%q is no encoder that costream-obs knows; this machine has: %s", name, there)
}

// New makes a Chooser. Nothing is tried before Prepare.
func New(o Options) *Chooser {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Name == Auto {
		o.Name = ""
	}
	if o.BitrateKbps <= 0 {
		o.BitrateKbps = defaultKbps
	}
	return &Chooser{
		o: o, store: store{file: o.File}, pauses: []time.Duration{3 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute},
		known:  make(map[media.VideoFormat][]Result),
		trying: make(map[media.VideoFormat]chan struct{}), failed: make(map[string]string), news: make(chan struct{}),
		resting: make(map[string]bool), failures: make(map[string]int), rest: 30 * time.Second, hardwareWithin: hardwareWithin,
		latest: make(map[string]time.Time), forget: 10 * time.Minute,
	}
}

// Prepare finds out which encoder is best for pictures of a format, if that is not known. It returns at once.
func (c *Chooser) Prepare(ctx context.Context, f media.VideoFormat) {
	c.mu.Lock()
	c.life = ctx
	c.mu.Unlock()
	if c.o.Name != "" && !c.hasFailed(c.o.Name) {
		return
	}
	c.prepare(ctx, f)
}

// prepare returns a channel that is closed when the trials for a format are done.
func (c *Chooser) prepare(ctx context.Context, f media.VideoFormat) <-chan struct{} {
	f = f.Even()
	c.mu.Lock()
	defer c.mu.Unlock()
	if done, ok := c.trying[f]; ok {
		return done
	}
	done := make(chan struct{})
	c.trying[f] = done
	go func() {
		again := c.find(ctx, f)
		close(done)
		if again {
			c.findLater(ctx, f)
		}
	}()
	return done
}

// findLater does so while an encoder may have another result.
func (c *Chooser) findLater(ctx context.Context, f media.VideoFormat) {
	for _, pause := range c.pauses {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		if !c.find(ctx, f) {
			return
		}
	}
}

// find runs the trials for a format, and reports whether to do so again: an encoder was too slow, as on a machine that is busy now,
// or reported an error.
func (c *Chooser) find(ctx context.Context, f media.VideoFormat) (again bool) {
	results := c.try(ctx, f)
	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Err() != nil {
		delete(c.trying, f)
		return false
	}
	c.known[f] = results
	c.tell()
	return slices.ContainsFunc(results, unsure)
}

// unsure reports whether a further trial of an encoder may have another result, and that matters.
func unsure(r Result) bool { return (r.Slow || r.Failed) && media.HardwareEncoder(r.Name) }

// usable reports whether the encoder is as good as any that may come after it: how slow one in software is depends on the machine.
func usable(r Result) bool { return r.Passed() || r.Slow && !media.HardwareEncoder(r.Name) }

// tell says that something is known now. The lock must be held.
func (c *Chooser) tell() {
	close(c.news)
	c.news = make(chan struct{})
}

// Survey waits for the trials for a format and returns what they found out, the best encoder first.
func (c *Chooser) Survey(ctx context.Context, f media.VideoFormat) ([]Result, error) {
	select {
	case <-c.prepare(ctx, f):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.known[f.Even()]), ctx.Err()
}

// try tries encoders from the best on until one passes.
func (c *Chooser) try(ctx context.Context, f media.VideoFormat) []Result {
	began := time.Now()
	present := media.PresentEncoders()
	machine := c.store.machine()
	var results []Result
	for _, name := range media.EncoderNames() {
		if !slices.Contains(present, name) {
			results = append(results, Result{Name: name, Absent: true})
			continue
		}
		if c.hasFailed(name) {
			continue // Choose says why.
		}
		key := c.store.key(machine, name, f, c.o.BitrateKbps)
		result, found := c.store.get(key)
		if !found {
			result = Result{Name: name, EncoderTrial: c.trial(ctx, name, f), At: time.Now()}
			if ctx.Err() != nil {
				return nil
			}
			if c.hasFailed(name) {
				continue // in a call, meanwhile
			}
			c.o.Log.Info("encoder tried", "encoder", name, "format", f, "fault", result.Fault, "a picture", result.PerFrame)
			// That a busy machine was too slow, or an error, may be otherwise the next time.
			if !result.Slow && !result.Failed {
				if err := c.store.put(key, result); err != nil {
					c.o.Log.Info("what an encoder's trial found out is not kept", "error", err)
				}
			}
		}
		results = append(results, result)
		if usable(result) {
			break
		}
	}
	c.o.Log.Debug("encoders are known", "format", f, "after", time.Since(began).Round(time.Millisecond))
	return results
}

// Choose returns the encoder for pictures of a format. It does not wait: until the trials are done it is one in software.
func (c *Chooser) Choose(f media.VideoFormat) media.EncoderChoice {
	f = f.Even()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.o.Name != "" && c.failed[c.o.Name] == "" {
		choice := media.EncoderChoice{Name: c.o.Name, Why: "--encoder names it"}
		if result, ok := c.store.get(c.store.key(c.store.machine(), c.o.Name, f, c.o.BitrateKbps)); ok {
			choice.KeyOnRate = result.KeyOnRate
		} else {
			// A key frame with each change of the bitrate does harm, and few changes do little.
			choice.KeyOnRate = media.HardwareEncoder(c.o.Name)
		}
		return choice
	}
	var why []string
	for _, name := range media.EncoderNames() {
		if reason := c.failed[name]; reason != "" {
			why = append(why, name+" failed: "+reason)
		}
	}
	results, known := c.known[f]
	provisional := !known || len(c.resting) > 0
	for _, r := range results {
		switch {
		case r.Absent || c.failed[r.Name] != "":
		case !r.Passed() && usable(r):
			return media.EncoderChoice{Name: r.Name, Why: strings.Join(append(why, "it is slow here: "+r.Fault), "; "), Provisional: provisional}
		case !r.Passed():
			why = append(why, r.Name+" did not pass its trial: "+r.Fault)
			provisional = provisional || unsure(r)
		default:
			passed := fmt.Sprintf("it passed its trial at %v in %.1f ms a picture", f, r.PerFrame.Seconds()*1000)
			return media.EncoderChoice{Name: r.Name, Why: strings.Join(append(why, passed), "; "), KeyOnRate: r.KeyOnRate, Provisional: provisional}
		}
	}
	name := c.untried()
	switch {
	case !known:
		why = append(why, fmt.Sprintf("the encoders have not been tried at %v yet", f))
	case len(why) == 0:
		why = append(why, "no encoder has passed its trial")
	}
	return media.EncoderChoice{Name: name, Why: strings.Join(why, "; "), Provisional: provisional}
}

// untried is the first software encoder that is there and has not failed, else the first that is there. The lock must be held.
func (c *Chooser) untried() string {
	for _, name := range media.PresentEncoders() {
		if !media.HardwareEncoder(name) && c.failed[name] == "" {
			return name
		}
	}
	return media.SoftwareEncoder()
}

// Failed notes that an encoder failed in a call, and reports whether Choose has another one. The encoder gets a further trial after a
// while, because a machine that was too busy for it needs it most. After a second failure within forget it is not chosen again by this Chooser.
func (c *Chooser) Failed(name, why string, f media.VideoFormat) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed[name] = why
	if time.Since(c.latest[name]) > c.forget {
		c.failures[name] = 0
	}
	c.failures[name]++
	c.latest[name] = time.Now()
	if c.failures[name] == 1 && c.life != nil {
		c.resting[name] = true
		go c.tryAgain(c.life, name, f.Even())
	}
	c.tell()
	for _, other := range media.PresentEncoders() {
		if !media.HardwareEncoder(other) && c.failed[other] == "" {
			// The next run tries it again, and finds out whether it has gone for good.
			c.store.forget(c.store.key(c.store.machine(), name, f.Even(), c.o.BitrateKbps))
			return true
		}
	}
	// There is nothing left: what failed once may work the next time.
	clear(c.failed)
	return false
}

// tryAgain forgives the failure of an encoder that passes a further trial. Formats that were prepared meanwhile did without it.
func (c *Chooser) tryAgain(ctx context.Context, name string, f media.VideoFormat) {
	fault := ""
	select {
	case <-ctx.Done():
		return
	case <-time.After(c.rest):
		fault = c.trial(ctx, name, f).Fault
	}
	c.o.Log.Info("encoder that failed tried again", "encoder", name, "fault", fault)
	if fault == "" {
		c.mu.Lock()
		delete(c.failed, name)
		formats := slices.Collect(maps.Keys(c.known))
		c.mu.Unlock()
		for _, f := range formats {
			if c.find(ctx, f) {
				go c.findLater(ctx, f)
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.resting, name)
	c.tell()
}

func (c *Chooser) hasFailed(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed[name] != ""
}

// News is closed when Choose may have another answer.
func (c *Chooser) News() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.news
}
