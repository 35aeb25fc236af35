// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/obsscenes"
	"github.com/costream-obs/costream-obs/scenes"
)

func peerCommand() *command {
	return &command{
		name:  "peer",
		short: "show, hide or place the peer in OBS's scenes",
		long: "Shows, hides or places the peer's picture in OBS's scenes. This works straight on OBS, whether costream-obs runs or not; when it runs, it keeps to what was said here.\n\n" +
			"  costream-obs peer toggle                  for a key of your desktop\n" +
			"  costream-obs peer hide --scene 'Game*'\n\n" +
			sceneGlobs,
		subs: []*command{
			eyeCommand("show", "show the peer", "Shows the peer's picture in every scene that has it, inside groups too.", scenes.Show),
			eyeCommand("hide", "hide the peer", "Hides the peer's picture in every scene that has it, inside groups too. It stays hidden when the peer comes back, until it is shown again; what is hidden during a stream is shown in the next.", scenes.Hide),
			eyeCommand("toggle", "show the peer when hidden, else hide", "Hides the peer's picture everywhere if it is shown anywhere, and shows it everywhere otherwise.", scenes.Toggle),
			peerAddCommand(),
			peerRemoveCommand(),
			peerLayoutCommand(),
			peerStatusCommand(),
		},
	}
}

// sceneGlobs explains what help texts call GLOB.
const sceneGlobs = "GLOB is the name of a scene or a pattern for names: * stands for any text, ? for one character, [abc] for one of these characters, and \\ before a character for just that character. If a scene has exactly the name GLOB, only that scene is meant."

// obsSettings are the settings of every command that works straight on OBS.
func obsSettings(more ...string) []string {
	return append(more, "source-name", "video-in", "obs-host", "obs-port", "obs-password-file", "json", "verbose")
}

// sceneFlag adds --scene, the scenes to work on.
func sceneFlag(set *pflag.FlagSet, help string) *[]string {
	return set.StringArray("scene", nil, "scenes to work on: those that match `GLOB`; may be repeated (default: "+help+")")
}

func eyeCommand(name, short, long string, eye scenes.Eye) *command {
	return &command{
		name: name, short: short, long: long, settings: obsSettings(),
		bind: func(set *pflag.FlagSet) action {
			patterns := sceneFlag(set, "all")
			return func(ctx context.Context, c *invocation) error {
				return change(ctx, c, *patterns, func(obs scenes.OBS) ([]scenes.Change, error) {
					return scenes.SetVisible(ctx, obs, peerSource(c), *patterns, eye)
				})
			}
		},
	}
}

func peerAddCommand() *command {
	return &command{
		name:     "add",
		short:    "put the peer into a scene",
		long:     "Puts the peer's picture into the scene in the programme, or into others. It stays there when OBS stops streaming. A scene that has it already is left alone.",
		settings: obsSettings("route", "layout", "layouts"),
		bind: func(set *pflag.FlagSet) action {
			patterns := sceneFlag(set, "the one in the programme")
			return func(ctx context.Context, c *invocation) error {
				return change(ctx, c, *patterns, func(obs scenes.OBS) ([]scenes.Change, error) {
					return scenes.Add(ctx, obs, newPeerSource(c), *patterns, sceneLayouts(c.config))
				})
			}
		},
	}
}

func peerRemoveCommand() *command {
	return &command{
		name:     "remove",
		short:    "take the peer out of the scenes",
		long:     "Takes the peer's picture out of every scene, whoever put it there. Where it was is remembered for the next time.",
		settings: obsSettings(),
		bind: func(set *pflag.FlagSet) action {
			patterns := sceneFlag(set, "all")
			return func(ctx context.Context, c *invocation) error {
				return change(ctx, c, *patterns, func(obs scenes.OBS) ([]scenes.Change, error) {
					return scenes.Remove(ctx, obs, peerSource(c), *patterns)
				})
			}
		},
	}
}

func peerStatusCommand() *command {
	return &command{
		name:     "status",
		short:    "tell where the peer is, and whether it is shown",
		long:     "Tells which scenes have the peer's picture, and whether it is shown there.",
		settings: obsSettings(),
		bind: func(set *pflag.FlagSet) action {
			patterns := sceneFlag(set, "all")
			return func(ctx context.Context, c *invocation) error {
				return onScenes(ctx, c, *patterns, func(obs scenes.OBS) error {
					state, err := scenes.Status(ctx, obs, peerSource(c), *patterns)
					if err != nil {
						return err
					}
					if c.config.JSON {
						return printJSON(c.stdout, state)
					}
					return printState(c.stdout, state)
				})
			}
		},
	}
}

// lockWait is how long a command waits for another that changes OBS's scenes, or for costream-obs run.
const lockWait = 5 * time.Second

