// SPDX-License-Identifier: Apache-2.0

package link

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link/jitter"
)

// The 2020 scripts' pipelines, word for word but for the devices, whose place test sources and files take, and the
// ports, which are free ones here.

const (
	pictureWidth, pictureHeight = 320, 180
	toneHz                      = 440
)

// send2020 starts the pipeline of send-to-peer.go.
func send2020(t *testing.T, peer, listen string, base int) *testbed.Process {
	t.Helper()
	return gst(t, "2020 sender", fmt.Sprintf("-v rtpbin name=rtpbin latency=0"+
		" videotestsrc is-live=true pattern=red ! video/x-raw,width=%[9]d,height=%[10]d,framerate=30/1"+
		" ! videoscale ! videoconvert ! x264enc tune=zerolatency bitrate=1000 speed-preset=ultrafast ! rtph264pay"+
		" ! rtpbin.send_rtp_sink_0 rtpbin.send_rtp_src_0 ! udpsink host=%[1]s port=%[3]d"+
		" rtpbin.send_rtcp_src_0 ! udpsink host=%[1]s port=%[4]d sync=false async=false"+
		" udpsrc address=%[2]s port=%[7]d ! rtpbin.recv_rtcp_sink_0"+
		" audiotestsrc is-live=true freq=%[11]d ! audio/x-raw,rate=44100 ! audioresample ! opusenc audio-type=voice ! rtpopuspay"+
		" ! rtpbin.send_rtp_sink_1 rtpbin.send_rtp_src_1 ! udpsink host=%[1]s port=%[5]d"+
		" rtpbin.send_rtcp_src_1 ! udpsink host=%[1]s port=%[6]d sync=false async=false"+
		" udpsrc address=%[2]s port=%[8]d ! rtpbin.recv_rtcp_sink_1",
		peer, listen, base, base+1, base+2, base+3, base+5, base+7, pictureWidth, pictureHeight, toneHz))
}

// receive2020 starts the pipeline of recv-from-peer.go. Raw I420 pictures and 16-bit sound go to files.
func receive2020(t *testing.T, peer, listen string, base int, video, audio string) *testbed.Process {
	t.Helper()
	return gst(t, "2020 receiver", fmt.Sprintf("-v rtpbin name=rtpbin latency=0"+
		" udpsrc address=%[2]s caps=application/x-rtp,media=(string)video,clock-rate=(int)90000,encoding-name=(string)H264 port=%[3]d"+
		" ! rtpbin.recv_rtp_sink_0"+
		" rtpbin. ! rtph264depay ! decodebin ! videoconvert ! video/x-raw,format=I420 ! filesink buffer-mode=unbuffered location=%[9]s"+
		" udpsrc port=%[4]d ! rtpbin.recv_rtcp_sink_0"+
		" rtpbin.send_rtcp_src_0 ! udpsink host=%[1]s port=%[7]d sync=false async=false"+
		" udpsrc caps=application/x-rtp,media=(string)audio,clock-rate=(int)48000,encoding-name=(string)OPUS,encoding-params=(string)1,octet-align=(string)1"+
		" address=%[2]s port=%[5]d ! rtpbin.recv_rtp_sink_1"+
		" rtpbin. ! rtpopusdepay ! opusdec ! audioconvert ! audioresample ! audio/x-raw,format=S16LE,channels=1,rate=48000"+
		" ! filesink buffer-mode=unbuffered location=%[10]s"+
		" udpsrc port=%[6]d ! rtpbin.recv_rtcp_sink_1"+
		" rtpbin.send_rtcp_src_1 ! udpsink host=%[1]s port=%[8]d sync=false async=false",
		peer, listen, base, base+1, base+2, base+3, base+5, base+7, video, audio))
}

func gst(t *testing.T, name, text string) *testbed.Process {
	t.Helper()
	return testbed.Start(t, testbed.Command{Name: name, Path: "gst-launch-1.0", Args: strings.Fields(text)})
}

