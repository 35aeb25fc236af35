// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/encoders"
	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/media"
)

// errNoEncoders is the state of a machine of which nobody asks for its encoders.
var errNoEncoders = errors.New("the encoders are not looked at")

// tryEncoders waits for what the trials of the encoders find out.
func (m *Machine) tryEncoders(ctx context.Context, f media.VideoFormat) ([]encoders.Result, error) {
	if m.Options.Encoders == nil {
		return nil, errNoEncoders
	}
	return m.Options.Encoders.Survey(ctx, f)
}

// pictureFormat is the format of the pictures that we would send: OBS's, or a usual one.
func (m *Machine) pictureFormat(ctx context.Context) media.VideoFormat {
	obs, err := m.OBS(ctx)
	if err != nil || obs.Video.OutputW == 0 || obs.Video.FPSNum == 0 || obs.Video.FPSDen == 0 {
		return media.VideoFormat{W: 1920, H: 1080, FPSNum: 30, FPSDen: 1}
	}
	return media.VideoFormat{W: obs.Video.OutputW, H: obs.Video.OutputH, FPSNum: obs.Video.FPSNum, FPSDen: obs.Video.FPSDen}
}

// encoder is media.encoder.
func (m *Machine) encoder(ctx context.Context) doctor.Result {
	const why = "The encoder makes the picture small enough for the network. One of a graphics card does so beside the processor, which a game and OBS need."
	d, err := m.Daemon(ctx)
	if e := d.Encoder; err == nil && e != nil {
		text := fmt.Sprintf("%s, %s of %s for a picture: %s", e.Name, milliseconds(e.PerFrame.Duration()), milliseconds(e.Frame.Duration()), e.Why)
		if i := slices.Index(d.Report.Codes, problem.Encoder); i >= 0 {
			return doctor.Result{Status: doctor.Fail, Detail: d.Report.Problems[i] + ".", Why: why,
				Next: updateDriver(d.Report.Problems[i], ", and start costream-obs again") + "To use another encoder from the start: `costream-obs run --encoder " + e.Name + "`"}
		}
		return doctor.Fine("%s", text)
	}
	format := m.pictureFormat(ctx)
	results, err := m.Encoders(ctx, format)
	if err != nil {
		return doctor.Skipped("%v", err)
	}
	var refused []string
	first := ""
	for _, r := range results {
		switch {
		case r.Absent:
		case r.Passed():
			text := fmt.Sprintf("%s, %s of %s for a picture of %v", r.Name, milliseconds(r.PerFrame), milliseconds(format.FrameTime()), format)
			if len(refused) == 0 {
				return doctor.Fine("%s", text)
			}
			return doctor.Result{Status: doctor.Fail, Detail: strings.Join(refused, "; ") + "; in its place: " + text + ".", Why: why,
				Next: updateDriver(strings.Join(refused, "; "), "") + "`gst-inspect-1.0 " + first + "` shows what GStreamer knows of it."}
		default:
			refused = append(refused, fmt.Sprintf("%s did not pass its trial (%s)", r.Name, r.Fault))
			if first == "" {
				first = r.Name
			}
		}
	}
	if len(refused) == 0 {
		return doctor.Result{Status: doctor.Fail, Detail: "GStreamer has no H.264 encoder.", Why: why,
			Next: "Install one: `sudo apt install gstreamer1.0-plugins-ugly`"}
	}
	return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("No encoder passed its trial at %v: %s.", format, strings.Join(refused, "; ")), Why: why,
		Next: "Close what keeps the processor busy, or lower the output resolution or the frame rate in OBS, and run doctor again."}
}

// updateDriver is what to do where a text names a hardware encoder, as a sentence with an end; empty where it names none.
func updateDriver(text, end string) string {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if media.HardwareEncoder(word) {
			return "Update the driver of the graphics card" + end + ". "
		}
	}
	return ""
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) }
