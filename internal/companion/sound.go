// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/placement"
	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/internal/supervisor"
	"github.com/costream-obs/costream-obs/media"
)

const (
	// ToPeerSink is the null sink that OBS's monitoring plays to and our sender records from.
	ToPeerSink        = placement.ToPeerSink
	toPeerDescription = "CoStreamToPeer"
	// FromPeerSink is the null sink with the peer's voice, which an OBS input captures.
	FromPeerSink        = placement.FromPeerSink
	fromPeerDescription = "CoStreamFromPeer"

	unloadWithin = 3 * time.Second
)

// sound keeps our nodes at the sound server as long as the companion runs, through restarts of the server.
type sound struct {
	pulse   pulse.Client
	parts   *supervisor.Supervisor
	changed func()
	log     *slog.Logger

	mu      sync.Mutex
	follows map[chan pulse.Change]bool
	ours    map[string]func(context.Context) error // how to unload, by sink
	sinks   map[string]string                      // wanted sinks with their descriptions
	isReady bool
	wentAt  time.Time // when the server was last lost
	lost    bool      // the server came back and OBS's captures were not checked since
}

func newSound(parts *supervisor.Supervisor, changed func(), log *slog.Logger) *sound {
	return &sound{
		parts: parts, changed: changed, log: log,
		follows: make(map[chan pulse.Change]bool),
		ours:    make(map[string]func(context.Context) error),
		sinks:   map[string]string{ToPeerSink: toPeerDescription},
	}
}

// run keeps the nodes until ctx ends, then removes those that we made.
func (s *sound) run(ctx context.Context) {
	watch, cancel := context.WithCancel(ctx)
	defer cancel()
	changes := s.pulse.Subscribe(watch)
	held := make(chan struct{})
	s.parts.KeepThen(watch, problem.Sink, s.hold, func() { close(held) })
	for c := range changes {
		s.noteChange(c)
	}
	<-held
	s.unload(context.WithoutCancel(ctx))
}

// hold makes the sinks and reads the one for the peer. A reader must be there before OBS monitors, or the sink's delay grows
// to half a second (measured).
func (s *sound) hold(ctx context.Context, started func()) error {
	s.mu.Lock()
	wanted := maps.Clone(s.sinks)
	s.mu.Unlock()
	for name, description := range wanted {
		if err := s.ensure(ctx, name, description); err != nil {
			return err
		}
	}
	r, err := media.NewMonitorReader(media.MonitorReaderOptions{Device: ToPeerSink + ".monitor", Log: s.log})
	if err != nil {
		return err
	}
	started()
	s.setReady(true)
	defer s.setReady(false)
	return r.Run(ctx)
}

// ensure makes a sink if there is none. It is not interrupted once begun, or nobody would know of the sink.
func (s *sound) ensure(ctx context.Context, name, description string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	made, unload, err := s.pulse.EnsureSink(context.WithoutCancel(ctx), name, description)
	if err != nil {
		return fmt.Errorf("sink %s: %w", name, err)
	}
	if made {
		s.log.Info("sink made", "sink", name)
	}
	s.mu.Lock()
	s.ours[name] = unload
	s.mu.Unlock()
	return nil
}

// unload removes the sinks that we made.
func (s *sound) unload(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, unloadWithin)
	defer cancel()
	s.mu.Lock()
	ours := s.ours
	s.ours = make(map[string]func(context.Context) error)
	s.mu.Unlock()
	for name, unload := range ours {
		if err := unload(ctx); err != nil && !errors.Is(err, pulse.ErrNoServer) {
			s.log.Warn("sink not removed", "sink", name, "error", err)
		}
	}
}

func (s *sound) noteChange(c pulse.Change) {
	s.mu.Lock()
	for follower := range s.follows {
		select {
		case follower <- c:
		default: // It has many to look at already.
		}
	}
	s.mu.Unlock()
	switch {
	case c.ServerWent():
		s.mu.Lock()
		s.wentAt = time.Now()
		s.mu.Unlock()
		s.log.Warn("the sound server went away")
	case c.ServerCame():
		s.mu.Lock()
		s.lost = !s.wentAt.IsZero()
		s.mu.Unlock()
		s.changed()
	case c.Object == "server", (c.Object == "sink-input" || c.Object == "source-output") && c.Event != "remove":
		s.changed()
	}
}

// follow passes on the changes at the sound server from now until ctx ends. All followers share one subscription.
func (s *sound) follow(ctx context.Context) <-chan pulse.Change {
	changes := make(chan pulse.Change, 256)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follows[changes] = true
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.follows, changes)
	})
	return changes
}

