// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/internal/v4l2/v4l2test"
)

// machine is one with these nodes. Version is that of the loaded v4l2loopback.
func machine(t *testing.T, version string, nodes ...v4l2test.Node) Machine {
	t.Helper()
	s := v4l2test.System(t, nodes...)
	if version != "" {
		v4l2test.Write(t, version+"\n", s.Root, "sys", "module", "v4l2loopback", "version")
	}
	return Machine{Root: s.Root, query: s.Query}
}

func TestCheckPair(t *testing.T) {
	const me, obs, stranger = 500, 600, 700
	for _, test := range []struct {
		name        string
		version     string
		nodes       []v4l2test.Node
		needsOutput bool
		refused     bool
		want        error
		text        string // must be in the message
	}{
		{name: "both free", version: "0.12.7", nodes: []v4l2test.Node{v4l2test.Webcam(0), v4l2test.Free(10), v4l2test.Free(11)}},
		{name: "ours write", version: "0.12.7", nodes: []v4l2test.Node{v4l2test.Written(10, obs), v4l2test.Written(11, me)}},
		{name: "not exclusive", version: "0.12.7", nodes: []v4l2test.Node{
			v4l2test.Both(10), v4l2test.Both(11)}},
		{name: "module not loaded", nodes: []v4l2test.Node{v4l2test.Webcam(0)}, want: ErrNoDevice,
			text: "make it with: costream-obs setup"},
		{name: "other numbers", version: "0.12.7", nodes: []v4l2test.Node{v4l2test.Free(0), v4l2test.Free(1)}, want: ErrNoDevice, text: "loaded with other devices; close what uses them, then: costream-obs setup"},
		{name: "only one", version: "0.12.7", nodes: []v4l2test.Node{v4l2test.Free(10)}, want: ErrNoDevice, text: "/dev/video11"},
		{name: "other driver", nodes: []v4l2test.Node{v4l2test.Webcam(10), v4l2test.Webcam(11)}, want: ErrNotLoopback, text: `/dev/video10 ("Webcam")`},
		{name: "no permission", version: "0.12.7", nodes: []v4l2test.Node{v4l2test.Denied(10), v4l2test.Denied(11)}, want: ErrNoAccess, text: "usermod -aG video"},
		{name: "stranger writes to out", version: "0.12.7", nodes: []v4l2test.Node{v4l2test.Written(10, stranger), v4l2test.Free(11)}, want: ErrWritten, text: "writer (process 700)"},
		{name: "stranger writes to in", version: "0.12.7", nodes: []v4l2test.Node{v4l2test.Free(10), v4l2test.Written(11, stranger)}, want: ErrWritten, text: "/dev/video11"},
		{name: "another user's writer", version: "0.12.7", nodes: []v4l2test.Node{v4l2test.Free(10), v4l2test.Written(11)}, want: ErrWritten, text: "another user"},
		{name: "lower loopback", version: "0.12.7", nodes: []v4l2test.Node{v4l2test.Free(3), v4l2test.Free(10), v4l2test.Free(11)}, want: ErrOtherFirst, text: `/dev/video3 ("loop3") comes before /dev/video10`},
		{name: "lower loopback by number, not by text", version: "0.12.7", nodes: []v4l2test.Node{v4l2test.Free(9), v4l2test.Free(10), v4l2test.Free(11)}, want: ErrOtherFirst},
		{name: "higher loopback", version: "0.12.7", nodes: []v4l2test.Node{v4l2test.Free(10), v4l2test.Free(11), v4l2test.Free(12)}},
		{name: "lower loopback in use, second writers let in", version: "0.12.7", nodes: []v4l2test.Node{v4l2test.Written(3, stranger), v4l2test.Free(10), v4l2test.Free(11)}, want: ErrOtherFirst},
		{name: "lower loopback in use, second writers refused", version: "0.15.3", nodes: []v4l2test.Node{v4l2test.Written(3, stranger), v4l2test.Free(10), v4l2test.Free(11)}},
		{name: "lower loopback in use, newer OBS", version: "0.12.7", needsOutput: true, nodes: []v4l2test.Node{v4l2test.Written(3, stranger), v4l2test.Free(10), v4l2test.Free(11)}},
		{name: "OBS before 31.0.4, newer module", version: "0.15.0", refused: true, nodes: []v4l2test.Node{v4l2test.Free(10), v4l2test.Free(11)}, want: ErrRefused, text: "update OBS"},
		{name: "OBS before 31.0.4, older module", version: "0.13.2", refused: true, nodes: []v4l2test.Node{v4l2test.Free(10), v4l2test.Free(11)}},
		{name: "lower loopback that nobody may open", version: "0.12.7", nodes: []v4l2test.Node{v4l2test.Denied(3), v4l2test.Free(10), v4l2test.Free(11)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := machine(t, test.version, test.nodes...).CheckPair(PairOptions{
				Out: "/dev/video10", In: "/dev/video11", NeedsOutput: test.needsOutput, Refused: test.refused, Ours: []int{me, obs}})
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("error: got %v, want %v", err, test.want)
			}
			if err != nil && !strings.Contains(err.Error(), test.text) {
				t.Errorf("message: got %q, want one with %q", err, test.text)
			}
		})
	}
}
