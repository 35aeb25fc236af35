// SPDX-License-Identifier: Apache-2.0

package control

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/problem"
)

func TestProblemText(t *testing.T) {
	for text, want := range map[string]string{
		"it does not answer":              "control socket: it does not answer",
		"control socket: address in use":  "control socket: address in use",
		"the control socket: cannot bind": "control socket: the control socket: cannot bind",
		"two\nlines\n":                    "control socket: two; lines",
	} {
		if got := problemText("control socket", errors.New(text)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestReportTellsProblemsWithTheirCodes(t *testing.T) {
	var r Report
	r.SetProblems(map[problem.Code]error{problem.Link: errors.New("port taken"), problem.OurPicture: errors.New("no camera")})
	want := Report{
		Problems: []string{"OBS's picture: no camera", "link: port taken"},
		Codes:    []problem.Code{problem.OurPicture, problem.Link},
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	r.SetProblems(map[problem.Code]error{
		problem.Link: errors.New("port taken"), problem.Friend: errors.New("nothing arrives"), problem.PeerSource: errors.New("locked"), problem.PeerMute: errors.New("locked"),
	})
	want = Report{
		Problems: []string{"peer source: locked", "link: port taken"},
		Codes:    []problem.Code{problem.PeerSource, problem.Link},
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("what others explain (-want +got):\n%s", diff)
	}
}
