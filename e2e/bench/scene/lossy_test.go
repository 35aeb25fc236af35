// SPDX-License-Identifier: Apache-2.0

package scene_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/e2e/bench/scene"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestRealStampsSurviveCoding: at a quarter of the usual rate, where moving text can hardly be read, each picture is still
// known and none is taken for a wrong one.
func TestRealStampsSurviveCoding(t *testing.T) {
	testbed.Need(t)
	const first, count = 60, 100 // typing and scrolling
	const settle = 30            // pictures until the coder has spent what the first one took
	s := scene.New()
	var in bytes.Buffer
	picture := make([]byte, scene.FrameSize)
	for n := first; n < first+count; n++ {
		s.Render(n, picture)
		in.Write(picture)
	}
	cmd := exec.Command("gst-launch-1.0", strings.Fields("-q fdsrc fd=0 ! rawvideoparse format=yuy2 width=1920 height=1080 framerate=30/1"+
		" ! videoconvert ! video/x-raw,format=I420 ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=750 key-int-max=3000"+
		" ! avdec_h264 ! video/x-raw,format=I420 ! fdsink fd=1")...)
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(out), count*scene.I420Size; got != want {
		t.Fatalf("got %d bytes, want %d", got, want)
	}
	judge := scene.NewJudge(s)
	for i := settle; i < count; i++ {
		v := judge.Compare(out[i*scene.I420Size:][:scene.I420Size])
		if v.Wrong || v.Number != first+i {
			t.Errorf("picture %d: got %+v", first+i, v)
		}
	}
}
