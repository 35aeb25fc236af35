// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/internal/mean"
	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/obsctl"
)

const (
	// lateTimes is how often in a row the delay must be too large.
	lateTimes = 3
	// resyncPause is the least time between two resets, each of which is a short gap in the sound.
	resyncPause = time.Minute
	// streamWithin is how long OBS may take to open a monitored input's stream.
	streamWithin = time.Second
	// sourceLook is how often the sound server is asked for the source of --mic-source.
	sourceLook = 2 * time.Second
)

// errNoMic: OBS has no microphone at all.
var errNoMic = errors.New("OBS has no microphone input, so the peer does not hear you: choose one in OBS under Settings → Audio → Mic/Auxiliary Audio, or name an input with --mic NAME")

// microphone sends the microphones and what is shared, and nothing else, to the peer: OBS monitors them, and its streams play
// to our sink. It knows which of them the viewers hear.
type microphone struct {
	obs       microphoneOBS
	sound     microphoneSound
	seen      *observed
	ledger    *ledger
	ears      *ears
	safe      func() bool // a monitored microphone stays in the stream
	latency   *mean.Mean
	wakeLater func(time.Duration)
	log       *slog.Logger
	pastOBS   bool // the peer gets another microphone, source
	source    string

	gate    gate
	unheard unheard
	truce   truce
	slow    map[string]int // how often in a row the delay was too large
	resync  map[string]time.Time
	missing map[string]time.Time // since when monitored microphones have had no stream

	sourceLook time.Time // when the sound server was last asked for source
	noSource   error     // what it answered
}

// microphoneOBS is what microphone needs of OBS.
type microphoneOBS interface {
	MonitorType(ctx context.Context, input string) (obsctl.MonitorType, error)
	SetMonitorType(ctx context.Context, input string, t obsctl.MonitorType) error
	SetInputMuted(ctx context.Context, input string, muted bool) error
}

// microphoneSound is what microphone needs of the sound server.
type microphoneSound interface {
	monitoredStreams
	sources(ctx context.Context) (all, recording []string, err error)
}

// check reports a microphone that does not exist, on air and before.
func (m *microphone) check(ctx context.Context) error {
	if m.pastOBS {
		return m.checkSource(ctx)
	}
	unknown := slices.DeleteFunc(slices.Clone(m.seen.chosen), m.seen.has)
	if len(unknown) > 0 {
		return fmt.Errorf("OBS has no input %s, which --mic names; %s", quoted(unknown, " and no "), m.seen.microphoneNames())
	}
	if len(m.seen.mics()) == 0 {
		return errNoMic
	}
	return nil
}

// checkSource reports that the sound server does not have the source of --mic-source. Names with an @ stand for others.
func (m *microphone) checkSource(ctx context.Context) error {
	if time.Since(m.sourceLook) < sourceLook || strings.HasPrefix(m.source, "@") {
		return m.noSource
	}
	all, recording, err := m.sound.sources(ctx)
	if err != nil {
		return err
	}
	m.sourceLook, m.noSource = time.Now(), nil
	if !slices.Contains(all, m.source) {
		m.noSource = fmt.Errorf("the sound server has no source %q, which --mic-source names; plug it in, or choose one of those that it has: %s",
			m.source, quoted(recording, ", "))
	}
	return m.noSource
}

// quoted lists names.
func quoted(names []string, separator string) string {
	if len(names) == 0 {
		return "none"
	}
	var list []string
	for _, name := range names {
		list = append(list, strconv.Quote(name))
	}
	return strings.Join(list, separator)
}

// begin prepares a time on air. The peer hears nothing yet.
func (m *microphone) begin() {
	m.gate.reset()
	if !m.pastOBS {
		m.unheard.reset()
	}
}

// beginAnew is called after a standstill, when the delay of OBS's monitoring has grown.
func (m *microphone) beginAnew() { m.resync = make(map[string]time.Time) }

