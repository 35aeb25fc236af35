// SPDX-License-Identifier: Apache-2.0

package obsctl_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/obsctl"
)

const toPeer = "load-module module-null-sink sink_name=costream_topeer sink_properties=device.description=CoStreamToPeer"

// sinkExists asks the private sound server.
func sinkExists(p *testbed.Pulse) func(context.Context, string) (bool, error) {
	return func(_ context.Context, sink string) (bool, error) {
		for line := range strings.Lines(p.Pactl("list", "short", "sinks")) {
			if fields := strings.Fields(line); len(fields) > 1 && fields[1] == sink {
				return true, nil
			}
		}
		return false, nil
	}
}

// profileFile is the user's basic.ini without the two lines that are set, and
// without the section for browser panels, which OBS adds by itself the first
// time that a profile is left.
func profileFile(t *testing.T, obs *testbed.OBS) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(obs.Config, "obs-studio/basic/profiles/Untitled/basic.ini"))
	check(t, err)
	text, _, _ := strings.Cut(string(data), "[Panels]")
	var kept strings.Builder
	for line := range strings.Lines(strings.TrimSpace(text)) {
		if !strings.HasPrefix(line, "MonitoringDevice") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// checkHome fails unless OBS is on the user's profile and nothing of the
// temporary one is left.
func checkHome(t *testing.T, c *obsctl.Client, obs *testbed.OBS, monitored map[string]obsctl.MonitorType) {
	t.Helper()
	current, all, err := c.Profiles(t.Context())
	check(t, err)
	if diff := cmp.Diff([]string{"Untitled"}, all); current != "Untitled" || diff != "" {
		t.Errorf("profiles: got current %q, all (-want +got):\n%s", current, diff)
	}
	if _, err := os.Stat(filepath.Join(obs.Config, "obs-studio/basic/profiles", obsctl.TempProfile)); err == nil {
		t.Error("the temporary profile's directory is still there")
	}
	if diff := cmp.Diff(monitored, must[map[string]obsctl.MonitorType](t)(c.Monitored(t.Context()))); diff != "" {
		t.Errorf("monitored (-want +got):\n%s", diff)
	}
	repaired, err := c.RepairProfile(t.Context(), "")
	if repaired || err != nil {
		t.Errorf("RepairProfile with nothing to do: got %v, %v, want false, nil", repaired, err)
	}
}

// TestRealMonitoringDevice: the microphone's tone reaches the sink without a
// restart of OBS, whatever its sample rate, and the profile is as before.
func TestRealMonitoringDevice(t *testing.T) {
	testbed.Need(t)
	for _, rate := range []int{48000, 44100} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			pulse := testbed.NewPulse(t, toPeer)
			obs := testbed.StartOBS(t, testbed.OBSOptions{Pulse: pulse, SampleRate: rate})
			c := findAndDial(t, obs)
			check(t, c.SetMonitorType(t.Context(), "Mic/Aux", obsctl.MonitorAndOutput))
			monitored := map[string]obsctl.MonitorType{"Mic/Aux": obsctl.MonitorAndOutput}
			original := must[obsctl.MonitoringDevice](t)(c.MonitoringDevice(t.Context()))
			before := profileFile(t, obs)
			stop := pulse.PlayTone(testbed.MicrophoneSink, testbed.Tone{Hz: 1000})
			defer stop()

			device := obsctl.MonitoringDeviceFor(c.Version(), "costream_topeer", "CoStreamToPeer")
			for range 2 { // the second time there is nothing to change
				began := time.Now()
				check(t, c.ApplyMonitoringDevice(t.Context(), device, sinkExists(pulse)))
				t.Logf("applied in %v", time.Since(began).Round(time.Millisecond))
				checkHome(t, c, obs, monitored)
			}
			if got := must[obsctl.MonitoringDevice](t)(c.MonitoringDevice(t.Context())); got != device {
				t.Errorf("device: got %+v, want %+v", got, device)
			}
			level := func(source string) func() error {
				return func() error {
					if got := testbed.ToneLevel(pulse.Record(source, 300*time.Millisecond), 1000); got < 0.1 {
						return fmt.Errorf("1 kHz on %s: got %.3f, want at least 0.1", source, got)
					}
					return nil
				}
			}
			testbed.Await(t, "the tone on the way to the peer", 10*time.Second, level("costream_topeer.monitor"))

			check(t, c.ApplyMonitoringDevice(t.Context(), original, sinkExists(pulse)))
			checkHome(t, c, obs, monitored)
			testbed.Await(t, "the tone back where it was", 10*time.Second, level("default_out.monitor"))
			if diff := cmp.Diff(before, profileFile(t, obs)); diff != "" {
				t.Errorf("basic.ini (-want +got):\n%s", diff)
			}
			if got := must[obsctl.MonitoringDevice](t)(c.MonitoringDevice(t.Context())); got != original {
				t.Errorf("device afterwards: got %+v, want %+v", got, original)
			}

			err := c.ApplyMonitoringDevice(t.Context(),
				obsctl.MonitoringDeviceFor(c.Version(), "nowhere", ""), sinkExists(pulse))
			if !errors.Is(err, obsctl.ErrNoSuchSink) {
				t.Errorf("a sink that does not exist: got error %v, want ErrNoSuchSink", err)
			}
			if got := must[obsctl.MonitoringDevice](t)(c.MonitoringDevice(t.Context())); got != original {
				t.Errorf("device after the refusal: got %+v, want %+v", got, original)
			}
		})
	}
}

