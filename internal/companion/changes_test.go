// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/obsctl"
)

func TestChangesKeepWhatTheUserHad(t *testing.T) {
	var c changes
	if !c.noteMonitor("Games", "Mic", obsctl.MonitorOff) {
		t.Error("the first note of an input is no news, want news")
	}
	if c.noteMonitor("Games", "Mic", obsctl.MonitorAndOutput) {
		t.Error("a second note of an input is news, but what came later was ours")
	}
	c.noteMonitor("Games", "Music", obsctl.MonitorOnly)
	c.noteMonitor("Talk", "Mic", obsctl.MonitorAndOutput)

	if !c.renameInput("Games", "Music", "Radio") {
		t.Error("renaming a noted input is no news, want news")
	}
	if c.renameInput("Games", "Camera", "Webcam") {
		t.Error("renaming an input that was never noted is news, want none")
	}
	want := map[string]obsctl.MonitorType{"Mic": obsctl.MonitorOff, "Radio": obsctl.MonitorOnly}
	if diff := cmp.Diff(want, c.monitorOf("Games")); diff != "" {
		t.Errorf("noted for Games (-want +got):\n%s", diff)
	}

	c.forgetMonitor("Games", "Mic")
	c.forgetMonitor("Games", "Radio")
	if got := c.monitorOf("Games"); len(got) != 0 {
		t.Errorf("after all was forgotten Games still has %v", got)
	}
	if diff := cmp.Diff(map[string]obsctl.MonitorType{"Mic": obsctl.MonitorAndOutput}, c.monitorOf("Talk")); diff != "" {
		t.Errorf("another collection was touched (-want +got):\n%s", diff)
	}
}
