// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// keyFrames is how many pictures there are from one key frame to the next.
const keyFrames = 15

// run returns what a real program prints.
func run(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return out
}

// packets returns the RTP packets that GStreamer makes.
func packets(t testing.TB, pipeline string) [][]byte {
	t.Helper()
	testbed.Need(t)
	out := run(t, "gst-launch-1.0", strings.Fields("-q "+pipeline+" ! rtpstreampay ! fdsink")...)
	var all [][]byte
	for len(out) > 2 {
		size := int(binary.BigEndian.Uint16(out))
		all = append(all, out[2:2+size])
		out = out[2+size:]
	}
	return all
}

// realPictures and realVoice are what a costream-obs sends in that many seconds, as its pipelines make it.
func realPictures(t *testing.T, w, h, seconds int) [][]byte {
	return packets(t, fmt.Sprintf("videotestsrc num-buffers=%d pattern=ball ! video/x-raw,format=I420,width=%d,height=%d,framerate=30/1"+
		" ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=1000 key-int-max=%d"+
		" ! rtph264pay pt=96 mtu=1200 config-interval=-1 aggregate-mode=zero-latency", 30*seconds, w, h, keyFrames))
}

func realVoice(t testing.TB, seconds int) [][]byte {
	return packets(t, fmt.Sprintf("audiotestsrc num-buffers=%d samplesperbuffer=480 ! audio/x-raw,rate=48000,channels=1"+
		" ! opusenc audio-type=voice frame-size=10 bitrate=32000 ! rtpopuspay pt=96 mtu=1200", 100*seconds))
}

// peer plays streams to a recorder in virtual time.
type peer struct {
	t                        testing.TB
	r                        *Recorder
	now                      time.Time
	ahead                    time.Duration // the peer's clock of ours
	pictureTakes, voiceTakes time.Duration // to the arrival here
	silent                   bool          // no sender reports
	disorder                 bool          // every seventh packet overtakes the one before it
	id                       uint64
	asked                    int // for key frames
}

func newPeer(t testing.TB, dir string) *peer {
	p := &peer{t: t, now: time.Now(), ahead: 1000 * time.Hour, pictureTakes: 150 * time.Millisecond, voiceTakes: 40 * time.Millisecond, id: 1}
	p.r = newRecorder(p.options(dir), p.now)
	return p
}

func (p *peer) options(dir string) Options {
	return Options{
		Dir: dir, Name: "Anna", KeyFrame: func() { p.asked++ }, Changed: func() {},
		Log: slog.New(slog.DiscardHandler),
	}
}

// captured is when a packet of a stream was captured, from the first one on.
func captured(packets [][]byte, n, rate int) time.Duration {
	ticks := binary.BigEndian.Uint32(packets[n][4:]) - binary.BigEndian.Uint32(packets[0][4:])
	return time.Duration(ticks) * time.Second / time.Duration(rate)
}

// pictureTimes are when the pictures of a stream were captured.
func pictureTimes(packets [][]byte) (all []time.Duration) {
	for n := range packets {
		if at := captured(packets, n, 90000); n == 0 || at != all[len(all)-1] {
			all = append(all, at)
		}
	}
	return all
}

// voiceTimes are the same of a voice.
func voiceTimes(packets [][]byte) (all []time.Duration) {
	for n := range packets {
		all = append(all, captured(packets, n, 48000))
	}
	return all
}

// arrival is something that comes from the peer.
type arrival struct {
	at  time.Duration
	put func(at time.Time)
}

