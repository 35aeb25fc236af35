// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/control"
)

func TestReporterSaysOnlyWhatIsNew(t *testing.T) {
	var got []control.State
	r := &reporter{out: func(report control.Report) { got = append(got, report.State) }}
	for _, report := range []control.Report{
		{State: control.Waiting},
		{State: control.Waiting},
		{State: control.Ready},
		{State: control.Ready, Problems: []string{"no microphone"}},
		{State: control.Ready, Problems: []string{"no microphone"}},
		{State: control.Ready},
		{State: control.OnAir, Bitrate: 3000},
		{State: control.OnAir, Bitrate: 3500},
		{State: control.OnAir, Bitrate: 2300},
		{State: control.OnAir, Bitrate: 1700},
	} {
		r.report(report)
	}
	if diff := cmp.Diff([]control.State{control.Waiting, control.Ready, control.Ready, control.Ready, control.OnAir, control.OnAir}, got); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
	if r.current().State != control.OnAir {
		t.Errorf("current state: got %q, want %q", r.current().State, control.OnAir)
	}
}

func TestReportIsOneLine(t *testing.T) {
	r := reporter{out: func(control.Report) {}}
	r.report(control.Report{State: control.OnAir, Detail: "portable route, because:\none is missing\ntwo is missing"})
	if got, want := r.current().Detail, "portable route, because:; one is missing; two is missing"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestReportsThatPeerIsGone: the problems stay, and who has no peer loses none.
func TestReportsThatPeerIsGone(t *testing.T) {
	var got []control.Report
	r := &reporter{out: func(report control.Report) {
		report.Time = time.Time{}
		got = append(got, report)
	}}
	with := control.Report{State: control.OnAirWithPeer, Problems: []string{"no microphone"}}
	without := with
	without.State = control.OnAir
	r.report(with)
	r.waitsForPeer()
	r.waitsForPeer()
	r.report(control.Report{State: control.Ready})
	r.waitsForPeer()
	if diff := cmp.Diff([]control.Report{with, without, {State: control.Ready}}, got); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
}
