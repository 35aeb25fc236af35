// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/companion"
	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/obsscenes"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

func peerCommand() *command {
	return &command{
		name:  "peer",
		short: "show, hide or place the peer in OBS's scenes",
		long: "Shows, hides or places the peer's picture in OBS's scenes. It changes OBS directly, whether or not costream-obs runs, and a running costream-obs respects the change. The commands away, back, mute, unmute, mute-me, unmute-me, start, stop and resync need a running costream-obs run.\n\n" +
			"  costream-obs peer toggle                  for a shortcut of your desktop\n" +
			"  costream-obs peer hide --scene 'Game*'\n\n" +
			sceneGlobs,
		subs: []*command{
			eyeCommand(control.PeerShow, "show the peer", "Shows the peer's picture in every scene that has it, inside groups too."),
			eyeCommand(control.PeerHide, "hide the peer", "Hides the peer's picture in every scene that has it, inside groups too. It stays hidden when the peer comes back, until you show it. If you hide it during a stream, the next stream shows it again."),
			eyeCommand(control.PeerToggle, "show the peer if hidden, else hide", "Hides the peer's picture everywhere if it is shown anywhere, and shows it everywhere otherwise."),
			peerAddCommand(),
			peerRemoveCommand(),
			peerLayoutCommand(),
			breakCommand(control.PeerAway, "take a break", "Sends the peer a card, \"NAME is on a break\", in the place of your picture, and silence, until costream-obs peer back. NAME is the setting name. Your viewers see and hear you as before. A running costream-obs run does it, at once; before you are on air it does it from the first picture on."),
			breakCommand(control.PeerBack, "end the break", "Ends what costream-obs peer away began. While you show a scene of --private-scenes, the peer gets the card all the same."),
			peerStatusCommand(),
			orderCommand(control.PeerMute, "mute the peer", "Silences the peer's voice, for you and for your viewers, until costream-obs peer unmute.", "You and your viewers do not hear your friend."),
			orderCommand(control.PeerUnmute, "hear the peer again", "Ends what costream-obs peer mute began. A mute in OBS stays.", "You and your viewers hear your friend, unless the peer is muted in OBS."),
			orderCommand(control.PeerMuteMe, "mute yourself for the peer alone", "Sends the peer silence: neither your voice nor what you share. It lasts until costream-obs peer unmute-me. Your viewers hear you as before, and the peer still sees you.", "Your friend does not hear you; your viewers do."),
			orderCommand(control.PeerUnmuteMe, "let the peer hear you again", "Ends what costream-obs peer mute-me began. The peer never hears more than your viewers do.", "Your friend hears what your viewers hear of you."),
			orderCommand(control.PeerStart, "go on air by hand", "Goes on air, if costream-obs run was started with --when manual.", "Going on air."),
			orderCommand(control.PeerStop, "go off air by hand", "Goes off air, if costream-obs run was started with --when manual. Nothing is sent to the peer from that moment on.", "Going off air."),
			orderCommand(control.PeerResync, "synchronize picture and voice anew", "Ends the connection to the peer and begins it anew, with empty buffers, as after going off and on air. Both of you lose each other for a second or two.", "Picture and voice begin anew."),
		},
	}
}

// sceneGlobs explains what help texts call GLOB.
const sceneGlobs = "GLOB is the name of a scene or a pattern: * matches any text, ? one character, [abc] one of these characters, and \\ makes the next character literal. If a scene has exactly the name GLOB, only that scene matches."

// obsSettings are the settings of every command that works straight on OBS.
func obsSettings(more ...string) []string {
	return append(more, "source-name", "video-in", "obs-host", "obs-port", "obs-password-file", "json", "verbose")
}

// sceneFlag adds --scene, the scenes to work on.
func sceneFlag(set *pflag.FlagSet, help string) *[]string {
	return set.StringArray("scene", nil, "scenes that match `GLOB`; may be repeated (default: "+help+")")
}

func eyeCommand(do control.PeerAction, short, long string) *command {
	return &command{
		name: string(do), short: short, long: long, settings: obsSettings(),
		bind: func(set *pflag.FlagSet) action {
			patterns := sceneFlag(set, "all")
			return func(ctx context.Context, c *invocation) error {
				return change(ctx, c, control.PeerOrder{Do: do, Scenes: *patterns, Source: peerSource(c)})
			}
		},
	}
}

func breakCommand(do control.PeerAction, short, long string) *command {
	return &command{
		name: string(do), short: short, long: long, settings: []string{"json", "verbose"},
		bind: func(*pflag.FlagSet) action {
			return func(ctx context.Context, c *invocation) error {
				answer, err := orderRunning(ctx, do)
				switch {
				case err != nil:
					return err
				case c.config.JSON:
					return printJSON(c.stdout, map[string]string{"break": answer.Break})
				case answer.Break == "":
					_, err = fmt.Fprintln(c.stdout, "No break: your friend gets your picture and voice.")
				default:
					_, err = fmt.Fprintf(c.stdout, "On a break, your friend gets a card and silence: %s.\n", answer.Break)
				}
				return err
			}
		},
	}
}

func peerAddCommand() *command {
	return &command{
		name:     "add",
		short:    "add the peer to a scene",
		long:     "Adds the peer's picture to the programme scene, or to others. It stays there when OBS stops streaming. Scenes that already have it do not change.",
		settings: obsSettings("route", "clean-feed", "layout", "layouts"),
		bind: func(set *pflag.FlagSet) action {
			patterns := sceneFlag(set, "the programme scene")
			return func(ctx context.Context, c *invocation) error {
				return change(ctx, c, control.PeerOrder{Do: control.PeerAdd, Scenes: *patterns, Source: peerSource(c), Layouts: sceneLayouts(c.config)})
			}
		},
	}
}

