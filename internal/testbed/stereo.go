// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"time"
)

// StereoFile writes a WAV file with one tone at the left and one at the right, and returns its path.
func StereoFile(tb TB, left, right Tone, d time.Duration) string {
	tb.Helper()
	const channels, bytes = 2, 2 // of a sample
	frames := int64(d.Seconds() * SampleRate)
	size := uint32(frames * channels * bytes)
	le := binary.LittleEndian
	wav := append([]byte("RIFF"), le.AppendUint32(nil, 36+size)...)
	wav = append(wav, "WAVEfmt "...)
	wav = le.AppendUint32(wav, 16)
	wav = le.AppendUint16(wav, 1) // PCM
	wav = le.AppendUint16(wav, channels)
	wav = le.AppendUint32(wav, SampleRate)
	wav = le.AppendUint32(wav, SampleRate*channels*bytes)
	wav = le.AppendUint16(wav, channels*bytes)
	wav = le.AppendUint16(wav, 8*bytes)
	wav = append(wav, "data"...)
	wav = le.AppendUint32(wav, size)
	wav = appendSamples(wav, 0, frames, []Tone{left, right})
	path := filepath.Join(tb.TempDir(), "stereo.wav")
	if err := os.WriteFile(path, wav, 0o600); err != nil {
		tb.Fatalf("%v", err)
	}
	return path
}

// RecordStereo records the left and the right channel of a source, or of a sink's monitor, for a while.
func (p *Pulse) RecordStereo(source string, d time.Duration) (left, right []float64) {
	p.tb.Helper()
	both, err := p.record(source, d, 2)
	if err != nil {
		p.tb.Fatalf("%v", err)
	}
	for i := 0; i+1 < len(both); i += 2 {
		left, right = append(left, both[i]), append(right, both[i+1])
	}
	return left, right
}

// PlayStereo is PlayTone with one tone at the left and one at the right.
func (p *Pulse) PlayStereo(sink string, left, right Tone) (stop func()) {
	p.tb.Helper()
	return p.keepPlaying(sink, left, right)
}
