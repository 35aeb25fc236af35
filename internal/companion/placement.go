// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"fmt"
	"slices"
	"strings"

	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/media"
)

// soundView is what plays and records where at the sound server.
type soundView struct {
	sinks, sources map[int]string // names
	playing        []pulse.SinkInput
	recording      []pulse.SourceOutput
}

// placing says where streams belong.
type placing struct {
	pid   int      // ours
	mics  []string // inputs of OBS whose monitoring may play to our sink
	voice string   // source that our voice is recorded from
}

// stray is a stream that is not where it belongs.
type stray struct {
	name      string // for messages
	index     int
	recording bool
	at, home  string // names of sinks or sources; home is "" where it is not ours to move
}

func (s stray) String() string { return fmt.Sprintf("%s is on %s", s.name, s.at) }

// strays lists the streams that must not stay where they are while our voice is sent: ours that are
// elsewhere, and everything but OBS's microphones that plays to the sink for the peer. voiceThere says
// whether our voice is recorded at all.
func (v soundView) strays(want placing) (strays []stray, voiceThere bool) {
	reader := ToPeerSink + ".monitor"
	anywhere := strings.HasPrefix(want.voice, "@") // a name of the server's own, such as @DEFAULT_SOURCE@
	for _, r := range v.recording {
		purpose := r.Properties[media.StreamProperty]
		if at := v.sources[r.Source]; want.captures(r) && slices.Contains([]string{reader, FromPeerSink + ".monitor"}, at) {
			// The sound server moves the streams of a microphone that goes to what is left.
			strays = append(strays, stray{name: fmt.Sprintf("OBS's recording of %q", r.MediaName()), index: r.Index, recording: true, at: at})
		}
		if r.PID() != want.pid || purpose == "" {
			continue
		}
		home := reader
		if purpose == media.StreamVoice {
			home, voiceThere = want.voice, true
		}
		if at := v.sources[r.Source]; at != home && !(purpose == media.StreamVoice && anywhere) {
			strays = append(strays, stray{name: "the recording stream of costream-obs", index: r.Index, recording: true, at: at, home: home})
		}
	}
	for _, p := range v.playing {
		at := v.sinks[p.Sink]
		switch purpose := p.Properties[media.StreamProperty]; {
		case p.PID() == want.pid && purpose != "":
			if home := media.SpeakerSink(purpose); home != "" && at != home || home == "" && slices.Contains([]string{ToPeerSink, FromPeerSink}, at) {
				if home == "" {
					home = "@DEFAULT_SINK@"
				}
				strays = append(strays, stray{name: "the peer's voice", index: p.Index, at: at, home: home})
			}
		case at == ToPeerSink && want.voice == reader && !want.monitors(p):
			strays = append(strays, stray{name: streamName(p.Stream), index: p.Index, at: at})
		}
	}
	return strays, voiceThere
}

// voice is the number of the stream that our voice is recorded by, or -1.
func (v soundView) voice(want placing) int {
	for _, r := range v.recording {
		if r.PID() == want.pid && r.Properties[media.StreamProperty] == media.StreamVoice {
			return r.Index
		}
	}
	return -1
}

// monitors reports whether a stream is OBS's monitoring of a microphone. An OBS in a sandbox may give
// another process id than the one that we see.
func (want placing) monitors(p pulse.SinkInput) bool {
	return p.Properties["application.name"] == obsClient && slices.Contains(want.mics, p.MediaName())
}

// captures reports whether a stream is OBS's recording of a microphone.
func (want placing) captures(r pulse.SourceOutput) bool {
	return r.Properties["application.name"] == obsClient && slices.Contains(want.mics, r.MediaName())
}

// streamName is what a user calls a stream of another program.
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
