// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/media"
)

func TestStrays(t *testing.T) {
	const us, obs = 100, 200
	const topeer, frompeer, ears, topeerMonitor, earsMonitor, usb = 1, 2, 3, 11, 13, 14
	stream := func(index, pid int, properties ...string) pulse.Stream {
		s := pulse.Stream{Index: index, Properties: map[string]string{"application.process.id": strconv.Itoa(pid)}}
		for i := 0; i < len(properties); i += 2 {
			s.Properties[properties[i]] = properties[i+1]
		}
		return s
	}
	voice := func(source int) pulse.SourceOutput {
		return pulse.SourceOutput{Stream: stream(21, us, media.StreamProperty, media.StreamVoice), Source: source}
	}
	reader := func(source int) pulse.SourceOutput {
		return pulse.SourceOutput{Stream: stream(22, us, media.StreamProperty, media.StreamReader), Source: source}
	}
	speaker := func(purpose string, sink int) pulse.SinkInput {
		return pulse.SinkInput{Stream: stream(31, us, media.StreamProperty, purpose), Sink: sink}
	}
	monitored := func(input string, sink int) pulse.SinkInput {
		return pulse.SinkInput{Stream: stream(41, obs, "application.name", "OBS", "media.name", input), Sink: sink}
	}
	browser := func(sink int) pulse.SinkInput {
		return pulse.SinkInput{Stream: stream(51, 300, "application.name", "Firefox", "media.name", "a song"), Sink: sink}
	}
	for _, tt := range []struct {
		name      string
		voice     string // "": the monitor of our sink
		recording []pulse.SourceOutput
		playing   []pulse.SinkInput
		want      []string
		noVoice   bool
	}{
		{name: "all in place", recording: []pulse.SourceOutput{voice(topeerMonitor), reader(topeerMonitor)},
			playing: []pulse.SinkInput{monitored("Mic/Aux", topeer), speaker("speaker", ears), speaker("speaker/"+FromPeerSink, frompeer), browser(ears)}},
		{name: "not recorded yet", recording: []pulse.SourceOutput{reader(topeerMonitor)}, noVoice: true},
		{name: "another program's recording", recording: []pulse.SourceOutput{voice(topeerMonitor), {Stream: stream(23, 300), Source: usb}}},
		{name: "the user hears what OBS monitors", recording: []pulse.SourceOutput{voice(topeerMonitor)}, playing: []pulse.SinkInput{monitored("Mic/Aux", ears)}},
		{name: "our recording was moved", recording: []pulse.SourceOutput{voice(earsMonitor)},
			want: []string{"recording 21 default_out.monitor -> costream_topeer.monitor"}},
		{name: "the reader was moved", recording: []pulse.SourceOutput{voice(topeerMonitor), reader(usb)},
			want: []string{"recording 22 usb -> costream_topeer.monitor"}},
		{name: "past OBS", voice: "usb", recording: []pulse.SourceOutput{voice(usb), reader(topeerMonitor)}, playing: []pulse.SinkInput{browser(topeer)}},
		{name: "past OBS, moved", voice: "usb", recording: []pulse.SourceOutput{voice(earsMonitor)},
			want: []string{"recording 21 default_out.monitor -> usb"}},
		{name: "whatever the default is", voice: "@DEFAULT_SOURCE@", recording: []pulse.SourceOutput{voice(earsMonitor)}},
		{name: "the user moved the peer's voice to other headphones", recording: []pulse.SourceOutput{voice(topeerMonitor)},
			playing: []pulse.SinkInput{speaker("speaker", 4)}},
		{name: "the peer would hear themselves", recording: []pulse.SourceOutput{voice(topeerMonitor)}, playing: []pulse.SinkInput{speaker("speaker", topeer)},
			want: []string{"playing 31 costream_topeer -> @DEFAULT_SINK@"}},
		{name: "viewers would not hear the peer", recording: []pulse.SourceOutput{voice(topeerMonitor)}, playing: []pulse.SinkInput{speaker("speaker/"+FromPeerSink, ears)},
			want: []string{"playing 31 default_out -> costream_frompeer"}},
		{name: "another program plays to the peer", recording: []pulse.SourceOutput{voice(topeerMonitor)}, playing: []pulse.SinkInput{browser(topeer)},
			want: []string{"playing 51 costream_topeer -> "}},
		{name: "the microphone went, and OBS records what we send", recording: []pulse.SourceOutput{voice(topeerMonitor),
			{Stream: stream(42, obs, "application.name", "OBS", "media.name", "Mic/Aux"), Source: topeerMonitor}},
			want: []string{"recording 42 costream_topeer.monitor -> "}},
		{name: "OBS plays another input to the peer", recording: []pulse.SourceOutput{voice(topeerMonitor)}, playing: []pulse.SinkInput{monitored("Music", topeer)},
			want: []string{"playing 41 costream_topeer -> "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := View{
				Sinks:     map[int]string{topeer: ToPeerSink, frompeer: FromPeerSink, ears: "default_out", 4: "headset"},
				Sources:   map[int]string{topeerMonitor: ToPeerSink + ".monitor", earsMonitor: "default_out.monitor", usb: "usb"},
				Recording: tt.recording, Playing: tt.playing,
			}
			want := Want{PID: us, Mics: []string{"Mic/Aux"}, Voice: tt.voice}
			if want.Voice == "" {
				want.Voice = ToPeerSink + ".monitor"
			}
			strays, there := v.Strays(want)
			var got []string
			for _, s := range strays {
				kind := "playing"
				if s.Recording {
					kind = "recording"
				}
				got = append(got, fmt.Sprintf("%s %d %s -> %s", kind, s.Index, s.At, s.Home))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("strays (-want +got):\n%s", diff)
			}
			if there != !tt.noVoice {
				t.Errorf("our voice is recorded: got %v, want %v", there, !tt.noVoice)
			}
		})
	}
}

// TestStreamsOfOneOBS: those with its process id, or those with OBS's name if none has it.
func TestStreamsOfOneOBS(t *testing.T) {
	stream := func(index, pid int, client, media string) pulse.SinkInput {
		return pulse.SinkInput{Stream: pulse.Stream{Index: index, Properties: map[string]string{
			"application.name": client, "application.process.id": strconv.Itoa(pid), "media.name": media,
		}}}
	}
	all := []pulse.SinkInput{stream(1, 10, OBSClient, "Mic"), stream(2, 20, OBSClient, "Guest"), stream(3, 10, "Music", "Song")}
	for _, tt := range []struct {
		name string
		pid  int
		want []string
	}{{"ours", 10, []string{"Mic"}}, {"the other", 20, []string{"Guest"}}, {"in a sandbox", 2, []string{"Guest", "Mic"}}} {
		if got := slices.Sorted(maps.Keys(MonitorsOf(all, tt.pid))); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
