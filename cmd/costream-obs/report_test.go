// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/golden"
)

// TestBreakEnds: where a break ends with the time on air, the friend does not get the picture again.
func TestBreakEnds(t *testing.T) {
	const again = "your friend gets your picture and voice again"
	for state, want := range map[control.State]bool{
		control.OnAir: true, control.OnAirWithPeer: true,
		control.Stopping: false, control.Ready: false, control.Waiting: false,
	} {
		var out bytes.Buffer
		p := newReportPrinter(&out, new(config.Config), false)
		p.print(control.Report{State: control.OnAirWithPeer, Break: `the scene "Bank" is private`})
		out.Reset()
		p.print(control.Report{State: state})
		if got := out.String(); strings.Contains(got, again) != want || !strings.Contains(got, "The break is over") {
			t.Errorf("%s: got %q; want the end of the break, and what the friend gets: %t", state, got, want)
		}
	}
}

// TestGoldenReports shows one evening's reports in each form.
func TestGoldenReports(t *testing.T) {
	at := time.Date(2026, 11, 22, 20, 41, 7, 0, time.UTC)
	reports := []control.Report{
		{State: control.Waiting, Detail: "nothing listens at 127.0.0.1:4455 (OBS's default): start OBS; if it runs, in OBS open Tools > WebSocket Server Settings and tick \"Enable WebSocket server\""},
		{State: control.Ready, Detail: "connected to OBS 29.0.2 at 127.0.0.1:4455"},
		{State: control.OnAir, Route: control.RoutePortable, Detail: "there is no /dev/video10", Problems: []string{
			"microphone: OBS has no audio input \"Mic/Aux\"; choose one with --mic, or add it in OBS under Settings > Audio",
		}},
		{State: control.OnAirWithPeer, Route: control.RoutePortable, Detail: "there is no /dev/video10", Bitrate: 3500, Problems: []string{
			"microphone: OBS has no audio input \"Mic/Aux\"; choose one with --mic, or add it in OBS under Settings > Audio",
		}},
		{State: control.OnAirWithPeer, Route: control.RoutePortable, Detail: "there is no /dev/video10", Bitrate: 3500, Break: `the scene "Bank" is private`},
		{State: control.OnAirWithPeer, Route: control.RoutePortable, Detail: "there is no /dev/video10", Bitrate: 3500},
		{State: control.OnAirWithPeer, Route: control.RoutePortable, Detail: "there is no /dev/video10", Bitrate: 3500, Recording: "/home/alice/Videos/Bob 2026-11-22 20.41.13.mkv"},
		// Only the bitrate is another.
		{State: control.OnAirWithPeer, Route: control.RoutePortable, Detail: "there is no /dev/video10", Bitrate: 400, Recording: "/home/alice/Videos/Bob 2026-11-22 20.41.13.mkv"},
		{State: control.Stopping},
		{State: control.Ready, Detail: "connected to OBS 29.0.2 at 127.0.0.1:4455"},
	}
	for _, test := range []struct {
		name             string
		terminal, colour bool
		json             bool
	}{
		{name: "terminal", terminal: true},
		{name: "colour", terminal: true, colour: true},
		{name: "pipe"},
		{name: "json", json: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			p := newReportPrinter(&out, &config.Config{Peer: "bob.example", PeerName: "Bob", BasePort: 5000, JSON: test.json}, false)
			p.style.Terminal, p.style.Colour = test.terminal, test.colour
			p.begin()
			for i, r := range reports {
				r.Time = at.Add(time.Duration(i) * time.Second)
				p.print(r)
			}
			golden.Check(t, filepath.Join("testdata", "report", test.name+".txt"), out.String())
		})
	}
}
