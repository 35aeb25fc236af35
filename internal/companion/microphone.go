// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/obsctl"
)

const (
	// lateTimes is how many looks in a row must find it too late.
	lateTimes = 3
	// resyncPause keeps the short gaps in the sound apart.
	resyncPause = time.Minute
	// streamWithin is how long OBS may take to open a monitored input's stream.
	streamWithin = time.Second
)

// errNoMic says that nothing goes to the peer.
var errNoMic = errors.New("OBS has no microphone input, so the peer does not hear you: choose one in OBS under Settings → Audio → Mic/Auxiliary Audio, or name an input with --mic NAME")

// monitorMics brings the microphones, and nothing else, to our sink.
func (s *session) monitorMics(ctx context.Context) error {
	if s.c.o.MicSource != "" {
		return nil
	}
	var mics, unknown []string
	for _, mic := range s.seen.mics() {
		if s.seen.has(mic) {
			mics = append(mics, mic)
		} else {
			unknown = append(unknown, mic)
		}
	}
	if err := s.noteMonitoring(ctx, mics); err != nil {
		return err
	}
	if err := s.setMonitors(ctx, mics); err != nil {
		return err
	}
	if err := s.routeMics(ctx, mics); err != nil {
		return err
	}
	if len(unknown) > 0 && len(s.c.o.Mics) > 0 {
		return fmt.Errorf("OBS has no input %q: see its names in OBS's audio mixer and give one with --mic NAME", strings.Join(unknown, `", "`))
	}
	if len(mics) == 0 {
		return errNoMic
	}
	return nil
}

// setMonitors has OBS monitor the microphones. What it monitors besides stays in the stream and is
// monitored no more; what it only monitors, for the user's own ears, would come into the stream that
// way, so that is kept from our sink instead (routeMics).
func (s *session) setMonitors(ctx context.Context, mics []string) error {
	for input, now := range s.seen.monitored {
		if !slices.Contains(mics, input) && now != obsctl.MonitorOnly {
			if err := s.setMonitor(ctx, input, obsctl.MonitorOff); err != nil {
				return err
			}
		}
	}
	for _, mic := range mics {
		if s.mutedByButton(mic) {
			if err := s.muteAsButton(ctx, mic); err != nil {
				return fmt.Errorf("mute of %q: %w", mic, err)
			}
		}
		if err := s.setMonitor(ctx, mic, s.wantMonitor(mic, mics)); err != nil {
			return err
		}
	}
	return nil
}

// wantMonitor is a microphone's monitoring type on air. None is monitored where that would take it
// from the viewers, and one that the viewers are not to hear stays so.
func (s *session) wantMonitor(mic string, mics []string) obsctl.MonitorType {
	if s.seen.monitored[mic] == obsctl.MonitorOnly && !s.mutedByButton(mic) {
		return obsctl.MonitorOnly
	}
	if !s.viewers.safe {
		return obsctl.MonitorOff
	}
	if closed := s.seen.muted[mic] && s.seen.version.MutedIsMonitored() || s.gate.isClosed(mic); closed && len(mics) > 1 {
		// The sender can only be silenced as a whole.
		return obsctl.MonitorOff
	}
	return obsctl.MonitorAndOutput
}

// noteMonitoring writes down what monitorMics, or OBS's mute button, is about to change.
func (s *session) noteMonitoring(ctx context.Context, mics []string) error {
	news := false
	for input, was := range s.seen.monitored {
		if !slices.Contains(mics, input) && was != obsctl.MonitorOnly || slices.Contains(mics, input) && was != s.wantMonitor(input, mics) || s.seen.version.MuteButtonMonitorsOnly() {
			news = s.ledger.noteMonitor(s.seen.collection, input, was) || news
		}
	}
	for _, mic := range mics {
		if _, on := s.seen.monitored[mic]; !on && s.wantMonitor(mic, mics) != obsctl.MonitorOff {
			news = s.ledger.noteMonitor(s.seen.collection, mic, obsctl.MonitorOff) || news
		}
	}
	if !news {
		return nil
	}
	return s.ledger.save(ctx)
}

func (s *session) setMonitor(ctx context.Context, input string, want obsctl.MonitorType) error {
	if s.seen.monitored[input] == want {
		return nil
	}
	if err := s.obs.SetMonitorType(ctx, input, want); err != nil {
		return fmt.Errorf("monitoring of %q: %w", input, err)
	}
	s.seen.setMonitored(input, want)
	s.tellGate()
	return nil
}

