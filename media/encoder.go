// SPDX-License-Identifier: Apache-2.0

package media

import (
	"fmt"
	"slices"

	"github.com/costream-obs/costream-obs/media/internal/pipe"
)

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
	// Choice is the encoder; without a name it is a software encoder.
	Choice EncoderChoice
}

// EncoderChoice is an encoder, and why it is taken.
type EncoderChoice struct {
	// Name is that of its GStreamer element, one of EncoderNames.
	Name string
	// Why is a phrase for the user.
	Why string
	// KeyOnRate says that each change of the bitrate makes a key frame, so that the sender changes it less often.
	KeyOnRate bool
	// Provisional says that a better encoder may be known soon.
	Provisional bool
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

// property is a property of an element, with its value as in launch text.
type property struct{ name, value string }

// Names of the encoder's element in the launch text, and of the one before it that gives it its pixel format.
const (
	nameEncoder = "encoder"
	nameFit     = "fit"
)

// encoder is an encoder in a pipeline: its elements, and how its bitrate is changed.
type encoder struct {
	row   *encoderRow
	nodes []node
	// first is the name of the element that takes I420 pictures.
	first   string
	bitrate func(kbps, vbv int) []property
}

// chooseEncoder returns the encoder for pictures of a format.
func chooseEncoder(o EncoderOptions, f VideoFormat) (encoder, error) {
	row := softwareEncoder()
	if o.Choice.Name != "" {
		if row = encoderNamed(o.Choice.Name); row == nil {
			return encoder{}, fmt.Errorf("unknown encoder %s", o.Choice.Name)
		}
	}
	fit := func(properties []property) []property { return fitting(pipe.Fit, row.name, properties) }
	texts := []string{prop("name", nameEncoder)}
	for _, p := range fit(append(row.fixed(o), row.rate(o.BitrateKbps, vbvMillis(o.BitrateKbps))...)) {
		texts = append(texts, prop(p.name, p.value))
	}
	e := encoder{
		row: row, first: nameShrink, nodes: shrinking(f),
		bitrate: func(kbps, vbv int) []property { return fit(row.live(kbps, vbv)) },
	}
	if row.format != "I420" {
		e.nodes = append(e.nodes, element("videoconvert", prop("name", nameFit), "matrix-mode=none"), caps("video/x-raw,format="+row.format))
	}
	e.nodes = append(e.nodes, element(row.name, texts...))
	if row.output != nil {
		e.nodes = append(e.nodes, caps(row.output(f)))
	}
	return e, nil
}

// fitting are those properties that an element has with such a value. Of several with one name, which are for different versions
// of GStreamer, it is the first.
func fitting(fit func(factory, property, value string) (string, bool), factory string, properties []property) []property {
	var out []property
	for _, p := range properties {
		if slices.ContainsFunc(out, func(o property) bool { return o.name == p.name }) {
			continue
		}
		if value, ok := fit(factory, p.name, p.value); ok {
			out = append(out, property{p.name, value})
		}
	}
	return out
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
