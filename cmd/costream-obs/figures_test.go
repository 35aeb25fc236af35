// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/golden"
	"github.com/costream-obs/costream-obs/internal/terminal"
	"github.com/costream-obs/costream-obs/media/link"
)

var evening = time.Date(2026, 11, 22, 20, 41, 7, 0, time.UTC)

func msOf(ms float64) call.Millis { return call.Millis(ms * float64(time.Millisecond)) }

func to[T any](v T) *T { return &v }

// secureFigures and plainFigures are those of a good evening over each link.
func secureFigures() *call.Figures {
	return &call.Figures{
		Since:             evening.Add(-5025 * time.Second),
		At:                evening,
		Out:               call.Direction{Kbps: 3120, Loss: to(call.Percent(2.03)), LossAfterRepair: to(call.Percent(0))},
		In:                call.Direction{Kbps: 2980, Loss: to(call.Percent(0.4)), LossAfterRepair: to(call.Percent(0.02))},
		RoundTrip:         to(msOf(101.2)),
		Picture:           &call.Delay{Total: msOf(142.2), Peer: msOf(39.6), Network: msOf(50.6), Receive: msOf(12), OBS: msOf(40)},
		Voice:             &call.Delay{Total: msOf(139.4), Peer: msOf(28), Network: msOf(50.6), Receive: msOf(53), OBS: msOf(-14.3), Wait: msOf(22.1)},
		PictureAfterVoice: to(msOf(2.8)),
		Encoder:           &call.Encoder{Name: "x264enc", Why: "it passed its trial at 1280x720@30 in 3.9 ms a picture", PerFrame: msOf(4.13), Frame: msOf(33.33)},
		Dropped:           call.Dropped{OBS: to(0), Us: to(2), Network: to(1)},
	}
}

func plainFigures() *call.Figures {
	return &call.Figures{
		Since: evening.Add(-61 * time.Second), At: evening,
		Out: call.Direction{Kbps: 3120}, In: call.Direction{Kbps: 2980, Loss: to(call.Percent(0.4))},
		Dropped: call.Dropped{Us: to(0)},
	}
}

func statuses() []struct {
	name string
	control.Status
} {
	status := func(state control.State, peer string, f *call.Figures) control.Status {
		return control.Status{Report: control.Report{Time: evening, State: state, Route: control.RouteDevices, Bitrate: 3500}, Peer: peer, Figures: f}
	}
	return []struct {
		name string
		control.Status
	}{
		{"waiting", status(control.Waiting, "Bob", nil)},
		{"ready", status(control.Ready, "Bob", nil)},
		{"waiting for the peer", status(control.OnAir, "Bob", plainFigures())},
		{"plain", status(control.OnAirWithPeer, "192.0.2.7", plainFigures())},
		{"secure", tells(status(control.OnAirWithPeer, "Bob", secureFigures()))},
		{"on a break", rests(status(control.OnAirWithPeer, "Bob", secureFigures()))},
		{"a wide name", status(control.OnAirWithPeer, "山田太郎と仲間たちの配信部屋へようこそ", secureFigures())},
		{"a name that would move the cursor", status(control.OnAirWithPeer, "B\x1b[2Jo\nb", secureFigures())},
		{"stopping", status(control.Stopping, "Bob", nil)},
	}
}

// TestGoldenLines shows the live line at several widths.
func TestGoldenLines(t *testing.T) {
	for _, columns := range []int{20, 40, 80, 200} {
		for _, verbose := range []bool{false, true} {
			var b strings.Builder
			for _, s := range statuses() {
				line := terminal.Style{}.Line(statusParts(s.Status, evening, verbose), columns)
				if n := terminal.Cells(line); n >= columns {
					t.Errorf("%s: %d columns at a width of %d: %q", s.name, n, columns, line)
				}
				fmt.Fprintf(&b, "# %s\n%s|\n", s.name, line)
			}
			name := fmt.Sprintf("line-%d.txt", columns)
			if verbose {
				name = fmt.Sprintf("line-%d-verbose.txt", columns)
			}
			golden.Check(t, filepath.Join("testdata", "status", name), b.String())
		}
	}
}

// TestGoldenStatus shows what costream-obs status prints.
func TestGoldenStatus(t *testing.T) {
	var b strings.Builder
	p := newReportPrinter(&b, &config.Config{}, false)
	for _, s := range statuses()[:5] {
		fmt.Fprintf(&b, "# %s\n%s%s", s.name, p.plain(s.Report), block(s.Status, evening))
	}
	golden.Check(t, filepath.Join("testdata", "status", "once.txt"), b.String())
}

// TestGoldenFollowing shows what comes without a live line: a summary each 30 s, or an object each second, while on air.
func TestGoldenFollowing(t *testing.T) {
	for _, test := range []struct {
		name           string
		json, terminal bool
	}{{name: "pipe"}, {name: "dumb", terminal: true}, {name: "json", json: true}} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			p := newReportPrinter(&out, &config.Config{JSON: test.json}, false)
			p.style.Terminal = test.terminal
			seconds := 95
			if test.json {
				seconds = 2
			}
			for _, i := range []int{1, 4, 1} {
				s := statuses()[i].Status
				p.print(s.Report)
				for second := range seconds {
					p.tick(s, evening.Add(time.Duration(second+1)*time.Second))
				}
			}
			golden.Check(t, filepath.Join("testdata", "status", "following-"+test.name+".txt"), out.String())
		})
	}
}

// rests is a status while the peer gets a card.
// tells has both sides tell each other something.
func tells(s control.Status) control.Status {
	s.Tally = &control.Tally{
		Me:   link.Tally{OnAir: true, PeerShown: true, Muted: true},
		Peer: &link.Tally{OnAir: true, PeerShown: true, Muted: true},
	}
	return s
}

func rests(s control.Status) control.Status {
	s.Break = "you are away"
	return s
}

func TestEncoderTooSlow(t *testing.T) {
	e := &call.Encoder{Name: "x264enc", PerFrame: call.Millis(45 * time.Millisecond), Frame: call.Millis(66 * time.Millisecond)}
	for every, want := range map[int]string{0: "x264enc 45.0 of 66.0 ms", 2: "x264enc 45.0 of 66.0 ms, too slow: 1 of 2 pictures"} {
		e.OneIn = every
		if got := encoderTexts(e); got[0] != want {
			t.Errorf("one in %d: got %q, want %q", every, got[0], want)
		}
	}
	e.OneIn, e.Smaller = 4, "864x486"
	if got, want := encoderTexts(e)[0], "x264enc 45.0 of 66.0 ms, too slow: 1 of 4 pictures, as small as 864x486"; got != want {
		t.Errorf("smaller: got %q, want %q", got, want)
	}
}