func peerRemoveCommand() *command {
	return &command{
		name:     "remove",
		short:    "remove the peer from the scenes",
		long:     "Removes the peer's picture from every scene, whoever put it there. Its place is remembered for the next time.",
		settings: obsSettings(),
		bind: func(set *pflag.FlagSet) action {
			patterns := sceneFlag(set, "all")
			return func(ctx context.Context, c *invocation) error {
				return change(ctx, c, control.PeerOrder{Do: control.PeerRemove, Scenes: *patterns, Source: peerSource(c)})
			}
		},
	}
}

func peerStatusCommand() *command {
	return &command{
		name:     "status",
		short:    "print where the peer is, and whether it is shown",
		long:     "Prints which scenes have the peer's picture, and whether it is shown there. Where costream-obs run is connected to that OBS, it also prints whether each of you is in the other's programme, muted or on a break.",
		settings: obsSettings(),
		bind: func(set *pflag.FlagSet) action {
			patterns := sceneFlag(set, "all")
			return func(ctx context.Context, c *invocation) error {
				answer, err := carry(ctx, c, control.PeerOrder{Do: control.PeerStatus, Scenes: *patterns, Source: peerSource(c)})
				if err != nil {
					return err
				}
				if c.config.JSON {
					return printJSON(c.stdout, struct {
						*scenes.State
						Tally *control.Tally `json:"tally,omitempty"`
					}{answer.State, answer.Tally})
				}
				if err := printState(c.stdout, *answer.State); err != nil || answer.Tally == nil {
					return err
				}
				_, err = fmt.Fprintf(c.stdout, "Now: %s.\n", tallySentence(answer.Tally, c.config.PeerName))
				return err
			}
		},
	}
}

// lockWait is how long a command waits for another that changes OBS's scenes, or for costream-obs run.
const lockWait = 5 * time.Second

// carry has an order carried out: by the costream-obs run that is connected to OBS, or else here.
func carry(ctx context.Context, c *invocation, order control.PeerOrder) (control.PeerAnswer, error) {
	socket, err := controlSocket()
	if err != nil {
		return control.PeerAnswer{}, err
	}
	endpoint, err := findOBSOrDefault(c.config)
	if err != nil {
		return control.PeerAnswer{}, err
	}
	order.OBS = endpoint.Addr()
	answer, err := control.Client{Path: socket}.Peer(ctx, order)
	if !errors.Is(err, control.ErrNotRunning) && !errors.Is(err, control.ErrOtherOBS) {
		return answer, err
	}
	client, err := obsctl.Dial(ctx, endpoint, obsctl.Options{Quiet: true, Log: c.log})
	if err != nil {
		return control.PeerAnswer{}, err
	}
	defer func() { _ = client.Close() }()
	if order.Do == control.PeerAdd {
		order.Source = routeSettings(c.config).PeerSource(c.config.SourceName, endpoint.PID, client.Version())
	}
	obs := obsscenes.NewWriter(client, filepath.Dir(socket), lockWait)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if order.AboutEyes() {
		obs.AssumeCollection()
	} else {
		obs.LearnCollection(ctx)
	}
	return order.Carry(ctx, obs)
}

// change has OBS's scenes changed and says what was changed there, also when some of it failed.
func change(ctx context.Context, c *invocation, order control.PeerOrder) error {
	answer, failed := carry(ctx, c, order)
	if failed != nil && len(answer.Changes) == 0 {
		return failed
	}
	var err error
	if c.config.JSON {
		err = printJSON(c.stdout, map[string]any{"changes": append([]control.PeerChange{}, answer.Changes...)})
	} else {
		_, err = io.WriteString(c.stdout, changesText(answer.Changes))
	}
	if failed != nil {
		return failed
	}
	return err
}

// peerSource is what identifies the peer's input, if there is one.
func peerSource(c *invocation) scenes.Source {
	return scenes.Source{Name: c.config.SourceName, Settings: map[string]any{"device_id": c.config.VideoIn}}
}

// routeSettings are the settings that decide about the route.
func routeSettings(c *config.Config) companion.RouteSettings {
	return companion.RouteSettings{Route: control.Route(c.Route), VideoOut: c.VideoOut, VideoIn: c.VideoIn, CleanFeed: c.CleanFeed}
}

// changesText tells a person what was changed.
func changesText(changes []control.PeerChange) string {
	if len(changes) == 0 {
		return "Nothing to change.\n"
	}
	var b strings.Builder
	for _, ch := range changes {
		switch ch.Action {
		case "show":
			fmt.Fprintf(&b, "Shown in scene %q", ch.Scene)
		case "hide":
			fmt.Fprintf(&b, "Hidden in scene %q", ch.Scene)
		case "add":
			fmt.Fprintf(&b, "Added to scene %q", ch.Scene)
		case "remove":
			fmt.Fprintf(&b, "Removed from scene %q", ch.Scene)
		case "place":
			fmt.Fprintf(&b, "Laid out in scene %q", ch.Scene)
		case "keep":
			if ch.Through == "" {
				fmt.Fprintf(&b, "Saved for scene %q, which does not have the peer at the moment", ch.Scene)
			} else {
				fmt.Fprintf(&b, "Saved for scene %q, which has the peer only through the nested scene %q at the moment; to place it there, use --scene %q", ch.Scene, ch.Through, ch.Through)
			}
		default:
			fmt.Fprintf(&b, "Done: %s", ch.Text)
		}
		if ch.NeedsTransition {
			b.WriteString(": visible after the next transition, because studio mode is on")
		}
		b.WriteString("\n")
	}
	return b.String()
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
			fmt.Fprintln(w, "No scene has it.")
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
