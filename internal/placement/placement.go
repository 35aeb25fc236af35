// SPDX-License-Identifier: Apache-2.0

// Package placement says which streams at the sound server are on the wrong sink or source while a co-stream is on air: those
// of costream-obs, and those of OBS and other programs that would send something else to the peer. `run`, which moves them
// back, and doctor use the same rule. The package does not talk to the sound server and moves nothing.
package placement

import (
	"fmt"
	"slices"
	"strings"

	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/media"
)

const (
	// ToPeerSink is the null sink that OBS's monitoring plays to and our sender records from.
	ToPeerSink = "costream_topeer"
	// FromPeerSink is the null sink with the peer's voice, which an OBS input captures.
	FromPeerSink = "costream_frompeer"
	// OBSClient is OBS's name at the sound server (measured, 29.0.2).
	OBSClient = "OBS"
)

// MonitorsOf are the streams with which one OBS plays what it monitors, by input.
func MonitorsOf(streams []pulse.SinkInput, pid int) map[string]pulse.SinkInput {
	return ofOBS(streams, func(in pulse.SinkInput) pulse.Stream { return in.Stream }, pid)
}

// CapturesOf are the streams with which one OBS records, by input.
func CapturesOf(streams []pulse.SourceOutput, pid int) map[string]pulse.SourceOutput {
	return ofOBS(streams, func(out pulse.SourceOutput) pulse.Stream { return out.Stream }, pid)
}

// ofOBS selects the streams of one OBS. An OBS in a sandbox may report another process id than the one that we see; if no id
// matches, the program's name decides.
func ofOBS[T any](streams []T, stream func(T) pulse.Stream, pid int) map[string]T {
	byPID, byName := make(map[string]T), make(map[string]T)
	for _, s := range streams {
		st := stream(s)
		if st.Properties["application.name"] != OBSClient {
			continue
		}
		byName[st.MediaName()] = s
		if st.PID() == pid {
			byPID[st.MediaName()] = s
		}
	}
	if len(byPID) > 0 {
		return byPID
	}
	return byName
}

// View is which streams play and record where at the sound server.
type View struct {
	Sinks, Sources map[int]string // names
	Playing        []pulse.SinkInput
	Recording      []pulse.SourceOutput
}

// Want is where streams belong.
type Want struct {
	PID   int      // the process id of costream-obs
	Mics  []string // inputs of OBS whose monitoring may play to our sink
	Voice string   // source that our voice is recorded from
}

// Stray is a stream in a wrong place.
type Stray struct {
	Name      string // for messages
	Index     int
	Recording bool
	At, Home  string // names of sinks or sources; Home is "" where it is not ours to move
}

// String says where the stream is.
func (s Stray) String() string { return fmt.Sprintf("%s is on %s", s.Name, s.At) }

// Strays lists the streams that must be moved before our voice may be sent: our own that are elsewhere, and everything
// except OBS's microphones that plays to the sink for the peer. voiceThere reports whether our voice is recorded at all.
func (v View) Strays(want Want) (strays []Stray, voiceThere bool) {
	reader := ToPeerSink + ".monitor"
	anywhere := strings.HasPrefix(want.Voice, "@") // a name of the server's own, such as @DEFAULT_SOURCE@
	for _, r := range v.Recording {
		purpose := r.Properties[media.StreamProperty]
		if at := v.Sources[r.Source]; want.captures(r) && slices.Contains([]string{reader, FromPeerSink + ".monitor"}, at) {
			// When its source is gone, the sound server moves a microphone's stream to another one.
			strays = append(strays, Stray{Name: fmt.Sprintf("OBS's recording of %q", r.MediaName()), Index: r.Index, Recording: true, At: at})
		}
		if r.PID() != want.PID || purpose == "" {
			continue
		}
		home := reader
		if purpose == media.StreamVoice {
			home, voiceThere = want.Voice, true
		}
		if at := v.Sources[r.Source]; at != home && !(purpose == media.StreamVoice && anywhere) {
			strays = append(strays, Stray{Name: "the recording stream of costream-obs", Index: r.Index, Recording: true, At: at, Home: home})
		}
	}
	for _, p := range v.Playing {
		at := v.Sinks[p.Sink]
		switch purpose := p.Properties[media.StreamProperty]; {
		case p.PID() == want.PID && purpose != "":
			if home := media.SpeakerSink(purpose); home != "" && at != home || home == "" && slices.Contains([]string{ToPeerSink, FromPeerSink}, at) {
				if home == "" {
					home = "@DEFAULT_SINK@"
				}
				strays = append(strays, Stray{Name: "the peer's voice", Index: p.Index, At: at, Home: home})
			}
		case at == ToPeerSink && want.Voice == reader && !want.monitors(p):
			strays = append(strays, Stray{Name: streamName(p.Stream), Index: p.Index, At: at})
		}
	}
	return strays, voiceThere
}

// VoiceStream is the number of the stream that records our voice, or -1.
func (v View) VoiceStream(want Want) int {
	for _, r := range v.Recording {
		if r.PID() == want.PID && r.Properties[media.StreamProperty] == media.StreamVoice {
			return r.Index
		}
	}
	return -1
}

// monitors reports whether a stream is OBS's monitoring of a microphone. An OBS in a sandbox may report another process id
// than the one that we see.
func (want Want) monitors(p pulse.SinkInput) bool {
	return p.Properties["application.name"] == OBSClient && slices.Contains(want.Mics, p.MediaName())
}

// captures reports whether a stream is OBS's recording of a microphone.
func (want Want) captures(r pulse.SourceOutput) bool {
	return r.Properties["application.name"] == OBSClient && slices.Contains(want.Mics, r.MediaName())
}

// streamName is how a user knows a stream of another program.
func streamName(s pulse.Stream) string {
	var parts []string
	for _, key := range []string{"application.name", "media.name"} {
		if text := s.Properties[key]; text != "" {
			parts = append(parts, text)
		}
	}
	if len(parts) == 0 {
		return fmt.Sprintf("stream %d", s.Index)
	}
	return strings.Join(parts, ": ")
}
