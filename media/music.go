// SPDX-License-Identifier: Apache-2.0

package media

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
)

const (
	// musicBitrateBps is the target for stereo music.
	musicBitrateBps = 128000
	// nameMusic is the name of the appsink with the packets of music.
	nameMusic = "music"
	// nameSplit is the name of the element from which both encoders get the sound.
	nameSplit = "split"
)

// musicEncoder has no in-band repair of lost packets: Opus repairs voices alone in that way.
func musicEncoder() node {
	return element("opusenc", "audio-type=generic", "frame-size=10", intProp("bitrate", musicBitrateBps))
}

// splitPayloader is a payloader beside another one for the same sound. Both give the same sound the same timestamp.
func splitPayloader() node {
	return element("rtpopuspay", intProp("pt", payloadType), intProp("mtu", packetSize), "timestamp-offset=0", "perfect-rtptime=false")
}

// twoQualities are the encoders of a sender that can send music: one for a voice, in mono, and one for music, in stereo. Both
// run all the time, so that one can follow the other without a gap.
func twoQualities(bps int) []node {
	return []node{
		element("tee", prop("name", nameSplit)),
		branch(nameSplit), element("audioconvert"), caps("audio/x-raw,channels=1"), opusEncoder(bps), splitPayloader(), packetSink(),
		branch(nameSplit), musicEncoder(), splitPayloader(), element("appsink", prop("name", nameMusic), "sync=false", "async=false"),
	}
}

// mostKept is how many packets one encoder can be ahead of the other without a loss at a change.
const mostKept = 32

// qualities makes one RTP stream of the packets of two encoders of the same sound, of which one is chosen. Each piece of
// sound is in it once.
type qualities struct {
	music bool // the chosen one
	ssrc  uint32

	begun  bool
	seq    uint16
	stamp  uint32   // of the last packet
	ahead  [][]byte // packets after the last one, of the encoder that is not chosen
	packet []byte
}

func newQualities() *qualities { return &qualities{ssrc: rand.Uint32(), seq: uint16(rand.Uint32())} }

// choose changes which encoder's packets are passed on, from the next piece of sound.
func (q *qualities) choose(music bool, out func([]byte)) {
	if music == q.music {
		return
	}
	q.music = music
	for _, packet := range q.ahead {
		q.send(packet, out)
	}
	q.ahead = nil
}

// pass takes a packet of one of the encoders and passes on what belongs into the stream now. What it passes on is valid
// during the call.
func (q *qualities) pass(music bool, packet []byte, out func([]byte)) {
	switch {
	case len(packet) < rtpHeader || q.begun && !q.follows(packet):
	case music == q.music:
		q.send(packet, out)
		q.ahead = slices.DeleteFunc(q.ahead, func(kept []byte) bool { return !q.follows(kept) })
	default:
		q.ahead = append(q.ahead[max(0, len(q.ahead)+1-mostKept):], slices.Clone(packet))
	}
}

// follows reports whether a packet's sound comes after that of the last packet.
func (q *qualities) follows(packet []byte) bool { return int32(rtpTime(packet)-q.stamp) > 0 }

func (q *qualities) send(packet []byte, out func([]byte)) {
	q.packet = append(q.packet[:0], packet...)
	q.begun, q.stamp = true, rtpTime(packet)
	q.seq++
	binary.BigEndian.PutUint16(q.packet[2:], q.seq)
	binary.BigEndian.PutUint32(q.packet[8:], q.ssrc)
	out(q.packet)
}

// rtpHeader is the length of an RTP header without extensions.
const rtpHeader = 12

// rtpTime is the timestamp of an RTP packet.
func rtpTime(packet []byte) uint32 { return binary.BigEndian.Uint32(packet[4:]) }
