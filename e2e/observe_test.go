// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// observed is what a user finds in OBS and must find again off air.
type observed struct {
	Items      map[string][]e2e.Item // by scene
	Monitoring map[string]string     // the monitoring type of each input with sound
	Muted      map[string]bool
	Device     string // the monitoring device in the profile
	Profile    string
	Profiles   []string
	Collection string
}

func observe(p *e2e.Person) (observed, error) {
	o := observed{Items: map[string][]e2e.Item{}, Monitoring: map[string]string{}, Muted: map[string]bool{}}
	var failed error
	ask := func(request string, data testbed.D, into any) {
		if failed == nil {
			failed = p.OBS.TryRequest(request, data, into)
		}
	}
	var scenes struct{ Scenes []struct{ SceneName string } }
	ask("GetSceneList", nil, &scenes)
	for _, s := range scenes.Scenes {
		items, err := p.Items(s.SceneName)
		if err != nil {
			return o, err
		}
		o.Items[s.SceneName] = items
	}
	var inputs struct {
		Inputs []struct{ InputName, InputKind string }
	}
	ask("GetInputList", nil, &inputs)
	for _, in := range inputs.Inputs {
		if in.InputKind == "color_source_v3" {
			continue // has no sound
		}
		var monitor struct{ MonitorType string }
		var mute struct{ InputMuted bool }
		ask("GetInputAudioMonitorType", testbed.D{"inputName": in.InputName}, &monitor)
		ask("GetInputMute", testbed.D{"inputName": in.InputName}, &mute)
		o.Monitoring[in.InputName], o.Muted[in.InputName] = monitor.MonitorType, mute.InputMuted
	}
	var device struct{ ParameterValue, DefaultParameterValue string }
	ask("GetProfileParameter", testbed.D{"parameterCategory": "Audio", "parameterName": "MonitoringDeviceId"}, &device)
	o.Device = fmt.Sprintf("%s (default %s)", device.ParameterValue, device.DefaultParameterValue)
	var profiles struct {
		CurrentProfileName string
		Profiles           []string
	}
	ask("GetProfileList", nil, &profiles)
	o.Profile, o.Profiles = profiles.CurrentProfileName, profiles.Profiles
	var collections struct{ CurrentSceneCollectionName string }
	ask("GetSceneCollectionList", nil, &collections)
	o.Collection = collections.CurrentSceneCollectionName
	return o, failed
}

// asBefore returns nil when a person's OBS is as it was.
func asBefore(p *e2e.Person, before observed) error {
	now, err := observe(p)
	if err != nil {
		return err
	}
	if diff := cmp.Diff(before, now); diff != "" {
		return errors.New("OBS (-before +now):\n" + diff)
	}
	return nil
}

// awaitAsBefore returns when a person's OBS is as it was.
func awaitAsBefore(t *testing.T, p *e2e.Person, before observed) {
	t.Helper()
	testbed.Await(t, p.Name+"'s OBS is as before", offAirLimit, func() error { return asBefore(p, before) })
}

// wantAsBefore fails the test unless OBS is as it was, with nothing left for the next companion to undo.
func wantAsBefore(t *testing.T, p *e2e.Person, before observed, when string) {
	t.Helper()
	if err := asBefore(p, before); err != nil {
		t.Fatalf("stopped %s: %v", when, err)
	}
	var noted struct{ SlotValue string }
	p.OBS.Request("GetPersistentData", testbed.D{"realm": "OBS_WEBSOCKET_DATA_REALM_GLOBAL", "slotName": "costream-obs.changes"}, &noted)
	if noted.SlotValue != "" && noted.SlotValue != "{}" {
		t.Fatalf("stopped %s: the next companion would undo %s", when, noted.SlotValue)
	}
}
