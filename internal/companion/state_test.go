// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReporterSaysOnlyWhatIsNew(t *testing.T) {
	var got []State
	r := &reporter{out: func(report Report) { got = append(got, report.State) }}
	for _, report := range []Report{
		{State: Waiting},
		{State: Waiting},
		{State: Ready},
		{State: Ready, Problems: []string{"no microphone"}},
		{State: Ready, Problems: []string{"no microphone"}},
		{State: Ready},
		{State: OnAir, Bitrate: 3000},
		{State: OnAir, Bitrate: 3500},
		{State: OnAir, Bitrate: 2300},
		{State: OnAir, Bitrate: 1700},
	} {
		r.report(report)
	}
	if diff := cmp.Diff([]State{Waiting, Ready, Ready, Ready, OnAir, OnAir}, got); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
	if r.current().State != OnAir {
		t.Errorf("current state: got %q, want %q", r.current().State, OnAir)
	}
}