// note takes in events about microphones.
func (m *microphone) note(ev obsctl.Event) {
	switch e := ev.(type) {
	case obsctl.MuteChanged:
		m.gate.noted(e.Input)
		m.tell()
	case obsctl.MonitorTypeChanged:
		if m.byButton(e) {
			m.gate.noted(e.Input)
		}
		m.tell()
	}
}

// actAtOnce passes mutes and new names on to the gate; note follows for each event.
func (m *microphone) actAtOnce(ev obsctl.Event) {
	switch e := ev.(type) {
	case obsctl.MuteChanged:
		m.gate.mute(e.Input, e.Muted)
	case obsctl.MonitorTypeChanged:
		if m.byButton(e) {
			m.gate.button(e.Input)
		}
	case obsctl.InputRenamed:
		m.gate.rename(e.Old, e.New)
	}
}

// tell passes the state of the microphones, and of what is shared, to the gate.
func (m *microphone) tell() {
	m.gate.share(m.seen.shared)
	m.gate.set(m.seen.mics(), m.mutedMics(), m.seen.monitored)
}

// meter takes OBS's meters, and reports whether the viewers began or stopped hearing a microphone. It may be called from any
// goroutine.
func (m *microphone) meter(levels obsctl.Levels) (changed bool) {
	m.unheard.meter(levels, m.gate.awaited(), time.Now())
	return m.gate.meter(levels)
}

// monitor makes OBS play the microphones and what is shared, and nothing else, to our sink.
func (m *microphone) monitor(ctx context.Context) error {
	if m.pastOBS {
		return nil
	}
	mics := slices.DeleteFunc(m.seen.toPeer(), func(mic string) bool { return !m.seen.has(mic) })
	if err := m.noteMonitoring(ctx, mics); err != nil {
		return err
	}
	if err := m.setMonitors(ctx, mics); err != nil {
		return err
	}
	return m.routeMics(ctx, mics)
}

// setMonitors makes OBS monitor the microphones. Other inputs that are monitored and in the stream are not monitored while
// on air. Inputs that are only monitored, for the user's own ears, would come into the stream that way; routeMics keeps them
// away from our sink instead.
func (m *microphone) setMonitors(ctx context.Context, mics []string) error {
	for input, now := range m.seen.monitored {
		if !slices.Contains(mics, input) && now != obsctl.MonitorOnly {
			if err := m.setMonitor(ctx, input, obsctl.MonitorOff); err != nil {
				return err
			}
		}
	}
	for _, mic := range mics {
		if m.mutedByButton(mic) {
			if err := m.muteAsButton(ctx, mic); err != nil {
				return fmt.Errorf("mute of %q: %w", mic, err)
			}
		}
		if err := m.setMonitor(ctx, mic, m.wantMonitor(mic, mics)); err != nil {
			return err
		}
	}
	return nil
}

// wantMonitor is a microphone's monitoring type on air. A microphone is not monitored if that would remove it from the
// viewers' sound, and one that the viewers must not hear stays so.
func (m *microphone) wantMonitor(mic string, mics []string) obsctl.MonitorType {
	if m.seen.monitored[mic] == obsctl.MonitorOnly && !m.mutedByButton(mic) {
		return obsctl.MonitorOnly
	}
	if !m.safe() {
		return obsctl.MonitorOff
	}
	if closed := m.seen.muted[mic] && m.seen.version.MutedIsMonitored() || m.gate.isClosed(mic); closed && len(mics) > 1 {
		// Only all microphones together can be muted towards the peer.
		return obsctl.MonitorOff
	}
	return obsctl.MonitorAndOutput
}

// noteMonitoring notes what monitor, or OBS's mute button, is about to change.
func (m *microphone) noteMonitoring(ctx context.Context, mics []string) error {
	news := false
	for input, was := range m.seen.monitored {
		if !slices.Contains(mics, input) && was != obsctl.MonitorOnly || slices.Contains(mics, input) && was != m.wantMonitor(input, mics) || m.seen.version.MuteButtonMonitorsOnly() {
			news = m.ledger.noteMonitor(m.seen.collection, input, was) || news
		}
	}
	for _, mic := range mics {
		if _, on := m.seen.monitored[mic]; !on && m.wantMonitor(mic, mics) != obsctl.MonitorOff {
			news = m.ledger.noteMonitor(m.seen.collection, mic, obsctl.MonitorOff) || news
		}
	}
	if !news {
		return nil
	}
	return m.ledger.save(ctx)
}

