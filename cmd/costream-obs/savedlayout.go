// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/layouts"
)

func layoutSaveCommand() *command {
	return &command{
		name: "save", args: "NAME", settings: obsSettings(),
		short: "save where the peer is, under a name",
		long: "Saves how the peer's picture is placed in the programme scene, or in another: position, size, crop, rotation and order. It replaces an older layout of that name.\n\n" +
			"Saved layouts are in ~/.config/costream-obs/layouts.json.",
		bind: func(set *pflag.FlagSet) action {
			scene := set.String("scene", "", "scene to save from: the first that matches `GLOB` (default: the programme scene)")
			return func(ctx context.Context, c *invocation) error {
				name, err := layoutName(c)
				if err != nil {
					return err
				}
				answer, err := carry(ctx, c, control.PeerOrder{Do: control.PeerSave, Scenes: []string{*scene}, Source: peerSource(c)})
				if err != nil {
					return err
				}
				return editLayouts(func(all layouts.Layouts) error {
					all[name] = *answer.Saved
					return nil
				})
			}
		},
	}
}

func layoutUseCommand() *command {
	return &command{
		name: "use", args: "NAME", settings: obsSettings(),
		short: "place the peer as in a saved layout",
		long:  "Places the peer's picture as it was when the layout was saved. On a canvas of another size it covers the same part.",
		bind: func(set *pflag.FlagSet) action {
			patterns := sceneFlag(set, "the programme scene")
			return func(ctx context.Context, c *invocation) error {
				name, err := layoutName(c)
				if err != nil {
					return err
				}
				all, _, err := loadLayouts()
				if err != nil {
					return err
				}
				saved, err := all.Get(name)
				if err != nil {
					return err
				}
				return change(ctx, c, control.PeerOrder{Do: control.PeerUse, Scenes: *patterns, Source: peerSource(c), Saved: saved})
			}
		},
	}
}

func layoutListCommand() *command {
	return &command{
		name: "list", settings: []string{"json"},
		short: "list the saved layouts",
		long:  "Lists the saved layouts, with the canvas that each was made on.",
		bind: func(*pflag.FlagSet) action {
			return func(_ context.Context, c *invocation) error {
				all, _, err := loadLayouts()
				if err != nil {
					return err
				}
				if c.config.JSON {
					return printJSON(c.stdout, all)
				}
				if len(all) == 0 {
					_, err := fmt.Fprintln(c.stdout, "No layout is saved. Place the peer in OBS as you like it, then: costream-obs peer layout save NAME")
					return err
				}
				table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
				for _, name := range all.Names() {
					fmt.Fprintf(table, "%s\tmade on %dx%d\n", name, all[name].Canvas.W, all[name].Canvas.H)
				}
				return table.Flush()
			}
		},
	}
}

func layoutDeleteCommand() *command {
	return &command{
		name: "delete", args: "NAME",
		short: "delete a saved layout",
		long:  "Deletes a saved layout. Scenes that use it do not change.",
		bind: func(*pflag.FlagSet) action {
			return func(_ context.Context, c *invocation) error {
				name, err := layoutName(c)
				if err != nil {
					return err
				}
				return editLayouts(func(all layouts.Layouts) error {
					_, err := all.Get(name)
					delete(all, name)
					return err
				})
			}
		},
	}
}

// layoutName is the name that stands on the command line.
func layoutName(c *invocation) (string, error) {
	if len(c.args) != 1 {
		return "", usagef("give the NAME of one saved layout")
	}
	if err := layouts.CheckName(c.args[0]); err != nil {
		return "", usageError{err}
	}
	return c.args[0], nil
}

func loadLayouts() (all layouts.Layouts, path string, err error) {
	if path, err = layouts.DefaultFile(); err == nil {
		all, err = layouts.Load(path)
	}
	return all, path, err
}

func editLayouts(edit func(layouts.Layouts) error) error {
	all, path, err := loadLayouts()
	if err != nil {
		return err
	}
	if err := edit(all); err != nil {
		return err
	}
	return all.Save(path)
}
