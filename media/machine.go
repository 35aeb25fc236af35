// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/costream-obs/costream-obs/internal/priority"
	"github.com/costream-obs/costream-obs/media/internal/pipe"
)

var (
	// ErrStuck is wrapped when a pipeline did not start or stop in time.
	ErrStuck = pipe.ErrStuck
	// ErrEnded is wrapped when a pipeline came to an end by itself.
	ErrEnded = pipe.ErrEnded
)

// PipelineError is a fault that a running pipeline reported, such as a device
// that went away.
type PipelineError = pipe.Error

// Init initialises GStreamer. The constructors call it, too; calling it early keeps the time for reading the plugin registry
// away from the first picture.
func Init() error {
	pipe.Init()
	return nil
}

// GStreamerVersion is the version of GStreamer, such as "1.22.0", or empty if it has no elements at all.
func GStreamerVersion() string { return pipe.Version() }

// aboutASecond is the number of pictures or packets in a mean.
const aboutASecond = 32

// machine is what all senders, receivers and screens share: a pipeline, its
// texts and its errors.
type machine struct {
	what string // for messages: "video sender"
	text string
	pipe *pipe.Pipeline
	log  *slog.Logger

	urgent *priority.Later // asks for real-time priority for the threads; may be nil
}

// newMachine builds the pipeline of a graph, and fails if elements are missing.
func newMachine(what string, g graph, log *slog.Logger) (machine, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	m := machine{what: what, text: g.String(), log: log}
	if lost := Missing(g.factories()...); len(lost) > 0 {
		return m, fmt.Errorf("%s: %w", what, &MissingElementError{Missing: lost})
	}
	p, err := pipe.Parse(m.text)
	if err != nil {
		return m, fmt.Errorf("%s: %w", what, err)
	}
	m.pipe = p
	return m, nil
}

// Text returns the launch text of the pipeline, as gst-launch-1.0 reads it.
func (m *machine) Text() string { return m.text }

// Dot returns the running pipeline in the language of Graphviz.
func (m *machine) Dot() string { return m.pipe.Dot() }

// run runs the pipeline until ctx ends, and adds context to errors.
func (m *machine) run(ctx context.Context, work ...func(context.Context)) error {
	m.log.Debug("pipeline starts", "what", m.what, "text", m.text)
	if m.urgent != nil {
		work = append(work, m.urgent.Run)
	}
	err := m.pipe.Run(ctx, work...)
	if err == nil {
		return nil
	}
	var fault *PipelineError
	if errors.As(err, &fault) {
		if hint := hintFor(fault.Element); hint != "" {
			return fmt.Errorf("%s: %w; %s", m.what, err, hint)
		}
	}
	return fmt.Errorf("%s: %w", m.what, err)
}

// Names of the elements that exchange data with something outside.
const (
	nameCamera  = "camera"
	nameMic     = "microphone"
	nameSpeaker = "speaker"
)

// hintFor returns what to check if the named element fails.
func hintFor(element string) string {
	switch element {
	case nameCamera:
		return "see which video devices there are with: ls -l /dev/video*"
	case nameMic:
		return "see which sources the sound server has with: pactl list short sources"
	case nameSpeaker:
		return "see which sinks the sound server has with: pactl list short sinks"
	}
	return ""
}
