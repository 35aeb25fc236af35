// SPDX-License-Identifier: Apache-2.0

package pulse

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// madeMark is the property that marks a null sink as made by costream-obs, so
// that one left behind by a companion that was killed is known as its own.
const madeMark = "costream.made"

// PipeWire takes only these in names; a blank or quote in a description makes
// PulseAudio refuse the whole module (measured, 16.1).
var (
	plainName        = regexp.MustCompile(`^[A-Za-z0-9._]+$`)
	plainDescription = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
)

// LoadNullSink makes a sink that plays nowhere, whose monitor can be recorded
// from. Name and description must be of letters, digits, dots and underscores.
func (c Client) LoadNullSink(ctx context.Context, name, description string) (Module, error) {
	if !plainName.MatchString(name) {
		return 0, fmt.Errorf("sink name %q: only letters, digits, '.' and '_' are allowed", name)
	}
	if !plainDescription.MatchString(description) {
		return 0, fmt.Errorf("sink description %q: only letters, digits, '.', '_' and '-' are allowed", description)
	}
	args := []string{"load-module", "module-null-sink", "sink_name=" + name, "rate=48000",
		fmt.Sprintf("sink_properties='device.description=%s %s=yes'", description, madeMark)}
	// PulseAudio's null sink works in blocks of up to two seconds, which drives
	// OBS's monitoring to a delay of 210 to 470 ms; without rewinds the blocks
	// are of 50 ms and the delay is 25 to 35 ms (measured, PulseAudio 16.1 with
	// OBS 29.0.2). A server that does not know the argument refuses it.
	out, err := c.pactl(ctx, append(args, "norewinds=1")...)
	if err != nil && !errors.Is(err, ErrNoServer) {
		out, err = c.pactl(ctx, args...)
	}
	if err != nil {
		return 0, err
	}
	index, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("load the null sink %s: pactl answered %q, not a module index", name, out)
	}
	return Module(index), nil
}

// Unload unloads a module. Streams that play into its sink move to the
// default sink, where the user hears them: take them away before.
func (c Client) Unload(ctx context.Context, m Module) error {
	index := strconv.FormatInt(int64(m), 10)
	_, err := c.pactl(ctx, "unload-module", index)
	if err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, ErrNoServer) {
		return err
	}
	// PipeWire 1.4 says "Access denied" of a module that is not there (measured).
	loaded, listErr := c.pactl(ctx, "list", "short", "modules")
	if listErr != nil {
		return errors.Join(err, listErr)
	}
	for line := range strings.Lines(string(loaded)) {
		if number, _, _ := strings.Cut(line, "\t"); number == index {
			return err
		}
	}
	return fmt.Errorf("module %s: %w", index, ErrNotFound)
}

// EnsureSink makes a null sink unless there is one of that name. The returned
// function takes it away again if it was made here, now or by an earlier run
// that could not take it away, and does nothing otherwise.
func (c Client) EnsureSink(ctx context.Context, name, description string) (made bool, unload func(context.Context) error, err error) {
	sink, err := c.SinkNamed(ctx, name)
	switch {
	case err == nil:
		if sink.Properties[madeMark] == "" {
			return false, func(context.Context) error { return nil }, nil
		}
	case errors.Is(err, ErrNotFound):
		if _, err := c.LoadNullSink(ctx, name, description); err != nil {
			return false, nil, err
		}
		made = true
	default:
		return false, nil, err
	}
	return made, func(ctx context.Context) error { return c.unloadMade(ctx, name) }, nil
}

// unloadMade looks the sink up again: after a restart of the server the
// module's index could be that of somebody else's.
func (c Client) unloadMade(ctx context.Context, name string) error {
	sink, err := c.SinkNamed(ctx, name)
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrNoServer) {
		return nil
	}
	if err != nil {
		return err
	}
	if sink.Properties[madeMark] == "" || sink.Module < 0 {
		return nil
	}
	return c.Unload(ctx, sink.Module)
}
