// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

const (
	// deadAfter is how long the peer source may show no picture while the screen has one.
	deadAfter = 2 * time.Second
	// kickGap is more than the time within which OBS merges two settings into one (100 ms, measured).
	kickGap = 150 * time.Millisecond
)

// peerSource keeps the source that shows the peer in the user's scenes.
type peerSource struct {
	obs       peerSourceOBS
	reconcile func(context.Context, scenes.Desired) (scenes.Report, error) // changes the scenes to what is wanted
	peers     func(context.Context, scenes.Source) ([]string, error)       // the inputs that show the peer; from any goroutine
	screen    peerScreen
	feed      *cleanFeed
	seen      *observed
	ready     func() bool // the peer gets our picture
	wanted    func() bool // we should be on air
	peer      *atomic.Bool
	area      *atomic.Pointer[image.Rectangle] // the part of the screen with the peer's picture
	wakeUp    func()
	wakeLater func(time.Duration)
	log       *slog.Logger
	name      string
	globs     []string // of scenes
	private   []string // globs of the scenes that are kept from the peer
	layouts   scenes.Layouts

	call          peerCall    // nil off air
	held          atomic.Bool // the source stays hidden somewhere until the clean feed is ready
	hint          string      // what the user must do so that the peer is seen
	unknown       error       // scenes of globs and private that OBS does not have
	scenesChecked bool
	arranged      string    // what the scenes were last arranged for
	arrangedAt    time.Time // when
	arrangedIn    time.Duration
	input         string    // the source's name, while it is in OBS
	muteAsked     string    // the source whose mute is known; events report its changes
	dead          time.Time // since when the source has shown no picture
}

// peerSourceOBS is what peerSource needs of OBS beside its scenes.
type peerSourceOBS interface {
	Scenes(ctx context.Context) ([]string, error)
	SourceActive(ctx context.Context, source string) (bool, error)
	Screenshot(ctx context.Context, source string, w, h int, format string, quality int) ([]byte, error)
	SetInputSettings(ctx context.Context, name string, settings map[string]any, overlay bool) error
	InputMuted(ctx context.Context, input string) (bool, error)
}

// peerScreen is the screen that the source shows.
type peerScreen interface {
	source(name string) (scenes.Source, bool)
	size() media.VideoFormat
	revival() map[string]any
}

// peerCall is what peerSource needs of a call.
type peerCall interface {
	SilencePeer(silenced bool)
}

// begin is for a time on air.
func (p *peerSource) begin(call peerCall) { p.call, p.muteAsked = call, "" }

// note takes in events about the source.
func (p *peerSource) note(ev obsctl.Event) {
	switch e := ev.(type) {
	case obsctl.MuteChanged:
		if p.call != nil && e.Input == p.input {
			p.call.SilencePeer(e.Muted)
		}
	case obsctl.ProgramScene:
		// The scenes do not depend on a transition, but its end is what a hint waits for.
		p.seen.scenesLooked = p.seen.scenesLooked && p.hint == ""
	}
}

// lookShare limits checks of the scenes without an event to this part of the time. They are needed because events can be
// lost; with hundreds of scenes on a busy machine one takes half a second.
const lookShare = 25

// fresh reports whether the last check of the scenes was so recent that only an event needs another one.
func (p *peerSource) fresh() bool {
	return p.seen.scenesLooked && time.Since(p.arrangedAt) < lookShare*p.arrangedIn
}

// show keeps the peer source in its scenes. It is visible while the peer's picture arrives.
func (p *peerSource) show(ctx context.Context) error {
	source, ok := p.screen.source(p.name)
	if !ok || !p.ready() {
		return nil
	}
	want := scenes.Desired{
		Source:  source,
		Scenes:  p.globs,
		Layouts: p.layouts,
		Present: true,
		Visible: p.peer.Load(),
	}
	want.Picture = p.framed(want.Visible)
	return p.arrange(ctx, want)
}

// framed is the area of the source that has a picture: the placeholder has no borders, the peer's picture may.
func (p *peerSource) framed(seen bool) scenes.Picture {
	format := p.screen.size()
	picture := scenes.Picture{Size: scenes.Size{W: format.W, H: format.H}}
	if area := p.area.Load(); area != nil && seen && !area.Empty() && area.In(image.Rect(0, 0, picture.W, picture.H)) {
		picture.Border = scenes.Border{Left: area.Min.X, Top: area.Min.Y, Right: picture.W - area.Max.X, Bottom: picture.H - area.Max.Y}
	}
	return picture
}

// hide removes what we added.
func (p *peerSource) hide(ctx context.Context) error {
	source, ok := p.screen.source(p.name)
	if !ok {
		source = scenes.Source{Name: p.name}
	}
	p.input = ""
	return p.arrange(ctx, scenes.Desired{Source: source, Scenes: p.globs, Layouts: p.layouts, Over: !p.wanted()})
}

