// SPDX-License-Identifier: Apache-2.0

// Package pulse asks a sound server about its sinks, sources and streams, moves streams, and makes null sinks. It works by way
// of pactl, which speaks to PulseAudio and to PipeWire alike.
//
// It plays and records nothing (that is package media), and does not know which sinks costream-obs needs.
package pulse

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Info is what a sound server says about itself.
type Info struct {
	Name          string `json:"server_name"` // "pulseaudio" or "PulseAudio (on PipeWire 1.4.2)"
	Version       string `json:"server_version"`
	DefaultSink   string `json:"default_sink_name"`
	DefaultSource string `json:"default_source_name"`
}

// Info asks the server about itself.
func (c Client) Info(ctx context.Context) (Info, error) {
	var info Info
	err := c.query(ctx, &info, "info")
	return info, err
}

// Sink is a node to play into.
type Sink struct {
	Index       int
	Name        string
	Description string
	Monitor     string // the source that carries what is played into it
	Module      Module // that made it; negative when none did
	Mute        bool
	Properties  map[string]string
}

// Source is a node to record from.
type Source struct {
	Index       int
	Name        string
	Description string
	MonitorOf   string // the sink it monitors; empty for a microphone
	Mute        bool
	Properties  map[string]string
}

// Stream is what a program plays or records.
type Stream struct {
	Index      int
	Mute       bool
	Silent     bool          // muted, or with a volume of 0 in all channels
	Latency    time.Duration // what waits in the stream's own buffer
	Properties map[string]string
}

// SinkInput is a stream that plays into a sink. OBS has one for each source
// that it monitors (measured, 29.0.2).
type SinkInput struct {
	Stream
	Sink int // index of the sink it plays into
}

// SourceOutput is a stream that records from a source. OBS has one for each
// of its inputs that captures sound (measured, 29.0.2).
type SourceOutput struct {
	Stream
	Source int // index of the source it records from
}

// PID is the process id of the program, or 0. Programs inside a sandbox may
// give the id they have in there.
func (s Stream) PID() int {
	pid, _ := strconv.Atoi(s.Properties["application.process.id"])
	return pid
}

// MediaName is what the program calls the stream; OBS gives the name of the
// input that it monitors or captures for (measured, 29.0.2).
func (s Stream) MediaName() string { return s.Properties["media.name"] }

// Module is the index of a loaded module. It is only valid for the life of
// the server.
type Module int64

// noModule is what servers say for a node that no module made (PA_INVALID_INDEX).
const noModule = 1<<32 - 1

// node has the fields of sinks, sources and sink inputs in pactl's JSON. In
// 16.1 owner_module is a number in nodes and a string in streams; only nodes
// are read for it.
type node struct {
	Index       int               `json:"index"`
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Monitor     string            `json:"monitor_source"`
	Mute        bool              `json:"mute"`
	Properties  map[string]string `json:"properties"`
}

type ownedNode struct {
	node
	Owner Module `json:"owner_module"`
}

type streamNode struct {
	node
	Sink    int     `json:"sink"`
	Source  int     `json:"source"`
	Latency float64 `json:"buffer_latency_usec"`
	Volume  map[string]struct {
		Value int `json:"value"`
	} `json:"volume"` // by channel
}

func (n streamNode) silent() bool {
	for _, channel := range n.Volume {
		if channel.Value > 0 {
			return n.Mute
		}
	}
	return n.Mute || len(n.Volume) > 0
}

func (n streamNode) stream() Stream {
	return Stream{Index: n.Index, Mute: n.Mute, Silent: n.silent(), Properties: n.Properties, Latency: time.Duration(n.Latency) * time.Microsecond}
}

// Sinks lists the sinks.
func (c Client) Sinks(ctx context.Context) ([]Sink, error) {
	var nodes []ownedNode
	if err := c.query(ctx, &nodes, "list", "sinks"); err != nil {
		return nil, err
	}
	sinks := make([]Sink, len(nodes))
	for i, n := range nodes {
		if n.Owner == noModule {
			n.Owner = -1
		}
		sinks[i] = Sink{Index: n.Index, Name: n.Name, Description: n.Description, Monitor: n.Monitor,
			Module: n.Owner, Mute: n.Mute, Properties: n.Properties}
	}
	return sinks, nil
}

