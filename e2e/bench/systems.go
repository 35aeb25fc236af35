// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
)

// system is one way to get a picture from here to there.
type system struct {
	name  string // for -only
	title string
	sound bool // it carries a voice, too
	ports int  // UDP ports from place.port on; 0: one process
	// send and receive are its programs. The one that sends reads pictures from standard input, the one that receives
	// writes them to file descriptor 3. A system of one process has no receive.
	send, receive func(place) []string
}

// place says where the two ends of a system are.
type place struct {
	peer        string // our own program
	sender      string // address
	receiver    string
	forSender   string // address that the sender takes for the receiver's
	forReceiver string
	port        int
	microphone  string // source at the sound server
}

// Names of the systems.
const (
	floorName  = "floor"
	secureName = "secure"
	plainName  = "plain"
	oldName    = "2020"
	srtName    = "srt"
	tunedName  = "srt-tuned"
	versusName = "versus"
)

// The systems that are compared.
func systems() []system {
	return []system{
		{name: floorName, title: "encode+decode", send: launch(floorText)},
		{name: secureName, title: "costream-obs, secure", sound: true, ports: 1, send: ours("-send"), receive: ours()},
		{name: plainName, title: "costream-obs, plain", sound: true, ports: 8, send: ours("-send", "-plain"), receive: ours("-plain")},
		{name: oldName, title: "costream of 2020", sound: true, ports: 8, send: launch(send2020), receive: launch(receive2020)},
		{name: srtName, title: "SRT, latency 125", ports: 1, send: launch(sendSRT, "LATENCY", "125"), receive: launch(receiveSRT, "LATENCY", "125")},
		{name: tunedName, title: "SRT, latency 20", ports: 1, send: launch(sendSRT, "LATENCY", "20"), receive: launch(receiveSRT, "LATENCY", "20")},
	}
}

// ours is the program of e2e/bench/peer.
func ours(flags ...string) func(place) []string {
	return func(p place) []string {
		args := append([]string{p.peer, "-port", fmt.Sprint(p.port)}, flags...)
		if flags != nil && flags[0] == "-send" {
			return append(args, "-peer", p.forSender, "-listen", p.sender, "-microphone", p.microphone)
		}
		return append(args, "-peer", p.forReceiver, "-listen", p.receiver)
	}
}

// versus is another build of our own program.
func versus(peer string) system {
	return system{
		name: versusName, title: "costream-obs, secure, another build", sound: true, ports: 1,
		send: instead(peer, ours("-send")), receive: instead(peer, ours()),
	}
}

// instead is what another build of the program of e2e/bench/peer does.
func instead(peer string, command func(place) []string) func(place) []string {
	return func(p place) []string {
		p.peer = peer
		return command(p)
	}
}

// launch is gst-launch-1.0 with a text in which words in capitals stand for what the place or the pairs of words say.
func launch(text string, words ...string) func(place) []string {
	return func(p place) []string {
		replace := append([]string{
			"FORSENDER", p.forSender, "FORRECEIVER", p.forReceiver, "SENDER", p.sender, "RECEIVER", p.receiver, "MICROPHONE", p.microphone,
		}, words...)
		for i := range 8 {
			replace = append(replace, fmt.Sprintf("PORT%d", i), fmt.Sprint(p.port+i))
		}
		return append([]string{"gst-launch-1.0"}, strings.Fields(strings.NewReplacer(replace...).Replace(text))...)
	}
}

// What takes the places of v4l2src and v4l2sink. The pictures get the time at which they come, as the driver of a device
// stamps them, in a thread of their own, since a device does not wait for its reader either; without that the pipeline of
// 2020 would not wait for its clock, and look better than it was. On the other side v4l2sink is a video sink, of which these
// are the defaults (GStreamer 1.22), while fdsink's differ.
const (
	source = "fdsrc fd=0 do-timestamp=true blocksize=1048576 ! queue max-size-buffers=0 max-size-time=0 max-size-bytes=8294400" +
		" ! rawvideoparse format=yuy2 width=1920 height=1080 framerate=30/1"
	videoSink = "fdsink fd=3 sync=true qos=true max-lateness=5000000 processing-deadline=15000000"
	atOnce    = "fdsink fd=3 sync=false"
)