// play plays streams that begin at the same moment, and looks as often as a recorder does. lose says which packets are lost.
func (p *peer) play(video, voice [][]byte, lose func(m medium, n int) bool) {
	var all []arrival
	for kind, packets := range [][][]byte{video, voice} {
		m, rate, takes := medium(kind), 90000, p.pictureTakes
		if m == 1 {
			rate, takes = 48000, p.voiceTakes
		}
		if len(packets) == 0 {
			continue
		}
		first := binary.BigEndian.Uint32(packets[0][4:])
		last := time.Duration(0)
		for n, packet := range packets {
			captured := captured(packets, n, rate)
			if !lose(m, n) {
				put := p.r.Picture
				if m == 1 {
					put = p.r.Voice
				}
				id := p.id
				all = append(all, arrival{captured + takes, func(at time.Time) { put(id, packet, at) }})
			}
			last = captured
		}
		if p.disorder {
			for n := len(all) - len(packets) + 1; n+1 < len(all); n += 7 {
				all[n].put, all[n+1].put = all[n+1].put, all[n].put
			}
		}
		report := p.r.PictureReport
		if m == 1 {
			report = p.r.VoiceReport
		}
		began, id := p.now, p.id
		for at := 500 * time.Millisecond; at < last && !p.silent; at += time.Second {
			ntp := ntpOf(began.Add(at + p.ahead))
			rtp := first + uint32(at*time.Duration(rate)/time.Second)
			all = append(all, arrival{at + 30*time.Millisecond, func(at time.Time) { report(id, ntp, rtp, at) }})
		}
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return int(a.at - b.at) })
	began, looked := p.now, time.Duration(0)
	for _, a := range all {
		for a.at-looked > lookEvery {
			looked += lookEvery
			p.r.look(began.Add(looked), false)
		}
		a.put(began.Add(a.at))
		p.now = began.Add(a.at)
	}
}

// end ends the recording.
func (p *peer) end() {
	p.r.look(p.now, true)
	p.r.finish()
}

func ntpOf(t time.Time) uint64 {
	return uint64(t.Unix()-ntpEpoch)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}

func nothing(medium, int) bool { return false }

// probed is what ffprobe says of a file.
type probed struct {
	Streams []struct {
		Codec    string `json:"codec_name"`
		Width    int    `json:"width"`
		Height   int    `json:"height"`
		Channels int    `json:"channels"`
	} `json:"streams"`
	Packets []struct {
		Stream int    `json:"stream_index"`
		Time   string `json:"pts_time"`
		Flags  string `json:"flags"`
	} `json:"packets"`
	Format struct {
		Duration string            `json:"duration"`
		Tags     map[string]string `json:"tags"`
	} `json:"format"`
}

// probe reads a file with ffprobe, decodes it with ffmpeg and plays it with GStreamer: nothing of it may be broken.
func probe(t *testing.T, path string) probed {
	t.Helper()
	var p probed
	out := run(t, "ffprobe", "-v", "warning", "-show_entries", "stream=codec_name,width,height,channels:packet=stream_index,pts_time,flags:format=duration:format_tags", "-of", "json", path)
	if err := json.Unmarshal(out, &p); err != nil {
		t.Fatal(err)
	}
	decode := []string{"-v", "warning", "-xerror", "-i", path}
	for stream := range p.Streams {
		// ffmpeg 7 warns of a track that has nothing yet.
		if len(p.times(t, stream)) > 0 {
			decode = append(decode, "-map", fmt.Sprintf("0:%d", stream))
		}
	}
	run(t, "ffmpeg", append(decode, "-fps_mode", "passthrough", "-enc_time_base", "1/1000", "-f", "null", "-")...)
	run(t, "gst-launch-1.0", "-q", "filesrc", "location="+path, "!", "matroskademux", "name=d",
		"d.video_0", "!", "queue", "max-size-time=0", "max-size-bytes=0", "max-size-buffers=0", "!", "h264parse", "!", "avdec_h264", "!", "fakesink", "async=false",
		"d.audio_0", "!", "queue", "max-size-time=0", "max-size-bytes=0", "max-size-buffers=0", "!", "opusdec", "!", "fakesink", "async=false")
	return p
}

// times are those of all blocks of a stream of a file.
func (p probed) times(t *testing.T, stream int) []time.Duration {
	t.Helper()
	var all []time.Duration
	for _, packet := range p.Packets {
		if packet.Stream == stream {
			s, err := strconv.ParseFloat(packet.Time, 64)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, time.Duration(s*float64(time.Second)))
		}
	}
	return all
}

// files are the recordings in a directory, in the order of their names.
func files(t testing.TB, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*.mkv"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// copyOf copies a file as it is now, which is what a crash leaves.
func copyOf(t *testing.T, path string) string {
	t.Helper()
	from, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = from.Close() }()
	to, err := os.Create(filepath.Join(t.TempDir(), "copy.mkv"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return to.Name()
}
