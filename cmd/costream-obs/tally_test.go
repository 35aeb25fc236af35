// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/media/link"
)

func TestTallyTexts(t *testing.T) {
	live := link.Tally{OnAir: true}
	for _, tt := range []struct {
		name     string
		tally    *control.Tally
		short    []string
		sentence string
	}{
		{"an older companion", nil, nil, ""},
		{"an older peer", &control.Tally{Me: live}, nil, "you do not show Bob"},
		{"neither shows the other", &control.Tally{Me: live, Peer: &live}, []string{"not shown", "not shown"}, "Bob does not show you; you do not show Bob"},
		{"all at once", &control.Tally{
			Me:   link.Tally{OnAir: true, PeerShown: true, Muted: true},
			Peer: &link.Tally{OnAir: true, PeerShown: true, Muted: true},
		}, []string{"shown, friend muted, you muted", "shown"}, "Bob shows you; Bob is muted; you show Bob; you are muted"},
		{"two breaks, which are silent", &control.Tally{
			Me:   link.Tally{OnAir: true, Muted: true, Away: true},
			Peer: &link.Tally{OnAir: true, Muted: true, Away: true},
		}, []string{"not shown, friend away", "not shown"}, "Bob does not show you; Bob is on a break; you do not show Bob; you are on a break"},
		{"the peer is off air", &control.Tally{Me: live, Peer: &link.Tally{}}, []string{"friend off air"}, "Bob is off air; you do not show Bob"},
		{"both are off air", &control.Tally{Peer: &link.Tally{}}, []string{"friend off air"}, "Bob is off air; you are off air"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.short, tallyTexts(tt.tally)); diff != "" {
				t.Errorf("live line (-want +got):\n%s", diff)
			}
			if got := tallySentence(tt.tally, "Bob"); got != tt.sentence {
				t.Errorf("got %q, want %q", got, tt.sentence)
			}
		})
	}
}

// TestTallyNews: what the friend does with us scrolls by, without the state again, and a mute does not.
func TestTallyNews(t *testing.T) {
	states := []struct {
		peer *link.Tally
		want string
	}{
		{nil, "on air with peer"},
		{&link.Tally{OnAir: true}, ""},
		{&link.Tally{OnAir: true, PeerShown: true}, "Bob shows you."},
		{&link.Tally{OnAir: true, PeerShown: true, Muted: true}, ""},
		{&link.Tally{OnAir: true, PeerShown: true, Muted: true, Away: true}, "Bob is on a break."},
		{&link.Tally{OnAir: true}, "Bob does not show you any more.\nBob is back from the break."},
		{&link.Tally{}, "Bob is off air."},
		{nil, ""},
	}
	for _, terminal := range []bool{false, true} {
		var out bytes.Buffer
		p := newReportPrinter(&out, &config.Config{PeerName: "Bob"}, true)
		p.style.Terminal = terminal
		for i, s := range states {
			out.Reset()
			p.print(control.Report{Time: evening.Add(time.Duration(i) * time.Second), State: control.OnAirWithPeer, Tally: &control.Tally{Peer: s.peer}})
			var got []string
			for line := range strings.Lines(out.String()) {
				line = strings.TrimSpace(line)
				if _, rest, found := strings.Cut(line, evening.Add(time.Duration(i)*time.Second).Format(time.RFC3339)+" "); found {
					line = rest
				}
				got = append(got, strings.TrimPrefix(line, "20:41:07  ● "))
			}
			if text := strings.Join(got, "\n"); text != s.want {
				t.Errorf("terminal %t, change %d: got %q, want %q", terminal, i, text, s.want)
			}
		}
	}
}

// TestTallyInJSON: the names that other programs read, and no peer where nothing is known.
func TestTallyInJSON(t *testing.T) {
	for _, tt := range []struct {
		tally *control.Tally
		want  string
	}{
		{&control.Tally{Me: link.Tally{OnAir: true, Away: true}, Peer: &link.Tally{OnAir: true, PeerShown: true, Muted: true}},
			`{"me":{"on_air":true,"peer_shown":false,"muted":false,"away":true},"peer":{"on_air":true,"peer_shown":true,"muted":true,"away":false}}`},
		{&control.Tally{}, `{"me":{"on_air":false,"peer_shown":false,"muted":false,"away":false}}`},
	} {
		data, err := json.Marshal(control.Status{Report: control.Report{Tally: tt.tally}})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(data); !strings.Contains(got, `"tally":`+tt.want) {
			t.Errorf("got %s, want the tally %s in it", got, tt.want)
		}
	}
}