// arrange changes the scenes to what is wanted, unless nothing has changed since the last time.
func (p *peerSource) arrange(ctx context.Context, want scenes.Desired) error {
	key := fmt.Sprintf("%+v on %+v", want, p.seen.canvasFormat())
	if p.seen.scenesLooked && p.arranged == key && !p.held.Load() {
		return p.unknown
	}
	if p.feed.wants() {
		want.Held = p.feed.scenes.Bare
	}
	// Set before the question, because the feed may become ready meanwhile.
	p.held.Store(true)
	begin := time.Now()
	r, err := p.reconcile(ctx, want)
	// Scenes that do not exist do not stop us from using the others.
	if p.unknown = onlyUnknown(err); err != nil && p.unknown == nil {
		return err
	}
	if p.unknown == nil {
		if p.unknown, err = p.unknownPrivate(ctx); err != nil {
			return err
		}
	}
	p.held.Store(r.Held)
	for _, edit := range r.Done {
		p.log.Info("scene changed", "edit", edit.String())
	}
	p.arranged, p.seen.scenesLooked = key, true
	p.arrangedAt, p.arrangedIn = time.Now(), time.Since(begin)
	p.hint = ""
	if r.NeedsTransition != "" {
		p.hint = fmt.Sprintf("OBS is in studio mode: viewers see the change in scene %q after the next transition", r.NeedsTransition)
	}
	if want.Present {
		p.input = r.Input
	}
	return p.unknown
}

// onlyUnknown returns err if it is about unknown scenes only, or nil.
func onlyUnknown(err error) error {
	var unknown *scenes.UnknownSceneError
	if !errors.As(err, &unknown) {
		return nil
	}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range several.Unwrap() {
			if !errors.As(e, &unknown) {
				return nil
			}
		}
	}
	return err
}

// checkScenes reports before we go on air which of --scenes and --private-scenes OBS does not have, and which patterns of
// --layouts are wrong.
func (p *peerSource) checkScenes(ctx context.Context) error {
	if len(p.globs)+len(p.private)+len(p.layouts.Rules) == 0 || p.seen.scenesLooked && p.scenesChecked {
		return p.unknown
	}
	existing, err := p.obs.Scenes(ctx)
	if err != nil {
		return err
	}
	p.scenesChecked = true
	if p.unknown = scenes.CheckScenes(p.globs, p.seen.collection, existing); p.unknown == nil {
		p.unknown = p.layouts.Check(p.seen.collection, existing)
	}
	if p.unknown == nil {
		p.unknown = p.checkPrivate(existing)
	}
	if p.unknown == nil && len(existing) > 0 && len(scenes.Matching(p.private, existing)) == len(existing) {
		p.unknown = errAllPrivate
	}
	return p.unknown
}

var errAllPrivate = errors.New("every scene of OBS is private (--private-scenes), so your friend only gets the card and silence: name only the scenes that your friend must not see")

// unknownPrivate is the same for --private-scenes while on air.
func (p *peerSource) unknownPrivate(ctx context.Context) (unknown, err error) {
	if len(p.private) == 0 {
		return nil, nil
	}
	existing, err := p.obs.Scenes(ctx)
	if err != nil {
		return nil, err
	}
	return p.checkPrivate(existing), nil
}

func (p *peerSource) checkPrivate(existing []string) error {
	if err := scenes.CheckScenes(p.private, p.seen.collection, existing); err != nil {
		return fmt.Errorf("--private-scenes: %w", err)
	}
	return nil
}

// revive restarts a peer source that shows nothing while the screen has a picture. A v4l2_input whose device was missing or
// had no writer stays dead (measured). One that is not part of the programme is not looked at: a screenshot of a source that
// OBS does not draw can stop OBS for good, see obsctl.Version.UndrawnScreenshotHangs.
func (p *peerSource) revive(ctx context.Context) error {
	source, ok := p.screen.source(p.name)
	if !ok || p.input == "" || p.screen.revival() == nil {
		return nil
	}
	active, err := p.obs.SourceActive(ctx, p.input)
	if err != nil || !active {
		p.dead = time.Time{}
		return err
	}
	_, err = p.obs.Screenshot(ctx, p.input, 16, 16, "png", -1)
	if !obsctl.IsCode(err, obsctl.CodeRequestFailed) {
		p.dead = time.Time{}
		return err
	}
	if p.dead.IsZero() {
		p.dead = time.Now()
	}
	if time.Since(p.dead) < deadAfter {
		p.wakeLater(deadAfter)
		return nil
	}
	p.dead = time.Time{}
	p.log.Info("the peer source shows nothing, opening its device again", "input", p.input)
	if err := p.obs.SetInputSettings(ctx, p.input, p.screen.revival(), true); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(kickGap):
	}
	return p.obs.SetInputSettings(ctx, p.input, source.Settings, true)
}

// inputs are the names of all inputs that show the peer.
func (p *peerSource) inputs(ctx context.Context) ([]string, error) {
	source, ok := p.screen.source(p.name)
	if !ok {
		source = scenes.Source{Name: p.name}
	}
	return p.peers(ctx, source)
}

// feedInStep triggers a check of a source that waits for the clean feed. The feed calls it from any goroutine.
func (p *peerSource) feedInStep() {
	if p.held.Load() {
		p.wakeUp()
	}
}

// followMute silences the peer's voice, for the user and in the stream, while the user has the peer source muted in OBS. Our
// hotkey uses that mute when the peer's voice comes through Desktop Audio, which has no separate fader for it.
func (p *peerSource) followMute(ctx context.Context) error {
	if p.call == nil || p.input == "" || p.muteAsked == p.input {
		return nil
	}
	muted, err := p.obs.InputMuted(ctx, p.input)
	switch {
	case obsctl.IsCode(err, obsctl.CodeInvalidState):
		// obs-websocket 5.7 does not answer for the mute of a source without sound, but sends events about it (its source).
	case obsctl.IsCode(err, obsctl.CodeNotFound):
		return nil // OBS has no such source yet.
	case err != nil:
		return err
	default:
		p.call.SilencePeer(muted)
	}
	p.muteAsked = p.input
	return nil
}