// stats2020 tells whether a 2020 process printed, among the figures of its RTP sessions, a source that has all of the
// given ones.
func stats2020(p *testbed.Process, figures ...string) error {
	// gst-launch escapes what is nested.
	plain := strings.ReplaceAll(p.Output(), `\`, "")
sources:
	for _, source := range strings.Split(plain, "application/x-rtp-source-stats")[1:] {
		for _, f := range figures {
			if !strings.Contains(source, f) {
				continue sources
			}
		}
		return nil
	}
	return fmt.Errorf("no RTP source with %q", figures)
}

// TestReal2020Sends receives from a 2020 sender: packets, its sender reports, and our reports and key frame requests at
// its end; then it is killed and started again.
func TestReal2020Sends(t *testing.T) {
	testbed.Need(t)
	noGoroutines(t)
	const us, them = "127.0.0.1", "127.0.0.1"
	base := testbed.FreeUDPPorts(t, 8)
	type arrival struct {
		m   Medium
		s   Stream
		idr bool
	}
	arrivals, ends := make(chan arrival, 10_000), make(chan Stream, 10)
	link := run(t, PlainOptions{Peer: them, Listen: us, BasePort: base, Receive: true, Handler: Handler{
		RTP: func(m Medium, s Stream, b []byte) {
			_, idr := jitter.KeyFrame(b[12:])
			arrivals <- arrival{m, s, m == Video && idr}
		},
		End: func(m Medium, s Stream) {
			if m == Video {
				ends <- s
			}
		},
	}})
	await := func(what string, want func(arrival) bool) arrival {
		t.Helper()
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
			if a := receive(t, arrivals, what); want(a) {
				return a
			}
		}
		t.Fatalf("no %s within %v", what, patience)
		return arrival{}
	}

	sender := send2020(t, us, them, base)
	await("sound", func(a arrival) bool { return a.m == Audio })
	first := await("key frame", func(a arrival) bool { return a.idr }).s

	asked := time.Now()
	link.RequestKeyFrame()
	await("key frame on request", func(a arrival) bool { return a.idr })
	t.Logf("the 2020 sender obeyed a request for a key frame after %v", time.Since(asked).Round(time.Millisecond))

	testbed.Await(t, "reports both ways", 3*patience, func() error {
		stats := link.Stats()
		for _, r := range []ReceiveStats{stats.Video.Receive, stats.Audio.Receive} {
			if r.LastSenderReport.IsZero() {
				return fmt.Errorf("no sender report about %d", r.Stream.SSRC)
			}
			// LSR is not zero in a report that answers one of theirs.
			if err := stats2020(sender, "internal=(boolean)false", "have-rb=(boolean)true", fmt.Sprintf("rb-ssrc=(uint)%d,", r.Stream.SSRC)); err != nil {
				return err
			}
			if r.Lost != 0 {
				return fmt.Errorf("lost %d packets", r.Lost)
			}
		}
		return nil
	})

	sender.Kill()
	killed := time.Now()
	send2020(t, us, them, base)
	second := await("picture of the new run", func(a arrival) bool { return a.m == Video && a.s != first }).s
	t.Logf("the new run's picture came after %v", time.Since(killed).Round(time.Millisecond))
	if second.ID != first.ID+1 || second.SSRC == first.SSRC {
		t.Errorf("got stream %+v after %+v, want the next ID and another SSRC", second, first)
	}
	if got := receive(t, ends, "end of the first stream"); got != first {
		t.Errorf("got end of stream %+v, want %+v", got, first)
	}
}

// TestReal2020Receives sends to a 2020 receiver: its picture and sound, our sender reports at its end, and its reports.
// The packets are those of a 2020 sender.
func TestReal2020Receives(t *testing.T) {
	testbed.Need(t)
	noGoroutines(t)
	const us, them = "127.0.0.1", "127.0.0.1"
	base, source := testbed.FreeUDPPorts(t, 8), testbed.FreeUDPPorts(t, 8)
	video, audio := filepath.Join(t.TempDir(), "video"), filepath.Join(t.TempDir(), "audio")

	requests := make(chan struct{}, 100)
	link := run(t, PlainOptions{Peer: them, Listen: us, BasePort: base, Send: true, Handler: Handler{
		KeyFrameRequest: func() { requests <- struct{}{} },
	}})
	receiver := receive2020(t, us, them, base, video, audio)
	testbed.Await(t, "the 2020 receiver", patience, func() error {
		if !strings.Contains(receiver.Output(), "Setting pipeline to PLAYING") {
			return fmt.Errorf("not playing yet")
		}
		return nil
	})
	run(t, PlainOptions{Peer: us, Listen: us, BasePort: source, Receive: true, Handler: Handler{
		RTP: func(m Medium, _ Stream, b []byte) {
			if err := link.WriteRTP(m, b); err != nil {
				t.Error(err)
			}
		},
	}})
	send2020(t, us, us, source)

	const pictureSize = pictureWidth * pictureHeight * 3 / 2
	testbed.Await(t, "a red picture", 3*patience, func() error {
		picture, err := lastChunk(video, pictureSize)
		if err != nil {
			return err
		}
		y, u, v := picture[0], picture[pictureWidth*pictureHeight], picture[pictureSize-1]
		if near(y, 81) && near(u, 90) && near(v, 240) {
			return nil
		}
		return fmt.Errorf("got Y, U, V %d, %d, %d, want 81, 90, 240", y, u, v)
	})
	testbed.Await(t, "a tone", 3*patience, func() error {
		const second = 48_000
		sound, err := lastChunk(audio, 2*second)
		if err != nil {
			return err
		}
		samples := make([]float64, second)
		for i := range samples {
			samples[i] = float64(int16(binary.LittleEndian.Uint16(sound[2*i:]))) / 32768
		}
		if tone, other := testbed.ToneLevel(samples, toneHz), testbed.ToneLevel(samples, 3*toneHz); tone < 0.1 || other > tone/10 {
			return fmt.Errorf("got level %.3f at %d Hz and %.3f at %d Hz", tone, toneHz, other, 3*toneHz)
		}
		return nil
	})

	receive(t, requests, "request for a key frame on behalf of a receiver that does not ask")
	testbed.Await(t, "reports both ways", 3*patience, func() error {
		stats := link.Stats()
		for _, s := range []SendStats{stats.Video.Send, stats.Audio.Send} {
			if s.LastReport.IsZero() || s.RTT <= 0 || s.RTT > time.Second {
				return fmt.Errorf("receiver report at %v, RTT %v", s.LastReport, s.RTT)
			}
			if err := stats2020(receiver, fmt.Sprintf("ssrc=(uint)%d,", s.SSRC), "have-sr=(boolean)true"); err != nil {
				return err
			}
		}
		return nil
	})
	if got := link.Stats().Video.Send; got.KeyFrameRequests != 0 || got.RemoteLost > 0 {
		t.Errorf("got %d requests and %d lost, want none", got.KeyFrameRequests, got.RemoteLost)
	}
}

func near(got byte, want int) bool {
	d := int(got) - want
	return d > -8 && d < 8
}

// lastChunk reads the last whole chunk of a file that is being written.
func lastChunk(path string, size int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	chunks := info.Size() / size
	if chunks == 0 {
		return nil, fmt.Errorf("%s has %d bytes, want at least %d", path, info.Size(), size)
	}
	chunk := make([]byte, size)
	_, err = f.ReadAt(chunk, (chunks-1)*size)
	if err == io.EOF {
		err = nil
	}
	return chunk, err
}
