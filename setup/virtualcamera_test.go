// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"testing"

	"github.com/costream-obs/costream-obs/internal/v4l2/v4l2test"
)

func TestPickVirtualCamera(t *testing.T) {
	nodes, err := machine(t, "0.12.7", v4l2test.Webcam(0), v4l2test.Written(3, 700), v4l2test.Free(10), v4l2test.Free(11)).video().Nodes()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		needsOutput, refusesSecond bool
		want                       string
	}{
		{false, false, "/dev/video3"},
		{true, false, "/dev/video10"},
		{false, true, "/dev/video10"},
	} {
		got, ok := PickVirtualCamera(nodes, test.needsOutput, test.refusesSecond)
		if !ok || got.Path != test.want {
			t.Errorf("needs output %t, second writer refused %t: got %s, want %s", test.needsOutput, test.refusesSecond, got.Path, test.want)
		}
	}
	if got, ok := PickVirtualCamera(nodes[:1], false, false); ok {
		t.Errorf("a webcam alone: got %s, want none", got.Path)
	}
}
