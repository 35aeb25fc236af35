// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestRealStoppedAtAnyTime: wherever Ctrl-C catches a companion on its way on air, OBS is as it was before, and
// nothing is left for the next one to undo.
func TestRealStoppedAtAnyTime(t *testing.T) {
	testbed.Need(t)
	alice := e2e.NewPerson(t, e2e.Alice(), testbed.NewDisplay(t))
	nobody := &e2e.Person{PersonOptions: e2e.Bob(), Address: testbed.LoopbackAddress(t)}
	for input, monitored := range map[string]string{"Desktop Audio": "MONITOR_AND_OUTPUT", "Mic/Aux": "MONITOR_ONLY"} {
		alice.OBS.Request("SetInputAudioMonitorType", testbed.D{"inputName": input, "monitorType": "OBS_MONITORING_TYPE_" + monitored}, nil)
	}
	before, err := observe(alice)
	if err != nil {
		t.Fatal(err)
	}
	reached := map[string]int{} // by state
	for _, feed := range []bool{false, true} {
		for delay := time.Duration(0); delay < 250*time.Millisecond; delay += 20 * time.Millisecond {
			name := fmt.Sprintf("after %v, clean feed %t", delay, feed)
			companion := alice.Run(binary, nobody, "--when=always", fmt.Sprintf("--clean-feed=%t", feed))
			companion.AwaitSince(0, e2e.Waiting, readyLimit)
			select {
			case <-time.After(delay):
			case <-t.Context().Done():
			}
			state := companion.Last().State
			reached[state]++
			companion.Stop()
			after, err := observe(alice)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Fatalf("stopped %s, when %s: OBS (-before +after):\n%s", name, state, diff)
			}
			var noted struct{ SlotValue string }
			alice.OBS.Request("GetPersistentData", testbed.D{"realm": "OBS_WEBSOCKET_DATA_REALM_GLOBAL", "slotName": "costream-obs.changes"}, &noted)
			if noted.SlotValue != "" && noted.SlotValue != "{}" {
				t.Fatalf("stopped %s, when %s: the next companion would undo %s", name, state, noted.SlotValue)
			}
		}
	}
	t.Logf("stopped so often when: %v", reached)
	if reached[e2e.Waiting] == 0 || reached[e2e.OnAir] == 0 {
		t.Errorf("got %v, want it to be stopped at first and on air, too", reached)
	}
}
