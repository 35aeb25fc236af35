// SPDX-License-Identifier: Apache-2.0

package call

import (
	"encoding/json"
	"math"
	"time"
)

// Figures are what a call measures of itself. What nobody measures, as on a link whose peer reports nothing, is left out: a
// nil pointer is not 0.
type Figures struct {
	// Since is when the call began, and At when the figures were measured.
	Since time.Time `json:"on_air_since"`
	At    time.Time `json:"measured_at"`
	Out   Direction `json:"out"`
	In    Direction `json:"in"`
	// RoundTrip is the time of a packet to the peer and back.
	RoundTrip *Millis `json:"round_trip_ms,omitempty"`
	// Picture and Voice are how late the peer is here.
	Picture *Delay `json:"picture,omitempty"`
	Voice   *Delay `json:"voice,omitempty"`
	// PictureAfterVoice is by how much later the peer's picture is seen than the voice is heard; negative where it is
	// seen earlier.
	PictureAfterVoice *Millis  `json:"picture_after_voice_ms,omitempty"`
	Encoder           *Encoder `json:"encoder,omitempty"`
	Dropped           Dropped  `json:"dropped"`
	// VoiceBreaks is how often the peer's voice broke off here since we went on air: there was nothing to play, or too much.
	VoiceBreaks *int `json:"voice_breaks,omitempty"`
}

// Direction is what goes one way, picture and voice together.
type Direction struct {
	// Kbps is the bitrate of the last three seconds, in kbit/s, without the headers of UDP and IP. On a secure link it
	// includes encryption and all that recovers lost packets.
	Kbps int `json:"kbps"`
	// Loss is the share of packets of the last ten seconds that did not arrive when they were sent, and LossAfterRepair of
	// those that did not arrive at all; in percent. A plain link recovers nothing, so it has only Loss.
	Loss            *Percent `json:"loss_percent,omitempty"`
	LossAfterRepair *Percent `json:"loss_after_repair_percent,omitempty"`
}

// Delay is the time of a picture, or of a voice, from the peer's programme to ours. The parts add up to Total.
type Delay struct {
	Total Millis `json:"total_ms"`
	// Peer is what the peer's machine takes: OBS, capture, encoder and sending.
	Peer Millis `json:"peer_ms"`
	// Network is half of the round-trip time.
	Network Millis `json:"network_ms"`
	// Receive is what we take from the arrival to the screen or the ear: decoder and jitter buffer; for the voice also
	// the sound server.
	Receive Millis `json:"receive_ms"`
	// OBS is from there to our programme. It is negative for the voice, which OBS records before it is heard.
	OBS Millis `json:"obs_ms"`
	// Wait is the delay that A/V sync adds.
	Wait Millis `json:"wait_ms"`
}

// Encoder is the encoder of our picture and its load in the last ten seconds.
type Encoder struct {
	Name string `json:"name"`
	// Why says why this one is used.
	Why string `json:"why,omitempty"`
	// PerFrame is how long it works on a picture, and Frame the time from one picture to the next.
	PerFrame Millis `json:"per_frame_ms"`
	Frame    Millis `json:"frame_ms"`
	// OneIn says that only one picture in so many is encoded, because this machine is too slow for all; 0 where all are.
	OneIn int `json:"one_in,omitempty"`
	// Smaller is the size that pictures are encoded in, such as 640x360, because one in OneIn is still too much for this machine;
	// empty where they keep their size.
	Smaller string `json:"smaller,omitempty"`
}

// Dropped are pictures that were lost since we went on air, by who lost them.
type Dropped struct {
	// OBS are those of our programme that OBS missed due to rendering lag.
	OBS *int `json:"obs,omitempty"`
	// Us are those that we replaced by newer ones because this machine was too slow, ours and the peer's.
	Us *int `json:"us,omitempty"`
	// Network are those of ours that the network was too slow for, and those of the peer of which packets never came, or
	// which need one of those.
	Network *int `json:"network,omitempty"`
}

// Millis is a time that JSON has as a number of milliseconds, with one decimal.
type Millis time.Duration

// MarshalJSON writes it.
func (m Millis) MarshalJSON() ([]byte, error) { return json.Marshal(m.float()) }

// UnmarshalJSON reads it.
func (m *Millis) UnmarshalJSON(data []byte) error {
	var ms float64
	err := json.Unmarshal(data, &ms)
	*m = Millis(ms * float64(time.Millisecond))
	return err
}

func (m Millis) float() float64 { return math.Round(float64(m)/float64(time.Millisecond)*10) / 10 }

// Duration is the time in Go's terms.
func (m Millis) Duration() time.Duration { return time.Duration(m) }

// Percent is a share that JSON has in percent, with two decimals.
type Percent float64

// MarshalJSON writes it.
func (p Percent) MarshalJSON() ([]byte, error) { return json.Marshal(math.Round(float64(p)*100) / 100) }

// Figures are the newest figures. They are measured once a second; ok is false before the first time.
func (c *Call) Figures() (figures Figures, ok bool) {
	f := c.figures.Load()
	if f == nil {
		return Figures{}, false
	}
	return *f, true
}
