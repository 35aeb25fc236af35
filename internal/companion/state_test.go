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
	} {
		r.report(report)
	}
	if diff := cmp.Diff([]State{Waiting, Ready, Ready, Ready}, got); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
	if r.current().State != Ready {
		t.Errorf("current state: got %q, want %q", r.current().State, Ready)
	}
}