func (m *microphone) setMonitor(ctx context.Context, input string, want obsctl.MonitorType) error {
	if m.seen.monitored[input] == want {
		return nil
	}
	if err := m.obs.SetMonitorType(ctx, input, want); err != nil {
		return fmt.Errorf("monitoring of %q: %w", input, err)
	}
	m.seen.setMonitored(input, want)
	m.tell()
	return nil
}

// routeMics makes sure that each monitored microphone plays to our sink without a growing delay, and that nothing else of
// OBS plays there: the sound server may remember where a stream was moved.
func (m *microphone) routeMics(ctx context.Context, mics []string) error {
	streams, err := m.sound.streamsOf(ctx, m.seen.pid)
	if err != nil {
		return err
	}
	ours, err := m.sound.ourSink(ctx, streams)
	if err != nil {
		return err
	}
	for _, mic := range mics {
		if m.seen.monitored[mic] == obsctl.MonitorOff {
			continue
		}
		stream, found := streams[mic]
		if !found {
			if err := m.reopenStream(ctx, mic); err != nil {
				return err
			}
			continue
		}
		delete(m.missing, mic)
		if err := m.toPeer(ctx, mic, stream, ours); err != nil {
			return err
		}
		if !slices.Contains(m.seen.shared, mic) {
			m.latency.Add(captureLatency+stream.Latency, latencySamples)
		}
		if err := m.watchLatency(ctx, mic, stream.Latency); err != nil {
			return err
		}
	}
	others := maps.Clone(streams)
	for _, mic := range mics {
		delete(others, mic)
	}
	return m.ears.returnAll(ctx, others, ours)
}

// toPeer moves a microphone's monitoring to our sink. OBS opens each stream elsewhere. A stream that another program keeps
// moving away is left there.
func (m *microphone) toPeer(ctx context.Context, mic string, stream pulse.SinkInput, ours int) error {
	if stream.Sink == ours {
		return nil
	}
	if !m.truce.mayMove(fmt.Sprint(mic, stream.Index), time.Now()) {
		return fmt.Errorf("another program moves what OBS monitors of %q away from %s again and again, so your friend does not hear it: "+
			"stop the program that moves streams (EasyEffects, pavucontrol), or configure it not to move OBS's streams", mic, ToPeerSink)
	}
	return m.sound.move(ctx, stream, ToPeerSink)
}

// reopenStream turns monitoring off and on if OBS has no stream for it. OBS does not open one by itself after the sound
// server was restarted or the sink was missing.
func (m *microphone) reopenStream(ctx context.Context, mic string) error {
	since, known := m.missing[mic]
	if !known {
		m.missing[mic] = time.Now()
		m.wakeLater(streamWithin)
		return nil
	}
	if time.Since(since) < streamWithin {
		return nil
	}
	delete(m.missing, mic)
	m.log.Info("OBS plays nothing to the monitoring device, opening it again", "input", mic)
	return m.toggleMonitor(ctx, mic)
}

// watchLatency resets monitoring whose delay has grown.
func (m *microphone) watchLatency(ctx context.Context, mic string, latency time.Duration) error {
	if latency < obsctl.MonitoringLate {
		m.slow[mic] = 0
		return nil
	}
	m.slow[mic]++
	if m.slow[mic] < lateTimes || time.Since(m.resync[mic]) < resyncPause {
		return nil
	}
	m.slow[mic], m.resync[mic] = 0, time.Now()
	m.log.Info("the delay of OBS's monitoring has grown, resetting it", "input", mic, "delay", latency)
	return m.toggleMonitor(ctx, mic)
}

