// SPDX-License-Identifier: Apache-2.0

package media

import "strconv"

const (
	defaultBitrateKbps = 3000
	// defaultKeyInt makes key frames come on request only, because each has 65 to 110 KB at 1080p (measured).
	defaultKeyInt = 3000
)

// EncoderOptions say how pictures are compressed. The zero value is right for a peer that can ask for key frames.
type EncoderOptions struct {
	// BitrateKbps is the target in kbit/s; 0 means 3000, at which static text is visually lossless at 1080p30 (measured).
	BitrateKbps int
	// KeyInt is the largest distance of key frames in pictures; 0 means 3000, which is on request. A peer of 2020 cannot
	// ask, and needs about 60.
	KeyInt int
}

func (o EncoderOptions) normal() EncoderOptions {
	if o.BitrateKbps <= 0 {
		o.BitrateKbps = defaultBitrateKbps
	}
	if o.KeyInt <= 0 {
		o.KeyInt = defaultKeyInt
	}
	return o
}

// encoder is a chosen encoder: its element, and how its bitrate is changed.
type encoder struct {
	node    node
	bitrate func(kbps int) []property
}

// property is a property of an element, with its value as in launch text.
type property struct{ name, value string }

// nameEncoder is the name of the encoder's element in the launch text.
const nameEncoder = "encoder"

// chooseEncoder returns the encoder for this machine. It is the only place that knows encoders. Hardware encoders should
// come before x264, the last resort.
func chooseEncoder(o EncoderOptions) encoder {
	return encoder{
		node: element("x264enc", prop("name", nameEncoder), "tune=zerolatency", "speed-preset=ultrafast",
			intProp("bitrate", o.BitrateKbps), intProp("key-int-max", o.KeyInt), intProp("vbv-buf-capacity", vbvMillis(o.BitrateKbps))),
		bitrate: func(kbps int) []property {
			return []property{{"bitrate", strconv.Itoa(kbps)}, {"vbv-buf-capacity", strconv.Itoa(liveVBVMillis(kbps))}}
		},
	}
}

// vbvMillis returns how much of the bitrate one picture may take, in milliseconds. 100 limits a key frame to 26 ms on 20
// Mbit/s of uplink; at 1 Mbit/s that is too little for a legible key frame (measured).
func vbvMillis(kbps int) int {
	if kbps < 2000 {
		return 300
	}
	return 100
}

// liveVBVMillis is vbvMillis for a bitrate that adapts to the network. A low one was found by filling the path, on which a
// picture of 100 ms takes that long and visibly arrives late. 75 costs 1 dB (measured at 3 Mbit/s). At the lowest bitrates a
// key frame must still be recognisable.
func liveVBVMillis(kbps int) int {
	if kbps < 2000 {
		return min(max(100_000/kbps, 75), 300)
	}
	return vbvMillis(kbps)
}
