// SPDX-License-Identifier: Apache-2.0

package link

import (
	"fmt"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// The 2020 scripts' pipelines, word for word but for the devices, whose place test sources and sinks take, and the
// ports, which are free ones here.

// send2020 starts send-to-peer.go's pipeline.
func send2020(t *testing.T, peer, listen string, base int, env ...string) *testbed.Process {
	text := fmt.Sprintf("-v rtpbin name=rtpbin latency=0"+
		" videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=30/1"+
		" ! videoscale ! videoconvert ! x264enc tune=zerolatency bitrate=1000 speed-preset=ultrafast ! rtph264pay"+
		" ! rtpbin.send_rtp_sink_0 rtpbin.send_rtp_src_0 ! udpsink host=%[1]s port=%[3]d"+
		" rtpbin.send_rtcp_src_0 ! udpsink host=%[1]s port=%[4]d sync=false async=false"+
		" udpsrc address=%[2]s port=%[7]d ! rtpbin.recv_rtcp_sink_0"+
		" audiotestsrc is-live=true ! audio/x-raw,rate=44100 ! audioresample ! opusenc audio-type=voice ! rtpopuspay"+
		" ! rtpbin.send_rtp_sink_1 rtpbin.send_rtp_src_1 ! udpsink host=%[1]s port=%[5]d"+
		" rtpbin.send_rtcp_src_1 ! udpsink host=%[1]s port=%[6]d sync=false async=false"+
		" udpsrc address=%[2]s port=%[8]d ! rtpbin.recv_rtcp_sink_1",
		peer, listen, base, base+1, base+2, base+3, base+5, base+7)
	return gst(t, "2020 sender", text, env...)
}

func gst(t *testing.T, name, text string, env ...string) *testbed.Process {
	t.Helper()
	return testbed.Start(t, testbed.Command{Name: name, Path: "gst-launch-1.0", Args: strings.Fields(text), Env: append([]string{"PATH=/usr/bin:/bin", "HOME=" + t.TempDir()}, env...)})
}

// receive2020 starts recv-from-peer.go's pipeline.
func receive2020(t *testing.T, peer, listen string, base int, video, audio string, env ...string) *testbed.Process {
	text := fmt.Sprintf("-v rtpbin name=rtpbin latency=0"+
		" udpsrc address=%[2]s caps=application/x-rtp,media=(string)video,clock-rate=(int)90000,encoding-name=(string)H264 port=%[3]d"+
		" ! rtpbin.recv_rtp_sink_0 rtpbin. ! rtph264depay ! decodebin ! videoconvert ! %[9]s"+
		" udpsrc port=%[4]d ! rtpbin.recv_rtcp_sink_0"+
		" rtpbin.send_rtcp_src_0 ! udpsink host=%[1]s port=%[7]d sync=false async=false"+
		" udpsrc caps=application/x-rtp,media=(string)audio,clock-rate=(int)48000,encoding-name=(string)OPUS,encoding-params=(string)1,octet-align=(string)1"+
		" address=%[2]s port=%[5]d ! rtpbin.recv_rtp_sink_1"+
		" rtpbin. ! rtpopusdepay ! opusdec ! audioconvert ! audioresample ! %[10]s"+
		" udpsrc port=%[6]d ! rtpbin.recv_rtcp_sink_1"+
		" rtpbin.send_rtcp_src_1 ! udpsink host=%[1]s port=%[8]d sync=false async=false",
		peer, listen, base, base+1, base+2, base+3, base+5, base+7, video, audio)
	return gst(t, "2020 receiver", text, env...)
}
