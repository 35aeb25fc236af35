// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"bytes"
	"context"
	"encoding/json"
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

func (w *wire) Stats() link.Stats { return link.Stats{} }

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
// while OBS owes an answer and pactl hangs. A packet is 10 ms; the goal is 30 ms, and none once we know.
func TestRealLastPacketWithSound(t *testing.T) {
	testbed.Need(t)
	if err := media.Init(); err != nil {
		t.Fatal(err)
	}
	format := media.VideoFormat{W: 64, H: 64, FPSNum: 5, FPSDen: 1}
	const mic, guitar, music = "Mic/Aux", "Guitar", "Music"
	const goal = 3 // packets
	mute := map[string]any{"inputName": mic, "inputMuted": true}
	for _, tt := range []struct {
		name   string
		mics   []string
		shared []string
		event  string
		data   any
	}{
		{"mute of the one microphone", []string{mic}, nil, "InputMuteStateChanged", mute},
		{"mute of one of two", []string{mic, guitar}, nil, "InputMuteStateChanged", mute},
		{"mute of the microphone beside music", []string{mic}, []string{music}, "InputMuteStateChanged", mute},
		{"mute of what is shared", []string{mic}, []string{music}, "InputMuteStateChanged", map[string]any{"inputName": music, "inputMuted": true}},
		{"the stream ends", []string{mic}, nil, "StreamStateChanged", map[string]any{"outputActive": false, "outputState": "OBS_WEBSOCKET_OUTPUT_STOPPING"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
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
				Music: len(tt.shared) > 0, Screen: noScreen{}, PeerSeen: func(bool) {}, Apart: true, Log: s.log,
			})
			t.Cleanup(c.Stop)
			s.c.call.Store(&onAirCall{Call: c})
			muted, monitored := make(map[string]bool), make(map[string]obsctl.MonitorType)
			for _, m := range slices.Concat(tt.mics, tt.shared) {
				muted[m], monitored[m] = false, obsctl.MonitorAndOutput
			}
			s.mic.gate.reset()
			s.mic.gate.place(true)
			s.mic.gate.share(tt.shared)
			s.mic.gate.meter(nil)
			if len(tt.shared) > 0 {
				s.mic.gate.follow(c.SetMusic)
				s.mic.gate.meter(obsctl.Levels{{Input: music, Captured: 1, Heard: 1}})
			}
			s.mic.gate.set(tt.mics, muted, monitored)
			var silence []byte // a packet without sound, as all are before the gate knows the call
			testbed.Await(t, "silence", 10*time.Second, func() error {
				packets := w.since(time.Time{})
				if len(packets) == 0 {
					return os.ErrNotExist
				}
				silence = packets[0].payload
				return nil
			})
			withSound := func(since time.Time) []wirePacket {
				return slices.DeleteFunc(w.since(since), func(p wirePacket) bool { return bytes.Equal(p.payload, silence) })
			}
			known := make(chan time.Time, 1)
			s.mic.gate.attach(func(silent bool) {
				c.SetMuted(silent)
				if silent {
					select {
					case known <- time.Now():
					default:
					}
				}
			})
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Add(1)
			go func() { defer running.Done(); s.listen(ctx) }()
			t.Cleanup(running.Wait)
			t.Cleanup(cancel)
			testbed.Await(t, "sound", 10*time.Second, func() error {
				if n := len(withSound(time.Now().Add(-time.Second))); n < 50 {
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
			silent := testbed.Receive(t, known, "the gate to close")
			time.Sleep(time.Second) // what leaves meanwhile is counted
			last, late := time.Duration(0), 0
			sounding := withSound(told)
			for _, p := range sounding {
				last = p.at.Sub(told)
				if p.at.After(silent) {
					late++
				}
			}
			t.Logf("%d packets with sound after OBS's word, the last one after %v; we knew after %v",
				len(sounding), last.Round(10*time.Microsecond), silent.Sub(told).Round(10*time.Microsecond))
			if len(sounding) > goal || late > 0 {
				t.Errorf("got %d packets with sound after OBS's word, of which %d once we knew, want at most %d and none", len(sounding), late, goal)
			}
			if all := w.since(told); tt.event == "StreamStateChanged" && len(all) > goal {
				t.Errorf("got %d packets after OBS's word, want at most %d", len(all), goal)
			}
		})
	}
}
