// SPDX-License-Identifier: Apache-2.0

package record

import (
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// checkTimes holds that blocks come at these times.
func checkTimes(t *testing.T, what string, got, want []time.Duration) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: got %d, want %d", what, len(got), len(want))
	}
	for n := range min(len(got), len(want)) {
		if off := got[n] - want[n]; off.Abs() > 5*time.Millisecond {
			t.Fatalf("%s %d is at %v, want %v", what, n, got[n], want[n])
		}
	}
}

// TestRealRecording records what costream-obs sends. The picture comes 110 ms later than the voice of the same moment.
func TestRealRecording(t *testing.T) {
	video, voice := realPictures(t, 320, 180, 6), realVoice(t, 6)
	dir := t.TempDir()
	p := newPeer(t, dir)
	p.play(video, voice, nothing)
	path, wrong := p.r.State()
	if path == "" || wrong != nil {
		t.Fatalf("got the state %q, %v", path, wrong)
	}
	crashed := copyOf(t, path)
	p.end()
	all := files(t, dir)
	if len(all) != 1 || all[0] != path {
		t.Fatalf("got the files %v, want %s alone", all, path)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got the mode %v, %v", info.Mode(), err)
	}

	got := probe(t, path)
	if len(got.Streams) != 2 || got.Streams[0].Codec != "h264" || got.Streams[0].Width != 320 || got.Streams[0].Height != 180 ||
		got.Streams[1].Codec != "opus" || got.Streams[1].Channels != 2 {
		t.Errorf("got the streams %+v", got.Streams)
	}
	if title := got.Format.Tags["title"]; title[:6] != "Anna, " {
		t.Errorf("got the title %q", title)
	}
	if s, err := strconv.ParseFloat(got.Format.Duration, 64); err != nil || s < 5.9 || s > 6.1 {
		t.Errorf("got the duration %q", got.Format.Duration)
	}
	checkTimes(t, "picture", got.times(t, 0), pictureTimes(video))
	checkTimes(t, "voice", got.times(t, 1), voiceTimes(voice))

	// A crash costs the end, and nothing else.
	left := probe(t, crashed)
	pictures := left.times(t, 0)
	if n := len(pictures); n < 180-75 {
		t.Errorf("after a crash %d pictures are left of 180", n)
	}
	checkTimes(t, "picture after a crash", pictures, pictureTimes(video)[:len(pictures)])
}

// TestRealWithoutReports: of a peer without useful sender reports the time of arrival counts.
func TestRealWithoutReports(t *testing.T) {
	video, voice := realPictures(t, 320, 180, 5), realVoice(t, 5)
	dir := t.TempDir()
	p := newPeer(t, dir)
	p.silent, p.pictureTakes = true, p.voiceTakes
	p.play(video, voice, nothing)
	p.end()
	got := probe(t, files(t, dir)[0])
	checkTimes(t, "picture", got.times(t, 0), pictureTimes(video))
	checkTimes(t, "voice", got.times(t, 1), voiceTimes(voice))
}

// TestRealLoss: pictures that need a lost one are left out until the next key frame, and a gap in the voice stays one.
func TestRealLoss(t *testing.T) {
	video, voice := realPictures(t, 320, 180, 6), realVoice(t, 6)
	dir := t.TempDir()
	p := newPeer(t, dir)
	// A packet of picture 50 is lost, which is the fifth after a key frame.
	pictures, voices := pictureTimes(video), voiceTimes(voice)
	lost := 0
	for captured(video, lost, 90000) < pictures[50] {
		lost++
	}
	p.play(video, voice, func(m medium, n int) bool {
		return m == 0 && n == lost || m == 1 && n >= 200 && n < 300
	})
	p.end()
	got := probe(t, files(t, dir)[0])
	checkTimes(t, "picture", got.times(t, 0), slices.Delete(pictures, 50, 60))
	checkTimes(t, "voice", got.times(t, 1), slices.Delete(voices, 200, 300))
}

// TestRealOutOfOrder: packets of the plain link may overtake each other.
func TestRealOutOfOrder(t *testing.T) {
	video, voice := realPictures(t, 320, 180, 4), realVoice(t, 4)
	dir := t.TempDir()
	p := newPeer(t, dir)
	p.disorder = true
	p.play(video, voice, nothing)
	p.end()
	got := probe(t, files(t, dir)[0])
	checkTimes(t, "picture", got.times(t, 0), pictureTimes(video))
	checkTimes(t, "voice", got.times(t, 1), voiceTimes(voice))
}

// TestRealSizeChange: pictures of another size get a file of their own, and those of the same size from a peer who started
// again do not.
func TestRealSizeChange(t *testing.T) {
	small, large, voice := realPictures(t, 320, 180, 4), realPictures(t, 640, 360, 4), realVoice(t, 4)
	dir := t.TempDir()
	p := newPeer(t, dir)
	var began []time.Time
	for _, video := range [][][]byte{small, small, large} {
		began = append(began, p.now)
		p.play(video, voice, nothing)
		p.id++
		p.now = p.now.Add(time.Second)
	}
	p.end()
	all := files(t, dir)
	if len(all) != 2 {
		t.Fatalf("got the files %v, want 2", all)
	}
	before, after := probe(t, all[0]), probe(t, all[1])
	if before.Streams[0].Width != 320 || after.Streams[0].Width != 640 {
		t.Errorf("got the widths %d and %d", before.Streams[0].Width, after.Streams[0].Width)
	}
	if n, m := len(before.times(t, 0)), len(after.times(t, 0)); n != 240 || m != 120 {
		t.Errorf("got %d and %d pictures, want 240 and 120", n, m)
	}
	// The pause while the peer started again is as long as it was.
	want := began[1].Sub(began[0])
	checkTimes(t, "picture after a restart of the peer", before.times(t, 0)[120:121], []time.Duration{want})
	checkTimes(t, "voice after a restart of the peer", before.times(t, 1)[len(voice):len(voice)+1], []time.Duration{want})
}

// TestRealVoiceAlone: a voice without a picture is recorded, and the first picture begins a new file.
func TestRealVoiceAlone(t *testing.T) {
	video, voice := realPictures(t, 320, 180, 3), realVoice(t, 15)
	dir := t.TempDir()
	p := newPeer(t, dir)
	p.play(nil, voice, nothing)
	p.id++
	p.play(video, voice[:300], nothing)
	p.end()
	all := files(t, dir)
	if len(all) != 2 {
		t.Fatalf("got the files %v, want 2", all)
	}
	out := run(t, "ffprobe", "-v", "warning", "-show_entries", "stream=codec_name", "-of", "csv=p=0", all[0])
	if string(out) != "opus\n" {
		t.Errorf("got the streams %q, want opus alone", out)
	}
	if n := len(probe(t, all[1]).times(t, 0)); n != 90 {
		t.Errorf("got %d pictures, want 90", n)
	}
}