// toggleMonitor turns monitoring off and on. It notes the old type first, because it may be interrupted in between.
func (m *microphone) toggleMonitor(ctx context.Context, mic string) error {
	was := m.seen.monitored[mic]
	if m.ledger.noteMonitor(m.seen.collection, mic, was) {
		if err := m.ledger.save(ctx); err != nil {
			return err
		}
	}
	if err := m.setMonitor(ctx, mic, obsctl.MonitorOff); err != nil {
		return err
	}
	if err := m.setMonitor(ctx, mic, was); err != nil {
		return err
	}
	m.wakeLater(settle)
	return nil
}

// checkHeard finds a microphone that OBS has sound of, while no sound arrives from OBS.
func (m *microphone) checkHeard(ctx context.Context) error {
	mics := slices.DeleteFunc(m.unheard.all(), func(mic string) bool { return !slices.Contains(m.gate.awaited(), mic) })
	if len(mics) == 0 {
		return nil
	}
	streams, err := m.sound.streamsOf(ctx, m.seen.pid)
	if err != nil {
		return err
	}
	stream, playing := streams[mics[0]]
	return unheardError(mics[0], stream, playing)
}

// unmonitor restores the monitoring of the inputs of this collection.
func (m *microphone) unmonitor(ctx context.Context) error {
	was := m.ledger.monitorOf(m.seen.collection)
	if len(was) == 0 {
		return nil
	}
	for input, t := range was {
		var err error
		if t != obsctl.MonitorOnly && m.seen.version.MuteButtonMonitorsOnly() {
			err = m.muteAsButton(ctx, input)
		}
		if err == nil {
			err = m.obs.SetMonitorType(ctx, input, t)
		}
		if err != nil && !obsctl.IsCode(err, obsctl.CodeNotFound) {
			return fmt.Errorf("monitoring of %q: %w", input, err)
		}
		m.ledger.forgetMonitor(m.seen.collection, input)
	}
	m.seen.askInputs = true
	m.missing, m.slow = make(map[string]time.Time), make(map[string]int)
	return m.ledger.save(ctx)
}

// The mute button of OBS 32.1.x does not mute an input that is monitored and streamed. It sets it to "monitor only": the
// viewers stop hearing it, the peer would not. So we mute the microphone as every other version does. Then the other
// microphones are still heard, and this one does not return to the stream when we end its monitoring.

// byButton reports whether an event may come from that button.
func (m *microphone) byButton(e obsctl.MonitorTypeChanged) bool {
	return e.Type == obsctl.MonitorOnly && m.seen.version.MuteButtonMonitorsOnly()
}

// mutedByButton reports whether a microphone is at "monitor only", which it was not before we monitored it.
func (m *microphone) mutedByButton(mic string) bool {
	was, noted := m.ledger.Monitor[m.seen.collection][mic]
	return noted && was != obsctl.MonitorOnly && m.seen.monitored[mic] == obsctl.MonitorOnly &&
		m.seen.version.MuteButtonMonitorsOnly()
}

// mutedMics reports for each microphone whether the user muted it, in either way; nil while unknown.
func (m *microphone) mutedMics() map[string]bool {
	muted := maps.Clone(m.seen.muted)
	for mic := range muted {
		muted[mic] = muted[mic] || m.mutedByButton(mic)
	}
	return muted
}

// muteAsButton mutes an input that the button set to "monitor only". It asks OBS again, because the user may have clicked
// once more.
func (m *microphone) muteAsButton(ctx context.Context, input string) error {
	now, err := m.obs.MonitorType(ctx, input)
	if err != nil {
		return err
	}
	m.seen.setMonitored(input, now)
	if now != obsctl.MonitorOnly {
		return nil
	}
	if err := m.obs.SetInputMuted(ctx, input, true); err != nil {
		return err
	}
	if m.seen.muted != nil {
		m.seen.muted[input] = true // The event may come after this round.
	}
	return nil
}
