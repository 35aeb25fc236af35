// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/scenes"
)

func peerLayoutCommand() *command {
	return &command{
		name:  "layout",
		short: "place the peer's picture in the scene",
		long: "Places the peer's picture in the programme scene, or in others, at once. It stays there, also when the peer comes back or OBS restarts, until you move it by hand or restore it. Nothing else in the scene moves.\n\n" +
			"  costream-obs peer layout pip --corner top-left --size 25%\n" +
			"  costream-obs peer layout side-by-side --crop --scene 'Talk*'\n" +
			"  costream-obs peer layout restore\n\n" +
			"Save a place that you made with the mouse, and use it in other scenes:\n\n" +
			"  costream-obs peer layout save corner\n" +
			"  costream-obs peer layout use corner --scene 'Game*'\n\n" +
			"costream-obs run takes the first layout of a scene from --layout and --layouts.",
		subs: []*command{
			shapeCommand(scenes.PiP, "a small picture in a corner", "Shows the peer's picture small, in a corner."),
			shapeCommand(scenes.SideBySide, "half of the canvas", "Gives the peer's picture the right half of the canvas, or the left half with a left corner."),
			shapeCommand(scenes.Full, "the whole canvas", "Fills the canvas with the peer's picture."),
			shapeCommand(scenes.Grid, "one of two equal cells", "Gives the peer's picture one of two equal cells: side by side, or one above the other where that leaves more room. The corner chooses the cell."),
			layoutSaveCommand(),
			layoutUseCommand(),
			layoutListCommand(),
			layoutDeleteCommand(),
			layoutRestoreCommand(),
		},
	}
}

// sceneLayouts are the layouts that the settings tell.
func sceneLayouts(c *config.Config) scenes.Layouts {
	return scenes.Layouts{Default: c.Layout, Rules: c.Layouts}
}

func shapeCommand(shape scenes.Shape, short, long string) *command {
	return &command{
		name: string(shape), short: short, long: long, settings: obsSettings(),
		bind: func(set *pflag.FlagSet) action {
			patterns := sceneFlag(set, "the programme scene")
			l := scenes.Layout{Shape: shape}
			if shape != scenes.Full {
				set.Func("corner", "`CORNER` of the canvas: bottom-right (the default), bottom-left, top-left or top-right", func(s string) (err error) {
					l.Corner, err = scenes.ParseCorner(s)
					return err
				})
			}
			size := func(help string) {
				set.Func("size", help, func(s string) (err error) {
					l.Extent, err = scenes.ParseExtent(s)
					return err
				})
			}
			switch shape {
			case scenes.PiP:
				size("`SIZE` of the picture: a part of the canvas, such as 25%, or a box in pixels, such as 480x270 (default 30%)")
			case scenes.SideBySide:
				size("`SIZE` of the peer's part: a percentage of the width (default 50%)")
			}
			set.Func("margin", "`DISTANCE` from the edges: pixels, such as 20, or a part of the canvas's shorter side, such as 2%", func(s string) error {
				margin, err := scenes.ParseLength(s)
				l.Margin = &margin
				return err
			})
			set.BoolVar(&l.Crop, "crop", false, "crop the picture so that it fills its place; otherwise all of it is shown")
			return func(ctx context.Context, c *invocation) error {
				if err := l.Check(); err != nil {
					return usageError{err}
				}
				return change(ctx, c, control.PeerOrder{Do: control.PeerArrange, Scenes: *patterns, Source: peerSource(c), Layout: l})
			}
		},
	}
}

func layoutRestoreCommand() *command {
	return &command{
		name:     "restore",
		short:    "put the peer back where it was before",
		long:     "Puts the peer's picture back where it was before the first of the other layout commands: where you moved it, or where the settings place it.",
		settings: obsSettings("layout", "layouts"),
		bind: func(set *pflag.FlagSet) action {
			patterns := sceneFlag(set, "the programme scene")
			return func(ctx context.Context, c *invocation) error {
				return change(ctx, c, control.PeerOrder{Do: control.PeerRestore, Scenes: *patterns, Source: peerSource(c), Layouts: sceneLayouts(c.config)})
			}
		},
	}
}
