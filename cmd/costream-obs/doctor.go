// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/doctor/checks"
	"github.com/costream-obs/costream-obs/internal/pairing"
	"github.com/costream-obs/costream-obs/internal/terminal"
	"github.com/costream-obs/costream-obs/obsctl"
)

// doctorFlags are the flags of the doctor command itself.
type doctorFlags struct {
	only   *[]string
	list   *bool
	fix    *bool
	yes    *bool
	bundle *string
	peer   *string // its address, noValue, or empty without the flag
}

func doctorCommand() *command {
	return &command{
		name:  "doctor",
		short: "find what is wrong with this machine, and how to fix it",
		long: "Checks everything that a co-stream needs: GStreamer, the kernel module and its video devices, OBS, the sound and the network. For each fault it says what is wrong, why it matters and what to do. It works whether or not OBS and costream-obs run, and changes nothing without --fix. Give it the same settings as costream-obs run.\n\n" +
			"  costream-obs doctor\n" +
			"  costream-obs doctor --only audio --fix\n" +
			"  costream-obs doctor --peer\n\n" +
			"The exit code is 0 when you can go on air (warnings allowed), 1 when you cannot, and 2 when the command line is wrong. docs/doctor.md explains each check and the format of --json.",
		settings: []string{
			"listen", "base-port", "link", "reach", "relay-file", "meet-nodes", "route", "clean-feed", "video-out", "video-in", "source-name", "mic", "mic-source", "encoder",
			"obs-host", "obs-port", "obs-password-file", "json", "verbose",
		},
		reportsSettings: true,
		bind: func(set *pflag.FlagSet) action {
			f := doctorFlags{
				only:   set.StringSlice("only", nil, "run only the checks `ID,...` and those that they need; audio means all of audio.*"),
				list:   set.Bool("list", false, "list the checks"),
				fix:    set.Bool("fix", false, "fix what can be fixed: list it, ask, do it, check again"),
				yes:    set.Bool("yes", false, "fix without asking"),
				bundle: set.String("bundle", "", "write a `FILE` (tar.gz) for a bug report, without secrets"),
				peer:   set.String("peer", "", "also probe the peer's machine: whether it answers, the round-trip time and the packet loss; `[ADDR]` is needed if neither the pair nor the configuration has the address"),
			}
			set.Lookup("peer").NoOptDefVal = noValue
			return func(ctx context.Context, c *invocation) error {
				return f.run(ctx, c, settingsFile(set), wantsJSON(set, c))
			}
		},
	}
}

// settingsFile is the configuration file that is read.
func settingsFile(set *pflag.FlagSet) string {
	if flag := set.Lookup(config.FileFlag); flag != nil && flag.Value.String() != "" {
		return flag.Value.String()
	}
	if file := os.Getenv(config.FileEnv); file != "" {
		return file
	}
	file, _ := config.DefaultFile() // Without a home there is none.
	return file
}

// wantsJSON is what the setting says, or the flag where the settings cannot be read.
func wantsJSON(set *pflag.FlagSet, c *invocation) bool {
	if c.config != nil {
		return c.config.JSON
	}
	flag := set.Lookup("json")
	return flag != nil && flag.Value.String() == "true"
}

func (f doctorFlags) run(ctx context.Context, c *invocation, settings string, asJSON bool) error {
	if *f.peer != "" && *f.peer != noValue {
		if err := config.CheckHost(*f.peer); err != nil {
			return usagef("--peer: %w", err)
		}
		if c.config != nil {
			c.config.Peer = *f.peer
		}
	}
	options, err := checkOptions(c, settings)
	if err != nil {
		return err
	}
	printer := doctor.NewPrinter(c.stdout, terminal.StyleOf(bare(c.stdout)))
	machine := checks.New(options)
	table := checks.All(machine)
	chosen, err := doctor.Only(table, *f.only)
	if err != nil {
		return usageError{err}
	}
	if *f.peer != "" {
		chosen = append(chosen, "net.nat", "net.router", "net.meet", "net.relay", "net.key", "net.probe", "net.clock")
	}
	if *f.list {
		printer.List(table)
		return nil
	}
	if *f.yes && !*f.fix {
		return usagef("--yes needs --fix")
	}
	if *f.fix && asJSON && !*f.yes {
		return usagef("--fix cannot ask with --json; add --yes")
	}
	var observe doctor.Observer
	if !asJSON {
		observe = printer.Print
	}
	look := func(table []doctor.Check) doctor.Report {
		if !asJSON {
			defer printer.Spin(len(chosen))()
		}
		return doctor.Run(ctx, table, chosen, observe)
	}
	report := look(table)
	var mended []doctor.Mended
	for *f.fix {
		list := untried(report.Fixable(), mended)
		if len(list) == 0 {
			break
		}
		done, err := f.mend(ctx, c, printer, list, asJSON)
		if err != nil {
			return err
		}
		if done == nil {
			break
		}
		mended = append(mended, done...)
		machine = checks.New(options)
		report = look(checks.All(machine))
		report.Mended = mended
	}
	if *f.bundle != "" {
		if err := writeBundle(ctx, c, machine, *f.bundle, report); err != nil {
			return err
		}
	}
	if asJSON {
		err = printJSON(c.stdout, report)
	} else {
		printer.Sum(report)
		if *f.bundle != "" {
			fmt.Fprintf(c.stdout, "Written to %s; look through it before you send it to anybody.\n", *f.bundle)
		}
	}
	if err == nil && !report.Ready {
		err = errReported
	}
	return err
}