// Sources lists the sources, monitors of sinks among them.
func (c Client) Sources(ctx context.Context) ([]Source, error) {
	var nodes []node
	if err := c.query(ctx, &nodes, "list", "sources"); err != nil {
		return nil, err
	}
	sources := make([]Source, len(nodes))
	for i, n := range nodes {
		// For a source the field holds the monitored sink.
		sources[i] = Source{Index: n.Index, Name: n.Name, Description: n.Description, MonitorOf: n.Monitor,
			Mute: n.Mute, Properties: n.Properties}
	}
	return sources, nil
}

// SinkInputs lists the playing streams.
func (c Client) SinkInputs(ctx context.Context) ([]SinkInput, error) {
	nodes, err := c.streams(ctx, "sink-inputs", "Sink Input #")
	inputs := make([]SinkInput, len(nodes))
	for i, n := range nodes {
		inputs[i] = SinkInput{Stream: n.stream(), Sink: n.Sink}
	}
	return inputs, err
}

// SourceOutputs lists the recording streams.
func (c Client) SourceOutputs(ctx context.Context) ([]SourceOutput, error) {
	nodes, err := c.streams(ctx, "source-outputs", "Source Output #")
	outputs := make([]SourceOutput, len(nodes))
	for i, n := range nodes {
		outputs[i] = SourceOutput{Stream: n.stream(), Source: n.Source}
	}
	return outputs, err
}

// streams lists the streams of a kind. Title begins each in the plain listing.
func (c Client) streams(ctx context.Context, kind, title string) ([]streamNode, error) {
	var nodes []streamNode
	if err := c.query(ctx, &nodes, "list", kind); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(nodes, func(n streamNode) bool { return hasLost(n.Properties) }) {
		return nodes, nil
	}
	text, err := c.pactl(ctx, "list", kind)
	if err != nil {
		return nil, err
	}
	readable := parseProperties(string(text), title)
	for _, n := range nodes {
		for key, value := range n.Properties {
			if better, ok := readable[n.Index][key]; ok && value == lostValue {
				n.Properties[key] = better
			}
		}
	}
	return nodes, nil
}

// SinkNamed returns the sink of that name, or ErrNotFound.
func (c Client) SinkNamed(ctx context.Context, name string) (Sink, error) {
	sinks, err := c.Sinks(ctx)
	if err != nil {
		return Sink{}, err
	}
	for _, s := range sinks {
		if s.Name == name {
			return s, nil
		}
	}
	names := make([]string, len(sinks))
	for i, s := range sinks {
		names[i] = s.Name
	}
	return Sink{}, notFound("sink", name, names)
}

// CheckSource returns nil when a stream can record from the source of that name
// or number, or a name of the server's own such as @DEFAULT_SOURCE@; otherwise
// ErrNotFound. PipeWire (1.4.2) takes any name, and waits for a source that has it.
func (c Client) CheckSource(ctx context.Context, name string) error {
	sources, err := c.Sources(ctx)
	if err != nil {
		return err
	}
	names := make([]string, len(sources))
	for i, s := range sources {
		if s.Name == name || strconv.Itoa(s.Index) == name {
			return nil
		}
		names[i] = s.Name
	}
	if strings.HasPrefix(name, "@") {
		return nil
	}
	return notFound("source", name, names)
}

func notFound(kind, name string, names []string) error {
	return fmt.Errorf("%s %q (there are: %s): %w", kind, name, strings.Join(names, ", "), ErrNotFound)
}

// MoveSinkInput moves a stream to another sink at once. A stream that its
// program opens anew is back on the program's own choice (measured).
func (c Client) MoveSinkInput(ctx context.Context, index int, sink string) error {
	_, err := c.pactl(ctx, "move-sink-input", strconv.Itoa(index), sink)
	return err
}

// MoveSourceOutput moves a recording stream to another source at once.
func (c Client) MoveSourceOutput(ctx context.Context, index int, source string) error {
	_, err := c.pactl(ctx, "move-source-output", strconv.Itoa(index), source)
	return err
}

// SetSinkInputMute mutes a stream, or lets it sound again.
func (c Client) SetSinkInputMute(ctx context.Context, index int, mute bool) error {
	value := "0"
	if mute {
		value = "1"
	}
	_, err := c.pactl(ctx, "set-sink-input-mute", strconv.Itoa(index), value)
	return err
}
