// SPDX-License-Identifier: Apache-2.0

package media

import "strconv"

const (
	defaultBitrateKbps = 3000
	// defaultKeyInt makes key frames come on request only, each being 65 to
	// 110 KB at 1080p (measured).
	defaultKeyInt = 3000
)

// EncoderOptions say how pictures are compressed. The zero value is right for
// a peer who can ask for key frames.
type EncoderOptions struct {
	// BitrateKbps is the target in kbit/s; 0 means 3000, at which still text
	// is visually lossless at 1080p30 (measured).
	BitrateKbps int
	// KeyInt is the largest distance of key frames in pictures; 0 means 3000,
	// that is, on request. A peer of 2020 cannot ask and needs about 60.
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

// encoder is a chosen encoder: its element, and how its bitrate is set while
// it runs.
type encoder struct {
	node    node
	bitrate func(kbps int) []property
}

// property is a property of an element, and its value as launch text has it.
type property struct{ name, value string }

// nameEncoder is the name of the encoder's element in the launch text.
const nameEncoder = "encoder"

// chooseEncoder returns the encoder for this machine. It is the one place that
// knows encoders; hardware ones belong before x264, which is always the last
// resort.
func chooseEncoder(o EncoderOptions) encoder {
	return encoder{
		node: element("x264enc", prop("name", nameEncoder), "tune=zerolatency", "speed-preset=ultrafast",
			intProp("bitrate", o.BitrateKbps), intProp("key-int-max", o.KeyInt), intProp("vbv-buf-capacity", vbvMillis(o.BitrateKbps))),
		bitrate: func(kbps int) []property {
			return []property{{"bitrate", strconv.Itoa(kbps)}, {"vbv-buf-capacity", strconv.Itoa(liveVBVMillis(kbps))}}
		},
	}
}

// vbvMillis returns how much of the bitrate one picture may take, in
// milliseconds. 100 bounds a key frame at 20 Mbit/s of uplink to 26 ms; at
// 1 Mbit/s that is too tight for a legible key frame (measured).
func vbvMillis(kbps int) int {
	if kbps < 2000 {
		return 300
	}
	return 100
}

// liveVBVMillis is vbvMillis for a bitrate that follows a path. A low one has
// been found by filling the path, where a picture of 100 ms takes that long and is
// seen to come late; 75 costs 1 dB (measured at 3 Mbit/s). At the lowest rates a key
// frame must be recognisable still.
func liveVBVMillis(kbps int) int {
	if kbps < 2000 {
		return min(max(100_000/kbps, 75), 300)
	}
	return vbvMillis(kbps)
}