// TestRealRepairProfile: whenever the connection breaks within the sequence,
// the next one puts everything right, at a sample rate at which OBS would ask
// "Restart?" if the temporary profile were left as it is.
func TestRealRepairProfile(t *testing.T) {
	testbed.Need(t)
	pulse := testbed.NewPulse(t, toPeer)
	obs := testbed.StartOBS(t, testbed.OBSOptions{Pulse: pulse, SampleRate: 44100})
	monitored := map[string]obsctl.MonitorType{"Mic/Aux": obsctl.MonitorAndOutput}
	check(t, findAndDial(t, obs).SetMonitorType(t.Context(), "Mic/Aux", obsctl.MonitorAndOutput))

	for _, cut := range []obsctl.Event{
		obsctl.MonitorTypeChanged{Input: "Mic/Aux", Type: obsctl.MonitorOff},
		obsctl.ProfileChanging{},
		obsctl.ProfileChanged{Name: obsctl.TempProfile},
		obsctl.ProfileChanged{Name: "Untitled"},
		obsctl.MonitorTypeChanged{Input: "Mic/Aux", Type: obsctl.MonitorAndOutput},
	} {
		t.Run(fmt.Sprintf("cut at %#v", cut), func(t *testing.T) {
			c := findAndDial(t, obs)
			device := obsctl.MonitoringDeviceFor(c.Version(), "costream_topeer", "CoStreamToPeer")
			ended := make(chan error, 1)
			go func() { ended <- c.ApplyMonitoringDevice(t.Context(), device, sinkExists(pulse)) }()
			awaitEvent(t, c, cut)
			_ = c.Close()
			err := <-ended

			next := findAndDial(t, obs)
			repaired, repairErr := next.RepairProfile(t.Context(), "")
			t.Logf("cut off: %v; repaired: %v", err, repaired)
			check(t, repairErr)
			checkHome(t, next, obs, monitored)
		})
	}
	t.Run("nothing written down", func(t *testing.T) {
		obs.Request("CreateProfile", testbed.D{"profileName": obsctl.TempProfile}, nil)
		obs.Request("SetProfileParameter", testbed.D{"parameterCategory": "Audio", "parameterName": "SampleRate", "parameterValue": "44100"}, nil)
		c := findAndDial(t, obs)
		err := c.ApplyMonitoringDevice(t.Context(), obsctl.MonitoringDevice{ID: "default"}, nil)
		if !errors.Is(err, obsctl.ErrTempProfile) {
			t.Errorf("ApplyMonitoringDevice on the temporary profile: got error %v, want ErrTempProfile", err)
		}
		if repaired := must[bool](t)(c.RepairProfile(t.Context(), "Untitled")); !repaired {
			t.Error("RepairProfile: got false, want true")
		}
		checkHome(t, c, obs, monitored)
	})
}