// onScenes connects to OBS for as long as do takes.
func onScenes(ctx context.Context, c *invocation, patterns []string, do func(scenes.OBS) error) error {
	client, err := dialOBS(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	socket, err := controlSocket()
	if err != nil {
		return err
	}
	return do(obsscenes.NewWriter(client, filepath.Dir(socket), lockWait))
}

// change works on OBS's scenes and says what it changed there, also when some of it failed.
func change(ctx context.Context, c *invocation, patterns []string, do func(scenes.OBS) ([]scenes.Change, error)) error {
	return onScenes(ctx, c, patterns, func(obs scenes.OBS) error {
		changes, failed := do(obs)
		if failed != nil && len(changes) == 0 {
			return failed
		}
		var err error
		if c.config.JSON {
			err = printJSON(c.stdout, changesJSON(changes))
		} else {
			_, err = io.WriteString(c.stdout, changesText(changes))
		}
		if failed != nil {
			return failed
		}
		return err
	})
}

// peerSource is what the peer's input is known by, if there is one.
func peerSource(c *invocation) scenes.Source {
	return scenes.Source{Name: c.config.SourceName, Settings: map[string]any{"device_id": c.config.VideoIn}}
}

// newPeerSource is the peer's input as it is to be made where there is none. A running costream-obs gives it whatever
// settings it lacks.
func newPeerSource(c *invocation) scenes.Source {
	if usesDevices(c.config.Route, c.config.VideoIn) {
		return scenes.FromDevice(c.config.SourceName, c.config.VideoIn)
	}
	return scenes.FromSocket(c.config.SourceName, nil)
}

func usesDevices(route, device string) bool {
	if route != "auto" {
		return route == "devices"
	}
	info, err := os.Stat(device)
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// changesText tells a person what was changed.
func changesText(changes []scenes.Change) string {
	if len(changes) == 0 {
		return "Nothing to change.\n"
	}
	var b strings.Builder
	for _, ch := range changes {
		switch e := ch.Edit.(type) {
		case scenes.EnableItem:
			verb := "Hidden"
			if e.Enable {
				verb = "Shown"
			}
			fmt.Fprintf(&b, "%s in scene %q", verb, e.Scene)
		case scenes.AddItem:
			fmt.Fprintf(&b, "Added to scene %q", e.Scene)
		case scenes.RemoveItem:
			fmt.Fprintf(&b, "Removed from scene %q", e.Scene)
		case scenes.PlaceItem:
			fmt.Fprintf(&b, "Laid out in scene %q", e.Scene)
		case scenes.KeepLook:
			if e.Through == "" {
				fmt.Fprintf(&b, "Kept for scene %q, where the peer is not at the moment", e.Scene)
			} else {
				fmt.Fprintf(&b, "Kept for scene %q, which has the peer only through the nested scene %q at the moment; to lay it out there, use --scene %q", e.Scene, e.Through, e.Through)
			}
		default:
			fmt.Fprintf(&b, "Done: %v", e)
		}
		if ch.NeedsTransition {
			b.WriteString(": visible after the next transition, because studio mode is on")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// A changeJSON is one change as `peer --json` prints it.
type changeJSON struct {
	Action          string `json:"action"` // show, hide, add, remove, place, keep or set
	Scene           string `json:"scene,omitempty"`
	Item            int    `json:"item,omitempty"`
	Through         string `json:"through,omitempty"` // keep: a scene with the peer that Scene shows
	NeedsTransition bool   `json:"needsTransition,omitempty"`
}

func changesJSON(changes []scenes.Change) any {
	list := []changeJSON{}
	for _, ch := range changes {
		out := changeJSON{Action: "set", NeedsTransition: ch.NeedsTransition}
		switch e := ch.Edit.(type) {
		case scenes.EnableItem:
			out.Action, out.Scene, out.Item = "hide", e.Scene, e.Item
			if e.Enable {
				out.Action = "show"
			}
		case scenes.AddItem:
			out.Action, out.Scene = "add", e.Scene
		case scenes.RemoveItem:
			out.Action, out.Scene, out.Item = "remove", e.Scene, e.Item
		case scenes.PlaceItem:
			out.Action, out.Scene, out.Item = "place", e.Scene, e.Item
		case scenes.KeepLook:
			out.Action, out.Scene, out.Through = "keep", e.Scene, e.Through
		}
		list = append(list, out)
	}
	return map[string]any{"changes": list}
}

// printState tells a person where the peer is.
func printState(w io.Writer, state scenes.State) error {
	if state.Input == "" {
		_, err := fmt.Fprintf(w, "OBS has no peer source in its scene collection %q.\n"+
			"costream-obs run makes it when OBS streams; costream-obs peer add makes it now.\n", state.Collection)
		return err
	}
	fmt.Fprintf(w, "Source %q (%s) in scene collection %q:\n", state.Input, state.Kind, state.Collection)
	if len(state.Spots) == 0 {
		if len(state.Nested) == 0 {
			fmt.Fprintln(w, "It is in none of the scenes.")
		}
		return printNested(w, state.Nested)
	}
	var rows strings.Builder
	table := tabwriter.NewWriter(&rows, 0, 0, 2, ' ', 0)
	for _, s := range state.Spots {
		where := s.Scene
		if s.Group != "" {
			where += " > " + s.Group
		}
		eye := "hidden"
		if s.Enabled {
			eye = "shown"
		}
		var notes []string
		if s.Programme {
			notes = append(notes, "in the programme")
		}
		if s.Ours {
			notes = append(notes, "added by costream-obs")
		}
		if s.Layout != "" {
			notes = append(notes, s.Layout)
		}
		if s.Hidden {
			notes = append(notes, "hidden by you")
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\n", where, eye, strings.Join(notes, ", "))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for row := range strings.Lines(rows.String()) {
		fmt.Fprintln(w, strings.TrimRight(row, " \n"))
	}
	return printNested(w, state.Nested)
}

// printNested tells which scenes show the peer because they show another scene.
func printNested(w io.Writer, nested []scenes.Nesting) error {
	for _, n := range nested {
		if _, err := fmt.Fprintf(w, "Scene %q has it through the nested scene %q.\n", n.Scene, n.Through); err != nil {
			return err
		}
	}
	return nil
}
