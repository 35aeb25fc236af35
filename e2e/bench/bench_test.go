// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/e2e/bench/scene"
	"github.com/costream-obs/costream-obs/e2e/bench/score"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

func TestStatTime(t *testing.T) {
	const stat = "4711 (a name) (here) S 1 4711 4711 0 -1 4194560 1009 0 0 0 120 30 5 2 20 0 9 0 999 1 1"
	if got, want := statTime([]byte(stat)), 1570*time.Millisecond; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestReplaceSection(t *testing.T) {
	const document = "Intro.\n<!-- bench loss -->\nold\n<!-- end loss -->\nThe end.\n"
	got, err := replaceSection(document, "loss", "new")
	if want := "Intro.\n<!-- bench loss -->\n\nnew\n<!-- end loss -->\nThe end.\n"; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if _, err := replaceSection(document, "latency", "new"); err == nil {
		t.Error("a section that is not there: got no error")
	}
}

// TestRecorderFindsOnsets: two bursts, written in pieces that split samples.
func TestRecorderFindsOnsets(t *testing.T) {
	const pause = testbed.SampleRate / 5
	var pcm []byte
	tone := func(loud bool, samples int) {
		for i := range samples {
			v := int16(0)
			if loud && i%48 < 24 {
				v = 20000
			}
			pcm = binary.LittleEndian.AppendUint16(pcm, uint16(v))
		}
	}
	tone(false, pause)
	tone(true, 480)
	tone(false, pause)
	tone(true, 480)
	r := &recorder{quiet: int(quiet.Seconds() * testbed.SampleRate)}
	for piece := 333; len(pcm) > 0; {
		n := min(piece, len(pcm))
		if _, err := r.Write(pcm[:n]); err != nil {
			t.Fatal(err)
		}
		pcm = pcm[n:]
	}
	if got := len(r.onsets()); got != 2 {
		t.Errorf("got %d onsets, want 2", got)
	}
}

// fakeTurn has pictures each 33 ms that take so long.
func fakeTurn(delay time.Duration) turn {
	t := turn{window: time.Second, sent: 30, sendCPU: 400 * time.Millisecond, recvCPU: 200 * time.Millisecond, bytes: 125_000, ear: []time.Duration{50 * time.Millisecond}}
	for i := range 30 {
		sent := due(i)
		t.shown = append(t.shown, score.Shown{Sent: sent, At: sent + delay, PSNR: 40})
	}
	return t
}

func TestSummaryAndGoals(t *testing.T) {
	s := latencySuite
	r := Report{Title: s.title, Rounds: 2, Window: time.Second}
	for _, sys := range systems() {
		delay := 20 * time.Millisecond
		switch sys.name {
		case secureName, plainName:
			delay = 21 * time.Millisecond
		case oldName:
			delay = 200 * time.Millisecond
		case srtName, tunedName:
			continue
		}
		r.Figures = append(r.Figures, summarise(s.cases[0], sys, []turn{fakeTurn(delay), fakeTurn(delay)}))
	}
	secure, ok := r.find("direct", secureName)
	if !ok {
		t.Fatal("no figures of the secure link")
	}
	want := Figures{
		Case: "direct", System: secureName, Title: "costream-obs, secure", P50: 21, P95: 21, P99: 21, EarP50: 50, EarP95: 50,
		Sent: 60, Shown: 60, SendCPU: 0.4, RecvCPU: 0.2, Kbps: 1000, PSNR: 40, PSNRLow: 40,
	}
	if diff := cmp.Diff(want, secure); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
	// Turns that showed nothing are frozen, and do not make it cheap.
	dark := turn{window: time.Second, sent: 30, screen: score.Screen{Frozen: time.Second}}
	half := summarise(s.cases[0], systems()[1], []turn{fakeTurn(21 * time.Millisecond), dark, dark})
	if got, want := half.CPU(), secure.CPU(); got != want || half.P50 != secure.P50 || half.Frozen < 0.6 {
		t.Errorf("with two dark turns: got %.1f s/s, %.0f ms, frozen %.2f, want %.1f, %.0f and two thirds", got, half.P50, half.Frozen, want, secure.P50)
	}
	var met []bool
	for _, g := range latencyGoals(r) {
		met = append(met, g.Met)
	}
	// p50 and p95 against encoding alone, p50 and CPU against plain, CPU against 2020, mouth to ear.
	if diff := cmp.Diff([]bool{true, true, true, true, true, true}, met); diff != "" {
		t.Errorf("goals (-want +got):\n%s", diff)
	}
	r.Figures[1].P50 = 24
	if g := latencyGoals(r)[0]; g.Met || !strings.HasPrefix(g.Result, "1.20x") {
		t.Errorf("24 ms of 20: got %+v, want a missed goal of 1.1x", g)
	}
	if text := r.markdown(); !strings.Contains(text, "| costream of 2020 | 200.0 |") {
		t.Errorf("the table has no line of 2020:\n%s", text)
	}
}

// TestTurnThatNeverWas: a system without a picture is reported as such.
func TestTurnThatNeverWas(t *testing.T) {
	f := summarise(latencySuite.cases[0], systems()[4], nil)
	f.Error = "it did not connect"
	if diff := cmp.Diff([]string{"SRT, latency 125", "it did not connect"}, f.row()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRecovery is about a link whose rate falls and rises again.
func TestRecovery(t *testing.T) {
	c := lossSuite.cases[len(lossSuite.cases)-1]
	if !c.recovers() {
		t.Fatalf("%s: the rate does not change", c.name)
	}
	var bytes []int64
	for i := range 3 * 80 {
		rate := int64(40_000)
		if i >= 80 && i < 180 {
			rate = 15_000
		}
		bytes = append(bytes, rate)
	}
	if got, want := recoveryOf(c, turn{tenths: bytes}), 1.8; got != want {
		t.Errorf("got %v s, want %v", got, want)
	}
	if got := recoveryOf(c, turn{tenths: bytes[:170]}); got >= 0 {
		t.Errorf("never: got %v s", got)
	}
}

func TestLaunchFillsEverythingIn(t *testing.T) {
	p := place{peer: "peer", sender: "1.1.1.1", receiver: "2.2.2.2", forSender: "3.3.3.3", forReceiver: "4.4.4.4", port: 21000, microphone: "mic"}
	for _, s := range systems() {
		commands := [][]string{s.send(p)}
		if s.receive != nil {
			commands = append(commands, s.receive(p))
		}
		for _, command := range commands {
			text := strings.Join(command, " ")
			for _, word := range []string{"SENDER", "RECEIVER", "PORT", "LATENCY", "MICROPHONE"} {
				if strings.Contains(text, word) {
					t.Errorf("%s: %s is not replaced in: %s", s.name, word, text)
				}
			}
		}
	}
	old := strings.Join(systems()[3].send(p), " ")
	if want := "host=3.3.3.3 port=21000"; !strings.Contains(old, want) {
		t.Errorf("2020: got %s, want %s in it", old, want)
	}
}

// TestRealTurn runs a whole turn of encoding and decoding alone, and of ours.
func TestRealTurn(t *testing.T) {
	testbed.Need(t)
	b := &bench{options: options{peer: buildPeer(t), window: 2 * time.Second}, scene: scene.New(), sound: newSound(t)}
	for _, s := range systems()[:2] {
		turn, err := b.measure(t, s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(turn.shown) < 10 || turn.sendCPU == 0 {
			t.Errorf("%s: got %d pictures, %v of CPU", s.title, len(turn.shown), turn.sendCPU)
		}
		// On a busy machine a coder misses pictures, and shows what moves on coarsely.
		if turn.screen.Wrong > turn.window/5 {
			t.Errorf("%s: wrong pictures for %v of %v", s.title, turn.screen.Wrong, turn.window)
		}
		if s.sound && len(turn.ear) == 0 {
			t.Errorf("%s: nothing was heard", s.title)
		}
	}
}
