// SPDX-License-Identifier: Apache-2.0

package obsctl

import "testing"

func TestParseSemver(t *testing.T) {
	tests := []struct {
		in   string
		want Semver
		ok   bool
	}{
		{"29.0.2", Semver{29, 0, 2}, true},
		{"30.0", Semver{30, 0, 0}, true},
		{"32.2.0-rc1", Semver{32, 2, 0}, true},
		{"30.2.3-1-gabcdef", Semver{30, 2, 3}, true},
		{"29.0.2+dfsg1-1", Semver{29, 0, 2}, true},
		{"28.1.2.1", Semver{28, 1, 2}, true},
		{"", Semver{}, false},
		{"v29", Semver{}, false},
		{"29.-1", Semver{}, false},
	}
	for _, tt := range tests {
		got, err := ParseSemver(tt.in)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("ParseSemver(%q): got %v, %v, want %v, ok %v", tt.in, got, err, tt.want, tt.ok)
		}
	}
}

func TestGates(t *testing.T) {
	type row struct{ sink, modal, outputCap, button, muted, hangs bool }
	tests := []struct {
		version string
		want    row
	}{
		{"28.0.0", row{}},
		{"29.0.2", row{}},
		{"29.1.0", row{sink: true, hangs: true}},
		{"30.0.0-beta2", row{sink: true, modal: true, hangs: true}},
		{"31.0.3", row{sink: true, modal: true, hangs: true}},
		{"31.0.4", row{true, true, true, false, false, true}},
		{"31.1.0", row{true, true, true, false, false, true}},
		{"32.0.4", row{true, true, true, false, false, true}},
		{"32.1.0-beta1", row{true, true, true, true, false, true}},
		{"32.1.9", row{true, true, true, true, false, true}},
		{"32.2.0", row{true, true, true, false, true, true}},
		{"33.0.0", row{true, true, true, false, true, true}},
	}
	for _, tt := range tests {
		obs, err := ParseSemver(tt.version)
		if err != nil {
			t.Fatal(err)
		}
		v := Version{OBS: obs}
		got := row{v.MonitorIDIsSink(), v.VirtualCamModalOnFailure(), v.VirtualCamNeedsOutputCap(), v.MuteButtonMonitorsOnly(), v.MutedIsMonitored(),
			v.UndrawnScreenshotHangs()}
		if got != tt.want {
			t.Errorf("OBS %s: got %+v, want %+v", tt.version, got, tt.want)
		}
	}
}

// TestVirtualCam: an older OBS with the virtual camera of 31.0.4 has that one's rules, a newer one its own.
func TestVirtualCam(t *testing.T) {
	for _, tt := range []struct {
		version string
		patched bool
		want    string
	}{
		{"30.2.3", false, "30.2.3"},
		{"30.2.3", true, "31.0.4"},
		{"31.1.2", true, "31.1.2"},
		{"32.2.2", false, "32.2.2"},
	} {
		obs, err := ParseSemver(tt.version)
		if err != nil {
			t.Fatal(err)
		}
		v := Version{OBS: obs, CameraPatched: tt.patched}
		if got := v.VirtualCam().String(); got != tt.want || v.VirtualCamRefused() == v.VirtualCamNeedsOutputCap() {
			t.Errorf("OBS %s, patched %t: got %s, refused %t, output %t; want %s and one of both", tt.version, tt.patched, got,
				v.VirtualCamRefused(), v.VirtualCamNeedsOutputCap(), tt.want)
		}
	}
}

func TestMonitoringDeviceSink(t *testing.T) {
	old, sinks := Version{OBS: Semver{29, 0, 2}}, Version{OBS: Semver{29, 1, 0}}
	for _, tt := range []struct {
		version  Version
		id, want string
	}{
		{old, "costream_topeer.monitor", "costream_topeer"},
		{sinks, "costream_topeer", "costream_topeer"},
		{old, "default", ""},
		{sinks, "", ""},
	} {
		if got := (MonitoringDevice{ID: tt.id}).Sink(tt.version); got != tt.want {
			t.Errorf("OBS %v: Sink of %q: got %q, want %q", tt.version.OBS, tt.id, got, tt.want)
		}
	}
}
