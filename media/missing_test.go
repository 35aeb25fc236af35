// SPDX-License-Identifier: Apache-2.0

package media

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMissing(t *testing.T) {
	has := func(e string) bool { return !slices.Contains([]string{"x264enc", "avdec_h264", "wobble"}, e) }
	tests := []struct {
		name     string
		elements []string
		want     []MissingElement
		text     string
	}{
		{"nothing", []string{"appsrc", "queue"}, nil, ""},
		{"one", []string{"appsrc", "x264enc"}, []MissingElement{{"x264enc", "gstreamer1.0-plugins-ugly"}},
			"GStreamer has no element x264enc; install it with: sudo apt install gstreamer1.0-plugins-ugly"},
		{"each once", []string{"x264enc", "avdec_h264", "x264enc"},
			[]MissingElement{{"x264enc", "gstreamer1.0-plugins-ugly"}, {"avdec_h264", "gstreamer1.0-libav"}},
			"GStreamer has no element x264enc, avdec_h264; install it with: sudo apt install gstreamer1.0-libav gstreamer1.0-plugins-ugly"},
		{"unknown package", []string{"wobble"}, []MissingElement{{"wobble", ""}}, "GStreamer has no element wobble"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := missing(has, tt.elements)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(got) == 0 {
				return
			}
			if text := (&MissingElementError{Missing: got}).Error(); text != tt.text {
				t.Errorf("got %q, want %q", text, tt.text)
			}
		})
	}
}

// everyElement lists the elements of all pipelines, each once.
func everyElement(t *testing.T) []string {
	t.Helper()
	f := VideoFormat{640, 360, 30, 1}
	graphs := []graph{videoReceiverGraph(f, false), audioSenderGraph("", 0, false), audioReceiverGraph(), speakerGraph("", speakerBuffer),
		monitorReaderGraph("")}
	for _, s := range []VideoSource{DeviceSource{"", f}, ImageSource{f}, TestSource{"", f}} {
		g, _, _, err := videoSenderGraph(s, EncoderOptions{}.normal())
		if err != nil {
			t.Fatal(err)
		}
		graphs = append(graphs, g)
	}
	var elements []string
	for _, g := range graphs {
		elements = append(elements, g.factories()...)
	}
	slices.Sort(elements)
	return slices.Compact(elements)
}

// Every element that any pipeline uses must have a package to name.
func TestEveryElementHasAPackage(t *testing.T) {
	for _, e := range everyElement(t) {
		if debianPackage(e) == "" {
			t.Errorf("element %s has no package", e)
		}
	}
}

// TestPackageDependencies holds what our packages depend on to the elements of our pipelines.
func TestPackageDependencies(t *testing.T) {
	const file = "../.ci/package/nfpm.yaml"
	description, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// What is listed below "overrides:", one dependency a line.
	listed := make(map[string]bool)
	for line := range strings.Lines(string(description)) {
		if entry, ok := strings.CutPrefix(strings.TrimSpace(line), "- "); ok {
			name, _, _ := strings.Cut(entry, " #")
			listed[name] = true
		}
	}
	arch := map[string]string{
		"gstreamer1.0-plugins-base": "gst-plugins-base", "gstreamer1.0-plugins-good": "gst-plugins-good",
		"gstreamer1.0-plugins-bad": "gst-plugins-bad", "gstreamer1.0-plugins-ugly": "gst-plugins-ugly",
		"gstreamer1.0-libav": "gst-libav",
	}
	rpm := 0
	for _, e := range everyElement(t) {
		debian := debianPackage(e)
		if debian == "libgstreamer1.0-0" {
			continue // It comes with the library that the program links.
		}
		rpm++
		for _, name := range []string{debian, "gstreamer1(element-" + e + ")()(64bit)", arch[debian]} {
			if !listed[name] {
				t.Errorf("%s has no dependency %q for the element %s", file, name, e)
			}
		}
	}
	for name := range listed {
		if strings.HasPrefix(name, "gstreamer1(element-") {
			rpm--
		}
	}
	if rpm != 0 {
		t.Errorf("%s depends on %d elements that no pipeline has", file, -rpm)
	}
}

// TestMissingElementInReality runs this test binary again on machines that seem to have no x264, or no software encoder at all: a
// plugin directory without them.
func TestMissingElementInReality(t *testing.T) {
	const child = "COSTREAM_TEST_WITHOUT"
	if without := os.Getenv(child); without != "" {
		s, err := NewVideoSender(VideoSenderOptions{Source: TestSource{VideoFormat: VideoFormat{320, 180, 30, 1}}, Out: func([]byte) {}})
		if without == "libgstx264.so" {
			if err != nil || s.Load().Name != "openh264enc" {
				t.Errorf("without x264enc: got %v, want a sender with openh264enc", err)
			}
			return
		}
		var lost *MissingElementError
		if !errors.As(err, &lost) {
			t.Fatalf("got %v, want a MissingElementError", err)
		}
		want := []MissingElement{{"x264enc", "gstreamer1.0-plugins-ugly"}}
		if diff := cmp.Diff(want, lost.Missing); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		return
	}
	plugins := filepath.Dir(pluginFile(t, "x264enc"))
	files, err := filepath.Glob(filepath.Join(plugins, "*.so"))
	if err != nil {
		t.Fatal(err)
	}
	for _, without := range []string{"libgstx264.so", "libgstx264.so libgstopenh264.so"} {
		dir := t.TempDir()
		for _, f := range files {
			if strings.Contains(without, filepath.Base(f)) {
				continue
			}
			if err := os.Symlink(f, filepath.Join(dir, filepath.Base(f))); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestMissingElementInReality$", "-test.v")
		cmd.Env = append(os.Environ(), child+"="+without, "GST_PLUGIN_SYSTEM_PATH="+dir, "GST_REGISTRY="+filepath.Join(dir, "registry"))
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Errorf("without %s: %v\n%s", without, err, out)
		}
	}
}

// pluginFile returns the file of an element's plugin, as gst-inspect knows it.
func pluginFile(t *testing.T, element string) string {
	t.Helper()
	out, err := exec.Command("gst-inspect-1.0", element).Output()
	if err != nil {
		t.Fatalf("gst-inspect-1.0 %s: %v", element, err)
	}
	for line := range strings.Lines(string(out)) {
		if name, file, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name == "Filename" {
			return strings.TrimSpace(file)
		}
	}
	t.Fatalf("gst-inspect-1.0 names no file of %s", element)
	return ""
}
