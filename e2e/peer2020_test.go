// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"fmt"
	"image"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// The pipelines of the 2020 scripts, word for word but for the devices, whose place test sources
// and files take, and for an address in front of two more ports, since here both friends share one
// machine. %[1]s is the peer's address, %[2]s the own one, the rest are files.
const (
	send2020 = "-v rtpbin name=rtpbin latency=0" +
		" videotestsrc is-live=true pattern=red ! video/x-raw,width=640,height=360,framerate=30/1" +
		" ! videoscale ! videoconvert ! x264enc tune=zerolatency bitrate=1000 speed-preset=ultrafast ! rtph264pay" +
		" ! rtpbin.send_rtp_sink_0 rtpbin.send_rtp_src_0 ! udpsink host=%[1]s port=5000" +
		" rtpbin.send_rtcp_src_0 ! udpsink host=%[1]s port=5001 sync=false async=false" +
		" udpsrc address=%[2]s port=5005 ! rtpbin.recv_rtcp_sink_0" +
		" audiotestsrc is-live=true freq=440 ! audio/x-raw,rate=44100 ! audioresample ! opusenc audio-type=voice ! rtpopuspay" +
		" ! rtpbin.send_rtp_sink_1 rtpbin.send_rtp_src_1 ! udpsink host=%[1]s port=5002" +
		" rtpbin.send_rtcp_src_1 ! udpsink host=%[1]s port=5003 sync=false async=false" +
		" udpsrc address=%[2]s port=5007 ! rtpbin.recv_rtcp_sink_1"
	receive2020 = "-v rtpbin name=rtpbin latency=0" +
		" udpsrc address=%[2]s caps=application/x-rtp,media=(string)video,clock-rate=(int)90000,encoding-name=(string)H264 port=5000" +
		" ! rtpbin.recv_rtp_sink_0" +
		" rtpbin. ! rtph264depay ! decodebin ! videoconvert ! video/x-raw,format=I420 ! filesink buffer-mode=unbuffered location=%[3]s" +
		" udpsrc address=%[2]s port=5001 ! rtpbin.recv_rtcp_sink_0" +
		" rtpbin.send_rtcp_src_0 ! udpsink host=%[1]s port=5005 sync=false async=false" +
		" udpsrc caps=application/x-rtp,media=(string)audio,clock-rate=(int)48000,encoding-name=(string)OPUS,encoding-params=(string)1,octet-align=(string)1" +
		" address=%[2]s port=5002 ! rtpbin.recv_rtp_sink_1" +
		" rtpbin. ! rtpopusdepay ! opusdec ! audioconvert ! audioresample ! audio/x-raw,format=S16LE,channels=1,rate=48000" +
		" ! filesink buffer-mode=unbuffered location=%[4]s" +
		" udpsrc address=%[2]s port=5003 ! rtpbin.recv_rtcp_sink_1" +
		" rtpbin.send_rtcp_src_1 ! udpsink host=%[1]s port=5007 sync=false async=false"
)