// untried are the findings whose fix was not tried yet. One that is mended may uncover the next, but none is worth a
// second try.
func untried(list []doctor.Finding, mended []doctor.Mended) []doctor.Finding {
	return slices.DeleteFunc(list, func(f doctor.Finding) bool {
		return slices.ContainsFunc(mended, func(m doctor.Mended) bool { return m.ID == f.ID && m.What == f.Fix })
	})
}

// mend asks and mends. It returns nil when the answer was no.
func (f doctorFlags) mend(ctx context.Context, c *invocation, printer *doctor.Printer, list []doctor.Finding, quiet bool) ([]doctor.Mended, error) {
	if !quiet {
		printer.Plan(list)
	}
	if !*f.yes {
		if !terminal.Is(c.stdin) {
			return nil, errors.New("nothing was changed, because there is no terminal to ask on; add --yes to go ahead")
		}
		fmt.Fprintln(c.stdout)
		if !agree(ctx, c) {
			fmt.Fprintln(c.stdout, "Nothing was changed.")
			return nil, nil
		}
	}
	mended := doctor.Mend(ctx, list)
	if !quiet {
		printer.Done(mended)
	}
	return mended, nil
}

// checkOptions says in the checks' terms what the settings say.
func checkOptions(c *invocation, settings string) (checks.Options, error) {
	socket, err := controlSocket()
	if err != nil {
		return checks.Options{}, err
	}
	state, err := stateDir()
	if err != nil {
		return checks.Options{}, err
	}
	o := checks.Options{SettingsError: c.settingsErr, SettingsFile: settings, ControlSocket: socket, StateDir: state, Log: c.log}
	if c.config == nil {
		o.FindOBS = func() (obsctl.Endpoint, error) { return obsctl.Endpoint{}, c.settingsErr }
		return o, nil
	}
	s := c.config
	o.Peer, o.Listen, o.BasePort = s.Peer, s.Listen, s.BasePort
	if err := pairOptions(c, &o); err != nil {
		return checks.Options{}, err
	}
	o.Route, o.VideoOut, o.VideoIn, o.CleanFeed = control.Route(s.Route), s.VideoOut, s.VideoIn, s.CleanFeed
	o.SourceName, o.Mics, o.MicSource = s.SourceName, s.Mics, s.MicSource
	if o.Encoders, err = newEncoders(s, c.log); err != nil {
		return checks.Options{}, err
	}
	o.FindOBS = func() (obsctl.Endpoint, error) { return findOBS(s) }
	o.RemoteOBS = s.OBSHost != "" && s.OBSHost != "localhost" && !strings.HasPrefix(s.OBSHost, "127.") && s.OBSHost != "::1"
	return o, nil
}

// pairOptions are those of a machine that is paired. Without a pair, or a peer, doctor looks at the rest.
func pairOptions(c *invocation, o *checks.Options) error {
	pair, err := choosePair(c.config)
	var usage usageError
	if errors.As(err, &usage) || errors.Is(err, pairing.ErrNotPaired) {
		return nil
	}
	if err != nil || pair == nil {
		return err
	}
	for _, address := range pair.PeerAddresses() {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return err
		}
		o.PairHosts = append(o.PairHosts, host)
	}
	peer, err := findPeer(c.config, pair, c.log)
	if err != nil {
		return err
	}
	o.Secure, o.Reach, o.Auto = peer.Link, peer, mayReach(c.config, pair)
	return nil
}

// writeBundle writes the file for a bug report, for its owner alone.
func writeBundle(ctx context.Context, c *invocation, m *checks.Machine, path string, report doctor.Report) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return usagef("--bundle: %s exists already; choose another name", path)
	}
	if err != nil {
		return fmt.Errorf("--bundle: %w", err)
	}
	return errors.Join(m.Bundle(ctx, f, lookAtVersions(ctx, c).text(), report), f.Close())
}
