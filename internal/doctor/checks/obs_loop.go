// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"fmt"
	"slices"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// loop is obs.loop: whether the peer gets themselves back in our picture.
func (m *Machine) loop(ctx context.Context) doctor.Result {
	obs, err := m.OBS(ctx)
	if err != nil {
		return unknownOBS(err)
	}
	if !m.onAir(ctx) {
		return doctor.Fine("it is checked while you are on air")
	}
	const why = "The peer sees their own picture in yours, yours in that one, and so on without end."
	if d, err := m.Daemon(ctx); err == nil && d.Report.Break != "" {
		return doctor.Fine("you are on a break: the peer gets a card")
	}
	switch {
	case obs.FeedLoop != "":
		return doctor.Result{
			Status: doctor.Fail, Why: why,
			Detail: fmt.Sprintf("The scene %q, which is made for the peer, shows the peer.", obs.FeedLoop),
			Next:   fmt.Sprintf("In OBS remove the peer's source from the scene %q.", obs.FeedLoop),
		}
	case obs.FeedScenes[obs.Program]:
		return doctor.Result{
			Status: doctor.Fail,
			Detail: fmt.Sprintf("The programme is the scene %q, which is made for the peer.", obs.Program),
			Why:    "Your viewers see neither the peer nor which scene you would have chosen.",
			Next:   "In OBS choose a scene of your own.",
		}
	case obs.Feed:
		return doctor.Fine("the peer gets the programme without their own picture")
	case slices.ContainsFunc(obs.Peer.Spots, func(s scenes.Spot) bool { return s.Programme && s.Enabled }):
		return doctor.Result{
			Status: doctor.Fail, Why: why,
			Detail: "The peer is in your programme, and your programme is what the peer gets.",
			Next:   "Send it without the peer: `costream-obs run` without --no-clean-feed, and without `clean-feed = false` in the configuration file; on the devices route also `costream-obs setup clean-feed`",
		}
	}
	return doctor.Fine("the peer is not in your programme")
}

// askFeed looks at the scenes that are made for the peer.
func (o *OBS) askFeed(ctx context.Context, c *obsctl.Client) error {
	made, err := cleanfeed.LoadMade(ctx, c)
	if err != nil {
		return err
	}
	names, err := c.Scenes(ctx)
	if err != nil {
		return err
	}
	isPeer := func(it obsctl.SceneItem) bool {
		in, known := o.input(it.Source)
		return known && (in.Name == o.Peer.Input || in.Settings[scenes.MarkKey] != nil)
	}
	o.FeedScenes = make(map[string]bool)
	for _, name := range names {
		if !made.Has(o.Collection, name) {
			continue
		}
		o.FeedScenes[name] = true
		items, err := c.SceneItems(ctx, name)
		if obsctl.IsCode(err, obsctl.CodeNotFound) {
			continue // It went since the list was made.
		}
		if err != nil {
			return err
		}
		o.Feed = o.Feed || name == made.Scene(o.Collection) && len(items) > 0
		if slices.ContainsFunc(items, isPeer) {
			o.FeedLoop = name
		}
	}
	private, err := obsctl.NewPrivateScenes(cleanfeed.PrivateScenes()).On(c).Private(ctx)
	if err != nil {
		return err
	}
	o.Feed = o.Feed || len(private) > 0
	if slices.ContainsFunc(private, isPeer) {
		o.FeedLoop = cleanfeed.Scene
	}
	return nil
}
