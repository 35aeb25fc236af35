// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/fakeobs"
	"github.com/costream-obs/costream-obs/internal/supervisor"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
	"github.com/costream-obs/costream-obs/obsctl"
)

// wire is a link that keeps the sound packets.
type wire struct {
	link.Link
	mu      sync.Mutex
	packets []wirePacket
}

type wirePacket struct {
	at      time.Time
	payload []byte
}

func (w *wire) WriteRTP(m link.Medium, packet []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m == link.Audio {
		w.packets = append(w.packets, wirePacket{time.Now(), slices.Clone(packet[12:])}) // after the RTP header
	}
	return nil
}

func (w *wire) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func (w *wire) RequestKeyFrame() {}

func (w *wire) since(t time.Time) []wirePacket {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.packets), func(p wirePacket) bool { return p.at.Before(t) })
}

// noScreen shows nothing.
type noScreen struct{}

func (noScreen) Show(media.Frame) {}
func (noScreen) Placeholder(bool) {}

// TestRealLastPacketWithSound counts the packets with sound that leave after OBS's word of a mute, or of the stream's end,
// while OBS owes an answer and pactl hangs. A packet is 10 ms; the goal is 30 ms.
func TestRealLastPacketWithSound(t *testing.T) {
	testbed.Need(t)
	if err := media.Init(); err != nil {
		t.Fatal(err)
	}
	format := media.VideoFormat{W: 64, H: 64, FPSNum: 5, FPSDen: 1}
	const mic, guitar = "Mic/Aux", "Guitar"
	const goal, rounds = 3, 5 // packets
	// The encoder looks ahead by 6.5 ms, so that one packet after the last with sound still differs from silence.
	const decay = 1
	mute := map[string]any{"inputName": mic, "inputMuted": true}
	for _, tt := range []struct {
		name  string
		mics  []string
		event string
		data  any
	}{
		{"mute of the one microphone", []string{mic}, "InputMuteStateChanged", mute},
		{"mute of one of two", []string{mic, guitar}, "InputMuteStateChanged", mute},
		{"the stream ends", []string{mic}, "StreamStateChanged", map[string]any{"outputActive": false, "outputState": "OBS_WEBSOCKET_OUTPUT_STOPPING"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// What else the machine does can only make it later, so the goal is to be met in one of some rounds.
			for round := 1; ; round++ {
				sounding := 0
				t.Run(fmt.Sprint("round ", round), func(t *testing.T) {
					pulse := testbed.NewPulse(t)
					t.Setenv("PULSE_SERVER", pulse.Server)
					pulse.PlayTone(testbed.MicrophoneSink, testbed.Tone{Hz: 440})
					hangs, release := make(chan struct{}), make(chan struct{})
					t.Cleanup(func() { close(release) })
					f := &fakeobs.Server{Handle: func(request string, _ json.RawMessage) (any, *fakeobs.Refusal) {
						if request == "GetInputList" {
							close(hangs)
							<-release
						}
						return nil, nil
					}}
					s := newTestSession(t, Options{When: WhenStreaming, Mics: tt.mics}, f)
					s.c.sound = newSound(supervisor.New(s.log, func() {}), func() {}, s.log)
					s.mic.gate.hazard = true

					w := new(wire)
					c := call.Start(t.Context(), call.Options{
						Link:    func(link.Handler) (link.Link, error) { return w, nil },
						Picture: media.TestSource{VideoFormat: format}, FrameTime: format.FrameTime(), BitrateKbps: 100,
						Microphone: testbed.MicrophoneSink + ".monitor", Muted: true,
						Screen: noScreen{}, PeerSeen: func(bool) {}, Apart: true, Log: s.log,
					})
					t.Cleanup(c.Stop)
					s.c.call.Store(&onAirCall{Call: c})
					muted, monitored := make(map[string]bool), make(map[string]obsctl.MonitorType)
					for _, m := range tt.mics {
						muted[m], monitored[m] = false, obsctl.MonitorAndOutput
					}
					s.mic.gate.reset()
					s.mic.gate.place(true)
					s.mic.gate.meter(nil)
					s.mic.gate.set(tt.mics, muted, monitored)
					s.mic.gate.attach(c.SetMuted)
					ctx, cancel := context.WithCancel(t.Context())
					var running sync.WaitGroup
					running.Add(1)
					go func() { defer running.Done(); s.listen(ctx) }()
					t.Cleanup(running.Wait)
					t.Cleanup(cancel)
					testbed.Await(t, "sound", 10*time.Second, func() error {
						if n := len(w.since(time.Now().Add(-time.Second))); n < 50 {
							return os.ErrNotExist
						}
						return nil
					})

					// From now on pactl hangs, and so does the session on it and on OBS.
					dir := t.TempDir()
					if err := os.WriteFile(filepath.Join(dir, "pactl"), []byte("#!/bin/sh\nexec sleep 60\n"), 0o700); err != nil { //nolint:gosec // a program
						t.Fatal(err)
					}
					t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
					for _, part := range []func(){
						func() { _, _ = s.obs.Inputs(ctx) },
						func() { _, _ = s.c.sound.streamsOf(ctx, 0) },
					} {
						running.Add(1)
						go func() { defer running.Done(); part() }()
					}
					<-hangs

					told := time.Now()
					f.Event(tt.event, tt.data)
					time.Sleep(time.Second) // what comes after the last packet with sound is the measure of silence
					packets := w.since(told)
					last := time.Duration(0)
					if tt.event != "StreamStateChanged" {
						silence := packets[len(packets)-1].payload
						for i, p := range packets {
							if !bytes.Equal(p.payload, silence) {
								sounding, last = i+1, p.at.Sub(told)
							}
						}
					} else if sounding = len(packets); sounding > 0 {
						last = packets[sounding-1].at.Sub(told)
					}
					t.Logf("%d packets after OBS's word that are no silence, the last one after %v", sounding, last.Round(100*time.Microsecond))
				})
				if sounding <= goal+decay {
					return
				}
				if round == rounds {
					t.Fatalf("got %d packets after OBS's word that are no silence, want at most %d", sounding, goal+decay)
				}
			}
		})
	}
}
