// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"log/slog"
	"time"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/leftovers"
	"github.com/costream-obs/costream-obs/internal/obsscenes"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// session is the time of one connection to OBS. Its goroutine owns everything that the companion knows of this OBS. It alone
// changes OBS, except that the clean feed changes its own scenes.
type session struct {
	c    *Companion
	obs  *obsctl.Client
	log  *slog.Logger
	news news

	seen observed
	controllers
	steps steps

	call       *onAirCall
	external   externalLatency
	prepared   media.VideoFormat // of the pictures for which the encoders were tried
	stopping   bool
	exiting    bool // OBS announced that it quits
	quietUntil time.Time
}

// controllers handle one concern each and keep the state of it. They use OBS and the sound server only through the
// interfaces that they state, and each other only through what newSession passes to them. The session's steps call them.
type controllers struct {
	ledger  ledger
	traces  traces
	capture capture
	feed    cleanFeed
	picture picture
	viewers viewers
	ears    ears
	mic     microphone
	share   shared
	voice   peerVoice
	source  peerSource
	shown   shown
	keptOff keptOff
}

// begin passes a time on air to the controllers that need it.
func (c *controllers) begin(a *onAirCall) {
	c.feed.onAir, a.shut = true, c.mic.gate.keptShut
	c.voice.begin(a)
	c.source.begin(a)
	c.shown.begin()
}

// end tells them that it is over.
func (c *controllers) end() {
	c.voice.end()
	c.source.call, c.feed.onAir = nil, false
}

// newSession is a session that has not asked OBS anything yet.
func (c *Companion) newSession(obs *obsctl.Client) *session {
	s := &session{
		c: c, obs: obs, log: c.log,
		steps: newSteps(func() bool { return obs.Err() != nil }, c.log),
		news:  news{some: make(chan struct{}, 1)},
	}
	s.seen.version, s.seen.pid, s.seen.chosen = obs.Version(), obs.Endpoint().PID, c.o.Mics
	s.ledger = ledger{obs: obs, recall: &c.recall}
	s.viewers = viewers{
		obs: obs, sound: c.sound, seen: &s.seen, ledger: &s.ledger, log: c.log, pastOBS: c.o.MicSource != "",
		told: &obsctl.DeduplicationLog{PID: s.seen.pid},
	}
	s.ears = ears{obs: obs, sound: c.sound, seen: &s.seen}
	s.mic = microphone{
		obs: obs, sound: c.sound, seen: &s.seen, ledger: &s.ledger, ears: &s.ears, latency: &s.external.voice, wakeLater: c.wakeLater, log: c.log,
		safe: func() bool { return s.viewers.safe }, pastOBS: s.viewers.pastOBS, source: c.o.MicSource,
		gate: gate{always: s.viewers.pastOBS, hazard: s.seen.version.MutedIsMonitored()},
		slow: make(map[string]int), resync: make(map[string]time.Time), missing: make(map[string]time.Time),
	}
	s.share = shared{
		obs: obs, sound: c.sound, seen: &s.seen, patterns: c.o.Share, peerSource: c.o.SourceName,
		onlyHeard: func(input string) bool {
			return s.seen.monitored[input] == obsctl.MonitorOnly && !s.mic.mutedByButton(input)
		},
	}
	s.voice = peerVoice{
		obs: obs, sound: c.sound, seen: &s.seen, ledger: &s.ledger, ofFeed: c.feed.Ours, way: c.o.PeerAudio, log: c.log,
		desktop: desktopAudio{log: c.log},
	}
	s.capture = capture{obs: obs, sound: c.sound, seen: &s.seen, ledger: &s.ledger, log: c.log}
	s.feed = cleanFeed{
		scenes: c.feed, private: obsctl.NewPrivateScenes(cleanfeed.PrivateScenes()), shows: cameraShows, seen: &s.seen, log: c.log, chosen: c.o.CleanFeed,
	}
	s.feed.on = func() cleanfeed.OBS { return s.feed.private.On(obs) }
	s.picture = picture{
		obs: obs, outputs: outputs{obs: obs, seen: &s.seen, ledger: &s.ledger}, routes: &c.routes, screen: c.display, feed: &s.feed, seen: &s.seen, log: c.log,
	}
	id := c.processID(s.seen.pid)
	s.source = peerSource{
		obs: obs, screen: c.display, feed: &s.feed, seen: &s.seen,
		reconcile: func(ctx context.Context, want scenes.Desired) (scenes.Report, error) {
			return scenes.Reconcile(ctx, s.scenesOBS(), id, want)
		},
		peers: func(ctx context.Context, source scenes.Source) ([]string, error) {
			return scenes.Peers(ctx, obsscenes.New(obs), source)
		},
		ready: func() bool { return s.picture.arrives }, wanted: s.wantOnAir, peer: &c.peer, area: &c.area,
		wakeUp: c.wakeUp, wakeLater: c.wakeLater, log: c.log, name: c.o.SourceName, globs: c.o.Scenes, private: c.o.PrivateScenes, layouts: c.o.Layouts,
	}
	s.shown = shown{obs: obs, peers: s.source.inputs, tell: c.tally.setShown}
	s.keptOff = keptOff{obs: obs, seen: &s.seen, when: c.o.When, wakeLater: c.wakeLater}
	s.traces = traces{
		store: leftovers.NewStore(c.o.StateDir), scenes: s.scenesOBS, feed: c.feed, seen: &s.seen, ledger: &s.ledger, log: c.log,
	}
	return s
}
