// SPDX-License-Identifier: Apache-2.0

package media

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/golden"
)

func TestGraphTexts(t *testing.T) {
	hd := VideoFormat{1280, 720, 30, 1}
	ntsc := VideoFormat{1920, 1080, 30000, 1001}
	sender := func(s VideoSource, o EncoderOptions) graph {
		g, _, _, err := videoSenderGraph(s, o.normal())
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	tests := []struct {
		name  string
		graph graph
	}{
		{"video-sender-device.txt", sender(DeviceSource{"/dev/video10", ntsc}, EncoderOptions{})},
		{"video-sender-images.txt", sender(ImageSource{VideoFormat{641, 361, 25, 1}}, EncoderOptions{BitrateKbps: 1000})},
		{"video-sender-raw.txt", sender(RawSource{VideoFormat{1920, 1080, 30, 1}}, EncoderOptions{})},
		{"video-sender-test.txt", sender(TestSource{"ball", hd}, EncoderOptions{KeyInt: 60})},
		{"video-receiver.txt", videoReceiverGraph(hd, false)},
		{"video-receiver-ordered.txt", videoReceiverGraph(hd, true)},
		{"audio-sender.txt", audioSenderGraph("costream_topeer.monitor", 0, false)},
		{"audio-sender-default.txt", audioSenderGraph("", 64000, false)},
		{"audio-sender-music.txt", audioSenderGraph("costream_topeer.monitor", 0, true)},
		{"audio-receiver.txt", audioReceiverGraph()},
		{"speaker-default.txt", speakerGraph("", speakerBuffer)},
		{"speaker.txt", speakerGraph("costream_frompeer", speakerBuffer)},
		{"monitor-reader.txt", monitorReaderGraph("costream_topeer.monitor")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			golden.Check(t, filepath.Join("testdata", tt.name), tt.graph.String()+"\n")
			// Each text must also be one that GStreamer reads.
			if _, err := newMachine(tt.name, tt.graph, nil); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestProp(t *testing.T) {
	tests := []struct{ value, want string }{
		{"/dev/video10", "device=/dev/video10"},
		{"alsa_output.pci-0000_00_1f.3.analog-stereo.monitor", "device=alsa_output.pci-0000_00_1f.3.analog-stereo.monitor"},
		{"", `device=""`},
		{"two words", `device="two words"`},
		{`a ! filesink location="/x\y"`, `device="a ! filesink location=\"/x\\y\""`},
	}
	for _, tt := range tests {
		if got := prop("device", tt.value); got != tt.want {
			t.Errorf("prop(%q): got %s, want %s", tt.value, got, tt.want)
		}
	}
}

// A device name must never become part of the pipeline.
func TestPropertiesCannotInject(t *testing.T) {
	g := audioSenderGraph(`x" ! fakesink name=evil fakesrc name="`, 0, false)
	m, err := newMachine("test", g, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.pipe.Element("evil"); err == nil {
		t.Error("got an element out of a device name, want none")
	}
}

func TestFactories(t *testing.T) {
	got := audioSenderGraph("", 0, false).factories()
	want := []string{"pulsesrc", "queue", "level", "volume", "opusenc", "rtpopuspay", "appsink"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