// routeMics makes sure that each monitored microphone plays to our sink, and without a growing delay, and
// that nothing else of OBS does: the sound server may remember where a stream was moved.
func (s *session) routeMics(ctx context.Context, mics []string) error {
	streams, err := s.c.sound.streamsOf(ctx, s.seen.pid)
	if err != nil {
		return err
	}
	ours, err := s.c.sound.ourSink(ctx, streams)
	if err != nil {
		return err
	}
	for _, mic := range mics {
		if s.seen.monitored[mic] == obsctl.MonitorOff {
			continue
		}
		stream, found := streams[mic]
		if !found {
			if err := s.reopenStream(ctx, mic); err != nil {
				return err
			}
			continue
		}
		delete(s.missing, mic)
		if err := s.toPeer(ctx, mic, stream, ours); err != nil {
			return err
		}
		s.legs.voice.Add(captureLeg+stream.Latency, legLooks)
		if err := s.watchLatency(ctx, mic, stream.Latency); err != nil {
			return err
		}
	}
	others := maps.Clone(streams)
	for _, mic := range mics {
		delete(others, mic)
	}
	return s.returnAll(ctx, others, ours)
}

// toPeer moves what OBS monitors of a microphone to our sink if it plays elsewhere. Each stream that OBS
// opens begins elsewhere; one that is moved away again and again is left there.
func (s *session) toPeer(ctx context.Context, mic string, stream pulse.SinkInput, ours int) error {
	if stream.Sink == ours {
		return nil
	}
	if !s.truce.mayMove(fmt.Sprint(mic, stream.Index), time.Now()) {
		return fmt.Errorf("another program moves what OBS monitors of %q away from %s again and again, so your friend does not hear it: "+
			"end what moves streams (EasyEffects, pavucontrol), or have it leave OBS alone", mic, ToPeerSink)
	}
	return s.c.sound.move(ctx, stream, ToPeerSink)
}

// reopenStream turns monitoring off and on when OBS has no stream for it: OBS does not come back by
// itself after a restart of the sound server, or when the sink was missing.
func (s *session) reopenStream(ctx context.Context, mic string) error {
	since, known := s.missing[mic]
	if !known {
		s.missing[mic] = time.Now()
		s.c.wakeLater(streamWithin)
		return nil
	}
	if time.Since(since) < streamWithin {
		return nil
	}
	delete(s.missing, mic)
	s.log.Info("OBS plays nothing to the monitoring device, opening it again", "input", mic)
	return s.toggleMonitor(ctx, mic)
}

// watchLatency resets monitoring whose delay has grown.
func (s *session) watchLatency(ctx context.Context, mic string, latency time.Duration) error {
	if latency < obsctl.MonitoringLate {
		s.slow[mic] = 0
		return nil
	}
	s.slow[mic]++
	if s.slow[mic] < lateTimes || time.Since(s.resync[mic]) < resyncPause {
		return nil
	}
	s.slow[mic], s.resync[mic] = 0, time.Now()
	s.log.Info("the delay of OBS's monitoring has grown, resetting it", "input", mic, "delay", latency)
	return s.toggleMonitor(ctx, mic)
}

// toggleMonitor notes what it interrupts, since it may be interrupted itself.
func (s *session) toggleMonitor(ctx context.Context, mic string) error {
	was := s.seen.monitored[mic]
	if s.ledger.noteMonitor(s.seen.collection, mic, was) {
		if err := s.ledger.save(ctx); err != nil {
			return err
		}
	}
	if err := s.setMonitor(ctx, mic, obsctl.MonitorOff); err != nil {
		return err
	}
	if err := s.setMonitor(ctx, mic, was); err != nil {
		return err
	}
	s.c.wakeLater(settle)
	return nil
}

// unmonitor gives the inputs of this collection the monitoring that they had.
func (s *session) unmonitor(ctx context.Context) error {
	was := s.ledger.monitorOf(s.seen.collection)
	if len(was) == 0 {
		return nil
	}
	for input, t := range was {
		var err error
		if t != obsctl.MonitorOnly && s.seen.version.MuteButtonMonitorsOnly() {
			err = s.muteAsButton(ctx, input)
		}
		if err == nil {
			err = s.obs.SetMonitorType(ctx, input, t)
		}
		if err != nil && !obsctl.IsCode(err, obsctl.CodeNotFound) {
			return fmt.Errorf("monitoring of %q: %w", input, err)
		}
		s.ledger.forgetMonitor(s.seen.collection, input)
	}
	s.seen.askInputs = true
	s.missing, s.slow = make(map[string]time.Time), make(map[string]int)
	return s.ledger.save(ctx)
}
