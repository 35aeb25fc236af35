// SPDX-License-Identifier: Apache-2.0

package obsctl_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/obsctl"
)

// TestRealDeduplication: what OBS monitors is in its stream where OBS was kept from removing it, and everything is as
// before afterwards.
func TestRealDeduplication(t *testing.T) {
	testbed.Need(t)
	const (
		mic       = "Mic/Aux"
		desktop   = "Desktop Audio"
		elsewhere = "elsewhere"
	)
	pulse := testbed.NewPulse(t, "load-module module-null-sink sink_name="+elsewhere)
	obs := testbed.StartOBS(t, testbed.OBSOptions{Pulse: pulse})
	rtmp := testbed.NewRTMP(t)
	obs.StreamTo(rtmp)
	c := findAndDial(t, obs)
	tone := testbed.Tone{Hz: 700, Volume: 0.3}
	t.Cleanup(pulse.PlayTone(testbed.MicrophoneSink, tone))
	log := obsctl.DeduplicationLog{PID: obs.PID()}

	heard := func() bool {
		t.Helper()
		obs.StartStream()
		time.Sleep(2 * time.Second) // what is listened to
		obs.StopStream()
		files := rtmp.Recordings()
		rtmp.AwaitListening()
		return testbed.ToneLevel(rtmp.Sound(files[len(files)-1]), tone.Hz) > tone.Volume/4
	}
	expect := func(when string, want bool, logged obsctl.Deduplication) {
		t.Helper()
		if got := heard(); got != want {
			t.Errorf("%s: viewers hear the microphone: got %v, want %v", when, got, want)
		}
		if got, err := log.Read(); err != nil || got != logged {
			t.Errorf("%s: OBS's log: got %v, %v, want %v", when, got, err, logged)
		}
	}
	before := must[map[string]any](t)(c.InputSettings(t.Context(), desktop))
	items := must[[]obsctl.SceneItem](t)(c.SceneItems(t.Context(), testbed.Scene))

	check(t, c.SetMonitorType(t.Context(), mic, obsctl.MonitorAndOutput))
	// What Desktop Audio captures must not have the microphone in it.
	testbed.Await(t, "OBS's monitoring plays elsewhere", 5*time.Second, func() error {
		for stream := range strings.Lines(pulse.Pactl("list", "short", "sink-inputs")) {
			if fields := strings.Fields(stream); fields[1] == sinkIndex(pulse, testbed.Headphones) {
				pulse.Pactl("move-sink-input", fields[0], elsewhere)
				return nil
			}
		}
		return errors.New("OBS has no stream")
	})
	if !c.Version().Deduplicates() {
		expect("monitored", true, obsctl.DeduplicationUnmentioned)
		return
	}
	expect("monitored", false, obsctl.DeduplicationOn)
	for range 2 {
		check(t, c.StopDeduplication(t.Context(), testbed.Scene))
	}
	expect("stopped", true, obsctl.DeduplicationOff)

	inputs := must[[]obsctl.Input](t)(c.Inputs(t.Context()))
	captures := must[map[string]map[string]any](t)(c.MonitoringCaptures(t.Context(), inputs, testbed.Headphones))
	if diff := cmp.Diff(map[string]map[string]any{desktop: before}, captures); diff != "" {
		t.Fatalf("captures of the monitoring device (-want +got):\n%s", diff)
	}
	check(t, c.ResumeDeduplication(t.Context(), desktop, captures[desktop]))
	check(t, c.RemoveProbe(t.Context()))
	expect("resumed", false, obsctl.DeduplicationOn)

	if diff := cmp.Diff(before, must[map[string]any](t)(c.InputSettings(t.Context(), desktop))); diff != "" {
		t.Errorf("settings of %q (-before +after):\n%s", desktop, diff)
	}
	if diff := cmp.Diff(items, must[[]obsctl.SceneItem](t)(c.SceneItems(t.Context(), testbed.Scene))); diff != "" {
		t.Errorf("items of the scene (-before +after):\n%s", diff)
	}
}

// sinkIndex is the number of a sink.
func sinkIndex(p *testbed.Pulse, sink string) string {
	for line := range strings.Lines(p.Pactl("list", "short", "sinks")) {
		if fields := strings.Fields(line); fields[1] == sink {
			return fields[0]
		}
	}
	return ""
}
