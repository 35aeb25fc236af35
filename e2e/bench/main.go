// SPDX-License-Identifier: Apache-2.0

// Command bench measures how late, how well and at what cost a picture and a voice get from one machine to another: ours
// against what people use or have used instead. All are programs of their own that get raw pictures through a pipe and give
// them back through another one, and are treated alike; they take turns, so that what else the machine does hits all.
//
// It is what `make bench`, `make bench-loss` and `make bench-busy` run. It never fails because of a time: it reports.
// docs/performance.md explains the figures.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

func main() {
	var o options
	loss := flag.Bool("loss", false, "behind a bad network instead of a good one")
	busy := flag.Int("busy", 0, "with and without this `number` of busy loops beside it")
	flag.StringVar(&o.peer, "peer", "build/bench-peer", "`program` made from e2e/bench/peer")
	flag.StringVar(&o.versus, "versus", "", "another `program` made from e2e/bench/peer, to be compared with -peer")
	flag.StringVar(&o.costream, "costream", "", "`program` to measure OBS to OBS with; none: not measured")
	flag.IntVar(&o.rounds, "rounds", 0, "turns of each system; default: 5, with -loss 1, with -busy 3")
	flag.DurationVar(&o.window, "window", 0, "how long each turn is measured; default: 10s, with -loss 16s, with -busy 20s")
	flag.StringVar(&o.only, "only", "", "comma separated `systems` to measure; default: all")
	asJSON := flag.Bool("json", false, "print JSON")
	into := flag.String("into", "", "Markdown `file` whose section of figures is replaced")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o.log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	what := latencySuite
	switch {
	case *loss:
		what = lossSuite
	case *busy > 0:
		what = busySuite(*busy)
	}
	if err := run(ctx, what, o, *asJSON, *into); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are what the flags say.
type options struct {
	peer, costream string
	versus         string
	rounds         int
	window         time.Duration
	only           string
	log            *slog.Logger
}

// wants tells whether a system is to be measured.
func (o options) wants(system string) bool {
	if o.only == "" {
		return true
	}
	for name := range strings.SplitSeq(o.only, ",") {
		if name == system {
			return true
		}
	}
	return false
}

func run(ctx context.Context, s suite, o options, asJSON bool, into string) error {
	var report Report
	err := testbed.Main(ctx, func(format string, args ...any) { o.log.Warn(fmt.Sprintf(format, args...)) }, func(tb testbed.TB) {
		report = s.measure(tb, o)
	})
	if errors.Is(ctx.Err(), context.Canceled) {
		return errors.New("interrupted; everything it started has been stopped")
	}
	if err != nil {
		return err
	}
	if into != "" {
		if err := writeInto(into, s.section, report.markdown()); err != nil {
			return err
		}
	}
	if asJSON {
		return report.json(os.Stdout)
	}
	return report.text(os.Stdout)
}
