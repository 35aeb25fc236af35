// SPDX-License-Identifier: Apache-2.0

package checks_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/companion"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/doctor/checks"
	"github.com/costream-obs/costream-obs/internal/golden"
	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/obsctl"
)

// patient is a real OBS with a real sound server, looked at by doctor. Whether
// a costream-obs is on air is told by the test.
type patient struct {
	pulse  *testbed.Pulse
	obs    *testbed.OBS
	daemon checks.Daemon
	find   obsctl.FindOptions
	ports  int
}

func newPatient(t *testing.T, o testbed.OBSOptions) *patient {
	t.Helper()
	p := &patient{pulse: testbed.NewPulse(t), ports: testbed.FreeUDPPorts(t, 8)}
	o.Pulse = p.pulse
	p.obs = testbed.StartOBS(t, o)
	p.find = obsctl.FindOptions{Home: p.obs.Home, XDGConfigHome: p.obs.Config}
	t.Setenv("PULSE_SERVER", p.pulse.Server)
	return p
}

func (p *patient) machine() *checks.Machine {
	m := checks.New(checks.Options{
		Route: "portable", VideoOut: "/dev/video10", VideoIn: "/dev/video11", SourceName: "Peer", BasePort: p.ports,
		FindOBS:       func() (obsctl.Endpoint, error) { return obsctl.Find(p.find) },
		ControlSocket: filepath.Join(p.obs.Home, "costream-obs.sock"), // Nobody listens there.
	})
	m.Daemon = func(context.Context) (checks.Daemon, error) { return p.daemon, nil }
	m.Later = func(context.Context) *checks.Machine { return nil } // Nobody mends anything here.
	return m
}

func (p *patient) look(t *testing.T, only ...string) doctor.Report {
	t.Helper()
	table := checks.All(p.machine())
	chosen, err := doctor.Only(table, only)
	if err != nil {
		t.Fatal(err)
	}
	return doctor.Run(t.Context(), table, chosen, nil)
}

// finding returns what one check finds.
func (p *patient) finding(t *testing.T, id string) doctor.Finding {
	t.Helper()
	r := p.look(t, id)
	i := slices.IndexFunc(r.Checks, func(f doctor.Finding) bool { return f.ID == id })
	if i < 0 {
		t.Fatalf("%s: no finding among %+v", id, r.Checks)
	}
	return r.Checks[i]
}

func (p *patient) want(t *testing.T, id string, want doctor.Status, text string) doctor.Finding {
	t.Helper()
	f := p.finding(t, id)
	if f.Status != want || !strings.Contains(f.Detail, text) {
		t.Errorf("%s: got %s %q, want %s with %q", id, f.Status, f.Detail, want, text)
	}
	return f
}

// mend carries out the fix of a check that finds something, and looks again.
func (p *patient) mend(t *testing.T, id string) {
	t.Helper()
	for _, m := range doctor.Mend(t.Context(), p.look(t, id).Fixable()) {
		t.Logf("mended: %s", m.What)
		if m.Error != "" {
			t.Errorf("%s: %s", id, m.Error)
		}
	}
	testbed.Await(t, id+" finds nothing any more", 5*time.Second, func() error {
		if f := p.finding(t, id); f.Status != doctor.OK {
			return fmt.Errorf("got %s %q", f.Status, f.Detail)
		}
		return nil
	})
}

// onAir makes OBS and the sound server what they are while costream-obs is on air.
func (p *patient) onAir(t *testing.T) {
	t.Helper()
	pulse := pulse.Client{Server: p.pulse.Server}
	if _, _, err := pulse.EnsureSink(t.Context(), companion.ToPeerSink, "CoStreamToPeer"); err != nil {
		t.Fatal(err)
	}
	p.daemon = checks.Daemon{Running: true, Report: control.Report{State: control.OnAirWithPeer, Route: control.RoutePortable}}
}

const microphone = "Mic/Aux"

