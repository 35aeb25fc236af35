// SPDX-License-Identifier: Apache-2.0

package checks_test

import (
	"testing"

	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/doctor/checks"
	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/obsctl"
)

// TestSettled: what a costream-obs on air is about to put right is told only if it stays wrong.
func TestSettled(t *testing.T) {
	const mic, others, viewers = "audio.monitor.inputs", "audio.monitor.peer", "audio.viewers"
	well := func(*fixture) {}
	elsewhere := func(f *fixture) { f.stream(func(s *pulse.SinkInput) { s.Sink = 0 }) }
	silent := func(f *fixture) { f.sound.SinkInputs = nil }
	monitored := func(f *fixture) {
		f.change("Desktop Audio", func(in *checks.Input) { in.Monitor = obsctl.MonitorAndOutput })
	}
	removed := func(f *fixture) { f.deduplicates("32.2.2") }
	offAir := func(f *fixture) { f.offAir(); monitored(f) }
	for _, test := range []struct {
		name   string
		id     string
		looks  []func(*fixture)
		status doctor.Status
		detail string
	}{
		{"opened anew, then moved", mic, []func(*fixture){silent, elsewhere, well}, doctor.OK, "it plays to costream_topeer"},
		{"never moved", mic, []func(*fixture){silent, elsewhere, elsewhere}, doctor.Fail, "OBS plays Mic/Aux to default_out, not to costream_topeer."},
		{"monitored for a moment", others, []func(*fixture){monitored, well}, doctor.OK, ""},
		{"left out of the stream for a moment", viewers, []func(*fixture){removed, well}, doctor.OK, "OBS 29.0.2 streams what it monitors"},
		{"left out of the stream", viewers, []func(*fixture){removed, removed}, doctor.Fail, "OBS 32.2.2 leaves Mic/Aux out of your stream."},
		{"goes off air meanwhile", others, []func(*fixture){monitored, offAir, well}, doctor.Fail, "Desktop Audio is monitored in OBS (monitor and output)."},
		{"nobody is there to mend it", others, []func(*fixture){offAir, well}, doctor.Fail, "Desktop Audio is monitored in OBS (monitor and output)."},
	} {
		t.Run(test.name, func(t *testing.T) {
			var first, last *fixture
			for _, change := range test.looks {
				f := healthy(t)
				change(f)
				if last == nil {
					first = f
				} else {
					last.later = f
				}
				last = f
			}
			got := first.look(t)[test.id]
			if got.Status != test.status || got.Detail != test.detail {
				t.Errorf("got %s %q, want %s %q", got.Status, got.Detail, test.status, test.detail)
			}
		})
	}
}