// TestReal2020Peer: Alice's friend still uses the scripts of 2020. They get her picture and voice,
// and she gets theirs.
func TestReal2020Peer(t *testing.T) {
	testbed.Need(t)
	alice := e2e.NewPerson(t, e2e.Alice(), testbed.NewDisplay(t))
	friend := &e2e.Person{PersonOptions: e2e.PersonOptions{Name: "friend of 2020"}, Address: testbed.LoopbackAddress(t)}
	video, audio := filepath.Join(t.TempDir(), "video"), filepath.Join(t.TempDir(), "audio")
	companion := alice.Run(binary, friend)
	companion.Await(e2e.Ready, readyLimit)

	for name, text := range map[string]string{"2020 sender": send2020, "2020 receiver": receive2020} {
		args := strings.Fields(strings.NewReplacer("%[1]s", alice.Address, "%[2]s", friend.Address, "%[3]s", video, "%[4]s", audio).Replace(text))
		testbed.Start(t, testbed.Command{Name: name, Path: "gst-launch-1.0", Args: args})
	}
	alice.OBS.StartStream()
	companion.Await(e2e.OnAirWithPeer, airLimit)

	red := color.RGBA{0xff, 0, 0, 0xff}
	testbed.Await(t, "Alice sees the friend's red picture", pictureLimit, func() error {
		img, err := alice.OBS.TryScreenshot(e2e.PeerInput)
		if err != nil {
			return err
		}
		return testbed.CheckRegion(img, img.Bounds().Inset(img.Bounds().Dy()/4), red, 40)
	})
	testbed.Await(t, "Alice hears the friend's 440 Hz", pictureLimit, func() error {
		return toneIn(alice.Pulse.Record(testbed.Headphones+".monitor", secondOfSound), 440)
	})
	testbed.Await(t, "the friend sees Alice's programme", airLimit, func() error {
		img, err := lastI420(video, alice.Width, alice.Height)
		if err != nil {
			return err
		}
		quarter := e2e.Quarters(img.Bounds().Size())[0]
		return testbed.CheckRegion(img, quarter.Inset(quarter.Dy()/4), alice.Colours[0], 24)
	})
	testbed.Await(t, "the friend hears Alice's 1 kHz", airLimit, func() error {
		sound, err := lastSound(audio, 2*testbed.SampleRate)
		if err != nil {
			return err
		}
		return testbed.CheckBursts(sound, alice.Voice, 0.1)
	})
}

func toneIn(samples []float64, hz float64) error {
	if tone, other := testbed.ToneLevel(samples, hz), testbed.ToneLevel(samples, 3*hz); tone < 0.1 || other > tone/10 {
		return fmt.Errorf("level %.3f at %.0f Hz and %.3f at %.0f Hz", tone, hz, other, 3*hz)
	}
	return nil
}

// lastI420 reads the last whole picture of a file of raw pictures that grows.
func lastI420(path string, w, h int) (image.Image, error) {
	data, err := lastBytes(path, int64(w*h*3/2), int64(w*h*3/2))
	if err != nil {
		return nil, err
	}
	img := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	copy(img.Y, data)
	copy(img.Cb, data[w*h:])
	copy(img.Cr, data[w*h*5/4:])
	return fullRange{img}, nil
}

// fullRange shows a picture of BT.709 video range in RGB; image.YCbCr takes it for JPEG's.
type fullRange struct{ *image.YCbCr }

func (f fullRange) ColorModel() color.Model { return color.RGBAModel }

func (f fullRange) At(x, y int) color.Color {
	c := f.YCbCrAt(x, y)
	luma := 1.164 * (float64(c.Y) - 16)
	cb, cr := float64(c.Cb)-128, float64(c.Cr)-128
	clamp := func(v float64) uint8 { return uint8(max(0, min(255, v))) }
	return color.RGBA{clamp(luma + 1.793*cr), clamp(luma - 0.213*cb - 0.533*cr), clamp(luma + 2.112*cb), 0xff}
}

// lastSound reads the last samples of a file of 16-bit mono sound that grows.
func lastSound(path string, samples int) ([]float64, error) {
	data, err := lastBytes(path, int64(2*samples), 2)
	if err != nil {
		return nil, err
	}
	out := make([]float64, samples)
	for i := range out {
		out[i] = float64(int16(uint16(data[2*i])|uint16(data[2*i+1])<<8)) / 32768
	}
	return out, nil
}

// lastBytes reads the end of a file that grows in units of some bytes.
func lastBytes(path string, n, unit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	end := info.Size() / unit * unit
	if end < n {
		return nil, fmt.Errorf("%s has %d bytes, want at least %d", filepath.Base(path), info.Size(), n)
	}
	data := make([]byte, n)
	if _, err := f.ReadAt(data, end-n); err != nil && err != io.EOF {
		return nil, err
	}
	return data, nil
}