// The pipelines of the 2020 scripts, word for word but for the two devices, ports of our choice and an address in front of
// each, since both ends share a machine.
const (
	send2020 = "-v rtpbin name=rtpbin latency=0 " + source +
		" ! videoscale ! videoconvert ! x264enc tune=zerolatency bitrate=1000 speed-preset=ultrafast ! rtph264pay" +
		" ! rtpbin.send_rtp_sink_0 rtpbin.send_rtp_src_0 ! udpsink host=FORSENDER port=PORT0" +
		" rtpbin.send_rtcp_src_0 ! udpsink host=FORSENDER port=PORT1 sync=false async=false" +
		" udpsrc address=SENDER port=PORT5 ! rtpbin.recv_rtcp_sink_0" +
		" pulsesrc device=MICROPHONE ! audio/x-raw,rate=44100 ! audioresample ! opusenc audio-type=voice ! rtpopuspay" +
		" ! rtpbin.send_rtp_sink_1 rtpbin.send_rtp_src_1 ! udpsink host=FORSENDER port=PORT2" +
		" rtpbin.send_rtcp_src_1 ! udpsink host=FORSENDER port=PORT3 sync=false async=false" +
		" udpsrc address=SENDER port=PORT7 ! rtpbin.recv_rtcp_sink_1"
	receive2020 = "-v rtpbin name=rtpbin latency=0" +
		" udpsrc address=RECEIVER caps=application/x-rtp,media=(string)video,clock-rate=(int)90000,encoding-name=(string)H264 port=PORT0" +
		" ! rtpbin.recv_rtp_sink_0 rtpbin. ! rtph264depay ! decodebin ! videoconvert ! video/x-raw,format=I420 ! " + videoSink +
		" udpsrc address=RECEIVER port=PORT1 ! rtpbin.recv_rtcp_sink_0" +
		" rtpbin.send_rtcp_src_0 ! udpsink host=FORRECEIVER port=PORT5 sync=false async=false" +
		" udpsrc caps=application/x-rtp,media=(string)audio,clock-rate=(int)48000,encoding-name=(string)OPUS,encoding-params=(string)1,octet-align=(string)1" +
		" address=RECEIVER port=PORT2 ! rtpbin.recv_rtp_sink_1" +
		" rtpbin. ! rtpopusdepay ! opusdec ! audioconvert ! audioresample ! pulsesink" +
		" udpsrc address=RECEIVER port=PORT3 ! rtpbin.recv_rtcp_sink_1" +
		" rtpbin.send_rtcp_src_1 ! udpsink host=FORRECEIVER port=PORT7 sync=false async=false"
)

// Our encoder and decoder with nothing between them, and with SRT. No sink waits for a clock.
const (
	encode = "videoconvert ! video/x-raw,format=I420 ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=3000 vbv-buf-capacity=100"
	decode = "avdec_h264 thread-type=slice max-threads=1 ! videoconvert ! video/x-raw,format=I420 ! " + atOnce

	floorText  = source + " ! " + encode + " key-int-max=3000 ! h264parse ! " + decode
	sendSRT    = source + " ! " + encode + " key-int-max=60 ! h264parse ! mpegtsmux alignment=7 ! srtsink uri=srt://FORSENDER:PORT0?mode=caller latency=LATENCY localaddress=SENDER localport=PORT0 sync=false async=false"
	receiveSRT = "srtsrc uri=srt://RECEIVER:PORT0?mode=listener latency=LATENCY ! tsdemux latency=0 ! h264parse ! " + decode
)