func TestRealFaults(t *testing.T) {
	testbed.Need(t)
	p := newPatient(t, testbed.OBSOptions{Password: "correct horse"})
	p.pulse.PlayTone(testbed.MicrophoneSink, testbed.Tone{Hz: 440})
	monitor := func(input, kind string) {
		t.Helper()
		p.obs.Request("SetInputAudioMonitorType", testbed.D{"inputName": input, "monitorType": "OBS_MONITORING_TYPE_" + kind}, nil)
	}

	t.Run("nothing wrong off air", func(t *testing.T) {
		begin := time.Now()
		for _, f := range p.look(t).Checks {
			if f.Status == doctor.Warn || f.Status == doctor.Fail {
				t.Errorf("got %+v", f)
			}
		}
		t.Logf("all checks: %v", time.Since(begin).Round(time.Millisecond))
	})
	t.Run("wrong password", func(t *testing.T) {
		wrong := obsctl.Secret("hunter2")
		p.find.Password = &wrong
		defer func() { p.find.Password = nil }()
		if f := p.want(t, "obs.ws.connect", doctor.Fail, "does not accept the password"); strings.Contains(fmt.Sprint(f), "hunter2") {
			t.Error("the password is in the finding")
		}
		empty := obsctl.Secret("")
		p.find.Password = &empty
		p.want(t, "obs.ws.connect", doctor.Fail, "asks for a password and none was found")
	})
	t.Run("microphone muted", func(t *testing.T) {
		p.obs.Request("SetInputMute", testbed.D{"inputName": microphone, "inputMuted": true}, nil)
		p.want(t, "audio.mute", doctor.Warn, "Mic/Aux is muted in OBS")
		p.obs.Request("SetInputMute", testbed.D{"inputName": microphone, "inputMuted": false}, nil)
		p.want(t, "audio.mute", doctor.OK, "")
	})
	t.Run("Desktop Audio monitored", func(t *testing.T) {
		monitor("Desktop Audio", "MONITOR_AND_OUTPUT")
		p.want(t, "audio.monitor.peer", doctor.Fail, "Desktop Audio is monitored")
		p.mend(t, "audio.monitor.peer")
	})
	t.Run("monitoring device gone", func(t *testing.T) {
		for name, value := range map[string]string{"MonitoringDeviceId": "usb_headset.monitor", "MonitoringDeviceName": "Monitor of USB headset"} {
			p.obs.Request("SetProfileParameter", testbed.D{"parameterCategory": "Audio", "parameterName": name, "parameterValue": value}, nil)
		}
		p.want(t, "audio.monitor.device", doctor.Warn, "is not there")
		p.mend(t, "audio.monitor.device")
	})
	t.Run("picture too quick", func(t *testing.T) {
		p.want(t, "obs.video", doctor.OK, "640x360")
		p.obs.Request("SetVideoSettings", testbed.D{"fpsNumerator": 120, "fpsDenominator": 1}, nil)
		p.want(t, "obs.video", doctor.Warn, "120 frames")
		p.obs.Request("SetVideoSettings", testbed.D{"fpsNumerator": 30, "fpsDenominator": 1}, nil)
	})
	t.Run("microphone silent", func(t *testing.T) {
		p.want(t, "audio.level", doctor.OK, "")
		p.pulse.Pactl("set-source-mute", testbed.Microphone, "1")
		p.want(t, "audio.level", doctor.Warn, "is muted in the sound settings")
		p.pulse.Pactl("set-source-mute", testbed.Microphone, "0")
		p.pulse.Pactl("set-sink-mute", testbed.MicrophoneSink, "1")
		p.want(t, "audio.level", doctor.Warn, "gave no sound")
		p.pulse.Pactl("set-sink-mute", testbed.MicrophoneSink, "0")
	})

	t.Run("on air, microphone not monitored, then elsewhere", func(t *testing.T) {
		p.onAir(t)
		p.want(t, "audio.monitor.inputs", doctor.Fail, "is not monitored")
		doctor.Mend(t.Context(), p.look(t, "audio.monitor.inputs").Fixable())
		testbed.Await(t, "OBS plays the microphone", 5*time.Second, func() error {
			if f := p.finding(t, "audio.monitor.inputs"); !strings.Contains(f.Detail, "to "+testbed.Headphones) {
				return fmt.Errorf("got %+v", f)
			}
			return nil
		})
		p.mend(t, "audio.monitor.inputs")
		p.want(t, "audio.latency", doctor.OK, "")
	})
	t.Run("OBS's meter moves, and nothing is played", func(t *testing.T) {
		streams, err := pulse.Client{Server: p.pulse.Server}.SinkInputs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		streams = slices.DeleteFunc(streams, func(s pulse.SinkInput) bool { return s.MediaName() != microphone })
		if len(streams) != 1 {
			t.Fatalf("got %d streams, want OBS's of its microphone", len(streams))
		}
		number := strconv.Itoa(streams[0].Index)
		await := func(what string, want func(checks.Heard) bool) {
			t.Helper()
			testbed.Await(t, what, 10*time.Second, func() error {
				heard, err := p.machine().Follow(t.Context(), map[string]pulse.SinkInput{microphone: streams[0]})
				if err == nil && !want(heard[microphone]) {
					err = fmt.Errorf("got %+v", heard)
				}
				return err
			})
		}
		await("sound", func(h checks.Heard) bool { return h.Moved && h.Peak > 0.1 })
		p.pulse.Pactl("set-sink-input-volume", number, "0")
		await("silence", func(h checks.Heard) bool { return h.Moved && h.Peak == 0 })
		p.want(t, "audio.monitor.inputs", doctor.Fail, "has a volume of 0")
		p.mend(t, "audio.monitor.inputs")
		p.obs.Request("SetInputMute", testbed.D{"inputName": microphone, "inputMuted": true}, nil)
		await("no fault of a muted one", func(h checks.Heard) bool { return !h.Moved })
		p.obs.Request("SetInputMute", testbed.D{"inputName": microphone, "inputMuted": false}, nil)
	})
	t.Run("microphone left out of the stream", func(t *testing.T) {
		obs, err := p.machine().OBS(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if stops, _ := obs.Version.DeduplicationStops(); !stops {
			p.want(t, "audio.viewers", doctor.OK, "streams what it monitors")
			return
		}
		p.want(t, "audio.viewers", doctor.Fail, "leaves Mic/Aux out of your stream")
		p.mend(t, "audio.viewers")
		p.obs.Request("SetInputMute", testbed.D{"inputName": "Desktop Audio", "inputMuted": true}, nil)
		for _, device := range []string{companion.ToPeerSink + ".monitor", "default"} { // OBS looks at it anew.
			p.obs.Request("SetInputSettings", testbed.D{"inputName": "Desktop Audio", "inputSettings": testbed.D{"device_id": device}}, nil)
		}
		p.want(t, "audio.viewers", doctor.OK, "")
		p.obs.Request("SetInputMute", testbed.D{"inputName": "Desktop Audio", "inputMuted": false}, nil)
		p.want(t, "audio.viewers", doctor.Fail, "leaves Mic/Aux out of your stream")
	})
	t.Run("sink muted", func(t *testing.T) {
		p.pulse.Pactl("set-sink-mute", companion.ToPeerSink, "1")
		p.want(t, "audio.sink", doctor.Fail, "is muted")
		p.mend(t, "audio.sink")
	})
	t.Run("sink made the default", func(t *testing.T) {
		p.pulse.Pactl("set-default-sink", companion.ToPeerSink)
		f := p.want(t, "audio.sink", doctor.Fail, "default output")
		if !strings.Contains(f.Next, "`pactl set-default-sink "+testbed.Headphones+"`") {
			t.Errorf("next: got %q", f.Next)
		}
		p.pulse.Pactl("set-default-sink", testbed.Headphones)
	})
	t.Run("own sink captured", func(t *testing.T) {
		p.obs.Request("CreateInput", testbed.D{"sceneName": testbed.Scene, "inputName": "Copy", "inputKind": "pulse_output_capture",
			"inputSettings": testbed.D{"device_id": companion.ToPeerSink + ".monitor"}}, nil)
		p.want(t, "audio.monitor.dup", doctor.Warn, `"Copy" captures`)
		p.obs.Request("RemoveInput", testbed.D{"inputName": "Copy"}, nil)
	})
	t.Run("peer source deleted", func(t *testing.T) {
		p.want(t, "obs.source", doctor.Warn, "the peer is in none of your scenes")
		p.mend(t, "obs.source")
	})
	t.Run("recordings", func(t *testing.T) {
		if golden.Updating() {
			m := p.machine()
			obs, err := m.OBS(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			obs.Address, obs.PID = "127.0.0.1:4455", recordedPID
			sound, err := m.Sound(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, in := range sound.SinkInputs {
				tidyRecorded(in.Properties)
			}
			for _, out := range sound.SourceOutputs {
				tidyRecorded(out.Properties)
			}
			writeJSON(t, "obs-29.0.2.json", obs)
			writeJSON(t, "sound-on-air.json", sound)
		}
	})
	t.Run("OBS gone", func(t *testing.T) {
		p.daemon = checks.Daemon{}
		p.obs.Interrupt()
		m := p.machine()
		m.Processes = func(context.Context) ([]obsctl.Process, error) { return nil, nil } // Others' tests may have one.
		r := doctor.Run(t.Context(), checks.All(m), []string{"obs.ws.connect", "obs.video"}, nil)
		for _, f := range r.Checks {
			if f.Status != doctor.Skip || !strings.Contains(f.Detail, "OBS does not run") {
				t.Errorf("got %+v, want it skipped because OBS does not run", f)
			}
		}
		if !r.Ready {
			t.Error("got not ready, want ready: OBS may be started later")
		}
	})
	t.Run("sound server gone", func(t *testing.T) {
		name := "pulseaudio"
		if p.pulse.PipeWire {
			name = "PipeWire"
		}
		p.want(t, "audio.server", doctor.OK, name)
		p.pulse.Kill()
		p.want(t, "audio.server", doctor.Fail, "No sound server answers")
	})
}

func TestRealOtherOBS(t *testing.T) {
	testbed.Need(t)
	t.Run("WebSocket server off", func(t *testing.T) {
		p := newPatient(t, testbed.OBSOptions{WebSocketOff: true})
		f := p.want(t, "obs.ws.config", doctor.Fail, "switched off")
		if !strings.Contains(f.Next, "Tools → WebSocket Server Settings") {
			t.Errorf("next: got %q", f.Next)
		}
	})
	t.Run("44.1 kHz, no password", func(t *testing.T) {
		p := newPatient(t, testbed.OBSOptions{SampleRate: 44100})
		p.want(t, "obs.rate", doctor.Warn, "44100 Hz")
		p.want(t, "obs.ws.auth", doctor.Warn, "no password")
	})
}

func tidyRecorded(properties map[string]string) {
	for key := range properties {
		if !slices.Contains([]string{"application.name", "application.process.id", "media.name"}, key) {
			delete(properties, key)
		}
	}
	if properties["application.name"] == "OBS" {
		properties["application.process.id"] = fmt.Sprint(recordedPID)
	}
}

func writeJSON(t *testing.T, name string, v any) {
	t.Helper()
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("testdata", name), append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