func (s *sound) setReady(ready bool) {
	s.mu.Lock()
	s.isReady = ready
	s.mu.Unlock()
	s.changed()
}

// ready reports whether the sink for the peer exists and is read.
func (s *sound) ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isReady
}

// restarted reports whether the server was restarted and OBS's captures have not been checked since.
func (s *sound) restarted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost && s.isReady
}

// revived notes that they were checked.
func (s *sound) revived() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = false
}

// microphone is the source that our sender records from.
func (s *sound) microphone(chosen string) string {
	if chosen != "" {
		return chosen
	}
	return ToPeerSink + ".monitor"
}

// needFromPeer makes the sink for the peer's voice now, and after each restart of the server.
func (s *sound) needFromPeer(ctx context.Context) error {
	s.mu.Lock()
	s.sinks[FromPeerSink] = fromPeerDescription
	s.mu.Unlock()
	return s.ensure(ctx, FromPeerSink, fromPeerDescription)
}

func (s *sound) defaultSink(ctx context.Context) (string, error) {
	info, err := s.pulse.Info(ctx)
	if err != nil {
		return "", err
	}
	return info.DefaultSink, nil
}

// exists reports whether there is a sink of that name.
func (s *sound) exists(ctx context.Context, name string) (bool, error) {
	_, err := s.pulse.SinkNamed(ctx, name)
	if errors.Is(err, pulse.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// sources are the names of all sources, and of those that are no monitor of a sink.
func (s *sound) sources(ctx context.Context) (all, recording []string, err error) {
	sources, err := s.pulse.Sources(ctx)
	for _, source := range sources {
		all = append(all, source.Name)
		if source.MonitorOf == "" {
			recording = append(recording, source.Name)
		}
	}
	return all, recording, err
}

// streamsOf are the streams with which OBS plays what it monitors, by input. An OBS in a sandbox may report another process
// id than the one that we see; if no id matches, the program's name decides.
func (s *sound) streamsOf(ctx context.Context, pid int) (map[string]pulse.SinkInput, error) {
	all, err := s.pulse.SinkInputs(ctx)
	if err != nil {
		return nil, err
	}
	return placement.MonitorsOf(all, pid), nil
}

// recordsOf is what OBS records, by input.
func (s *sound) recordsOf(ctx context.Context, pid int) (map[string]recording, error) {
	streams, err := s.recordingOf(ctx, pid)
	if err != nil || len(streams) == 0 {
		return nil, err
	}
	sources, err := s.pulse.Sources(ctx)
	if err != nil {
		return nil, err
	}
	records := make(map[string]recording)
	for input, stream := range streams {
		records[input] = recording{index: stream.Index}
		for _, source := range sources {
			if source.Index == stream.Source {
				records[input] = recording{index: stream.Index, source: source.Name}
			}
		}
	}
	return records, nil
}

// capturesOf are the names of OBS's inputs that record.
func (s *sound) capturesOf(ctx context.Context, pid int) (map[string]bool, error) {
	streams, err := s.recordingOf(ctx, pid)
	if err != nil {
		return nil, err
	}
	names := make(map[string]bool)
	for input := range streams {
		names[input] = true
	}
	return names, nil
}

func (s *sound) recordingOf(ctx context.Context, pid int) (map[string]pulse.SourceOutput, error) {
	all, err := s.pulse.SourceOutputs(ctx)
	if err != nil {
		return nil, err
	}
	return placement.CapturesOf(all, pid), nil
}

// ourSink is the number of the sink for the peer, to find out which streams play to it. Without streams the sound server is
// not asked.
func (s *sound) ourSink(ctx context.Context, streams map[string]pulse.SinkInput) (int, error) {
	if len(streams) == 0 {
		return 0, nil
	}
	sink, err := s.pulse.SinkNamed(ctx, ToPeerSink)
	if err != nil {
		return 0, fmt.Errorf("sink %s: %w", ToPeerSink, err)
	}
	return sink.Index, nil
}

// move moves a stream of OBS. It is no error if the stream has ended meanwhile.
func (s *sound) move(ctx context.Context, stream pulse.SinkInput, sink string) error {
	s.log.Info("moving what OBS monitors", "input", stream.MediaName(), "to", sink)
	err := s.pulse.MoveSinkInput(ctx, stream.Index, sink)
	if err == nil || errors.Is(err, pulse.ErrNotFound) {
		return nil
	}
	return fmt.Errorf("what OBS monitors of %q does not go to %s: %w", stream.MediaName(), sink, err)
}
