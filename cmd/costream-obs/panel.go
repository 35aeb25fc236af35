// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"html"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/atomicfile"
	"github.com/costream-obs/costream-obs/internal/companion"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/dock"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/doctor/checks"
	"github.com/costream-obs/costream-obs/internal/panel"
	"github.com/costream-obs/costream-obs/internal/terminal"
)

func panelCommand() *command {
	return &command{
		name:  "panel",
		short: "open the page on which you see and steer the co-stream",
		long: "Prints the address of the page that a running costream-obs serves on this machine, and opens it if there is a desktop. The page shows the state, who is on air and in whose programme, delay, loss and bitrate, small pictures, and problems with their remedy. It has buttons for most of what costream-obs peer does.\n\n" +
			"  costream-obs panel            print the address, and open it\n" +
			"  costream-obs panel --print    print it alone\n\n" +
			"The address contains a secret: whoever has it can steer your co-stream. It stays the same when costream-obs or the machine restarts, so you can bookmark it and use it for a dock in OBS. Other users of this machine cannot read it. To get a new one, delete panel.json in ~/.local/state/costream-obs and restart costream-obs run.\n\n" +
			"For a phone, start costream-obs run with --panel-listen and an address of this machine; its address is printed, too. The page is not encrypted then: everybody who can listen in your network can read the secret.",
		settings: []string{"json"},
		bind: func(set *pflag.FlagSet) action {
			only := set.Bool("print", false, "print the address and open nothing")
			return func(ctx context.Context, c *invocation) error { return openPanel(ctx, c, *only) }
		},
	}
}

func openPanel(ctx context.Context, c *invocation, only bool) error {
	socket, err := controlSocket()
	if err != nil {
		return err
	}
	panel, err := control.Client{Path: socket}.Panel(ctx)
	if err != nil {
		return err
	}
	if c.config.JSON {
		return printJSON(c.stdout, panel)
	}
	for _, address := range panel.Addresses {
		if _, err := fmt.Fprintln(c.stdout, address); err != nil {
			return err
		}
	}
	if only || !terminal.Is(bare(c.stdout)) || !hasDesktop() {
		return nil
	}
	if err := openInBrowser(ctx, panel.Addresses[0], openedWithin); err != nil {
		_, err = fmt.Fprintf(c.stderr, "The page could not be opened (%v): open the address in a browser yourself.\n", err)
		return err
	}
	_, err = fmt.Fprintln(c.stderr, "If the browser does not show the panel, open the address above yourself.")
	return err
}

// openedWithin is how long an opener that fails takes. One that runs longer is the browser.
const openedWithin = 3 * time.Second

// hasDesktop reports whether a browser can open a window.
func hasDesktop() bool { return os.Getenv("WAYLAND_DISPLAY") != "" || os.Getenv("DISPLAY") != "" }

// openInBrowser shows an address in the user's browser. Every user of the machine can read the arguments of a program, so the
// browser gets a file that leads on, which only this user can read. Some openers run as long as the browser, so after a while
// nobody waits for them.
func openInBrowser(ctx context.Context, address string, within time.Duration) error {
	opener, err := exec.LookPath("xdg-open")
	if err != nil {
		return err
	}
	state, err := stateDir()
	if err != nil {
		return err
	}
	file := filepath.Join(state, "panel.html")
	text := "<!DOCTYPE html><meta charset=\"utf-8\"><meta name=\"referrer\" content=\"no-referrer\">" +
		"<meta http-equiv=\"refresh\" content=\"0; url=" + html.EscapeString(address) + "\"><title>costream-obs</title>\n"
	if err := atomicfile.Write(file, []byte(text)); err != nil {
		return err
	}
	browser := exec.Command(opener, file) // It outlives us.
	if err := browser.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- browser.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(within):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// panelOptions say in the companion's terms what the settings say of the panel.
func panelOptions(c *invocation, log *slog.Logger) (*companion.PanelOptions, error) {
	if ip, err := netip.ParseAddr(c.config.PanelListen); c.config.PanelListen != "" && (err != nil || ip.IsLoopback()) {
		return nil, usagef("--panel-listen: %q is not an IP address of this machine in a network; `ip address` lists them", c.config.PanelListen)
	}
	options, err := checkOptions(c, "")
	if err != nil {
		return nil, err
	}
	options.Log = log
	serves := func(address string) {
		if err := dock.UpdatePage(options.StateDir, address); err != nil {
			log.Warn("OBS's dock does not find the panel", "error", err)
		}
	}
	return &companion.PanelOptions{Listen: c.config.PanelListen, Repairs: &panelRepairs{options: options}, Serves: serves}, nil
}

// panelRepairs finds and does what `costream-obs doctor --fix` would. Problems have the ids of the checks that find them.
type panelRepairs struct {
	options checks.Options
	mu      sync.Mutex // one search or repair at a time
}

// Find implements panel.Repairs.
func (p *panelRepairs) Find(ctx context.Context, codes []string) []panel.Repair {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []panel.Repair
	for _, f := range p.look(ctx, codes) {
		found = append(found, panel.Repair{ID: f.ID, What: f.Fix})
	}
	return found
}

// Do implements panel.Repairs.
func (p *panelRepairs) Do(ctx context.Context, id string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.look(ctx, []string{id})
	if len(list) == 0 {
		return "", fmt.Errorf("there is nothing left to repair; `costream-obs doctor --only %s` tells more", id)
	}
	for _, mended := range doctor.Mend(ctx, list) {
		if mended.Error != "" {
			return "", fmt.Errorf("%s did not work: %s", mended.What, mended.Error)
		}
	}
	return "Done: " + list[0].Fix, nil
}

// look runs the checks with these ids, and returns what they can fix.
func (p *panelRepairs) look(ctx context.Context, ids []string) []doctor.Finding {
	table := checks.All(checks.New(p.options))
	var chosen []string
	for _, check := range table {
		if slices.Contains(ids, check.ID) {
			chosen = append(chosen, check.ID)
		}
	}
	fixable := doctor.Run(ctx, table, chosen, nil).Fixable()
	return slices.DeleteFunc(fixable, func(f doctor.Finding) bool { return !slices.Contains(chosen, f.ID) })
}
