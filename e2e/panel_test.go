// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	_ "image/jpeg"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// panelPage is a person's panel as a browser uses it.
type panelPage struct {
	tb      testing.TB
	address string
}

func openPanel(tb testing.TB, p *e2e.Person) panelPage {
	tb.Helper()
	address, _, _ := strings.Cut(p.Costream(binary, "", "panel", "--print"), "\n")
	if !strings.HasPrefix(address, "http://127.0.0.1:") {
		tb.Fatalf("panel --print said %q", address)
	}
	return panelPage{tb, address}
}

// order does what a button does, and returns the answer.
func (p panelPage) order(body string) map[string]any {
	p.tb.Helper()
	r, err := http.NewRequestWithContext(p.tb.Context(), http.MethodPost, p.address+"do", strings.NewReader(body))
	if err != nil {
		p.tb.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", "http://"+r.URL.Host)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		p.tb.Fatalf("order %s: %v", body, err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK || answer["failed"] != nil {
		p.tb.Fatalf("order %s: %s, %v (%v)", body, response.Status, answer, err)
	}
	return answer
}

// picture is a small picture, or nil where there is none.
func (p panelPage) picture(whose string) ([]byte, error) {
	r, err := http.NewRequestWithContext(p.tb.Context(), http.MethodGet, p.address+"picture/"+whose, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	return io.ReadAll(response.Body)
}

// shows returns nil when a small picture has these colours.
func (p panelPage) shows(whose string, want e2e.Colours) error {
	data, err := p.picture(whose)
	if err != nil {
		return err
	}
	if len(data) == 0 {
		return fmt.Errorf("there is no picture")
	}
	img, kind, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return err
	}
	if kind != "jpeg" || whose == "friend" && img.Bounds().Dx() != 240 || len(data) > 300_000 {
		return fmt.Errorf("got a %s of %v and %d bytes", kind, img.Bounds(), len(data))
	}
	return e2e.CheckColours(img, img.Bounds(), want)
}

// events calls seen with each status until it returns true.
func (p panelPage) events(seen func(status map[string]any) bool) {
	p.tb.Helper()
	r, err := http.NewRequestWithContext(p.tb.Context(), http.MethodGet, p.address+"events", nil)
	if err != nil {
		p.tb.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		p.tb.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, is := strings.CutPrefix(lines.Text(), "data: ")
		var news struct{ Status map[string]any }
		if is && json.Unmarshal([]byte(data), &news) == nil && news.Status != nil && seen(news.Status) {
			return
		}
	}
	p.tb.Errorf("the events ended: %v", lines.Err())
}

// TestRealPanel has each button of the panel act in a real OBS, and looks at what the panel shows.
func TestRealPanel(t *testing.T) {
	testbed.Need(t)
	p := newFriends(t, e2e.Alice(), e2e.Bob())
	p.alice.PairWith(binary, p.bob)
	p.aliceC = p.alice.Run(binary, p.bob, "--name=Alice", "--peer-name=Bob")
	p.runBob(t)
	p.aliceC.Await(e2e.Ready, readyLimit)
	p.bobC.Await(e2e.Ready, readyLimit)
	page := openPanel(t, p.alice)
	if data, err := page.picture("sent"); err != nil || len(data) > 0 {
		t.Errorf("a picture off air: got %d bytes (%v)", len(data), err)
	}
	p.goOnAir(t)
	p.awaitVoices(t)

	testbed.Await(t, "the panel shows Bob", pictureLimit, func() error { return page.shows("friend", p.bob.Colours) })
	testbed.Await(t, "the panel shows what Bob gets", pictureLimit, func() error { return page.shows("sent", p.alice.Colours) })
	page.events(func(status map[string]any) bool {
		return status["state"] == e2e.OnAirWithPeer && status["peer"] == "Bob" && status["figures"] != nil
	})

	if changes := page.order(`{"do":"hide"}`)["changes"]; changes == nil {
		t.Error("hide: nothing was changed")
	}
	if _, err := p.alice.PeerArea(); err != e2e.ErrHidden {
		t.Errorf("hidden: got %v, want %v", err, e2e.ErrHidden)
	}
	page.order(`{"do":"show"}`)
	testbed.Await(t, "Alice sees Bob again", pictureLimit, func() error { return p.alice.SeesPeer(p.bob) })

	before, err := p.alice.PeerArea()
	if err != nil {
		t.Fatal(err)
	}
	page.order(`{"do":"arrange","layout":"full"}`)
	if full, err := p.alice.PeerArea(); err != nil || full.Dx() < p.alice.Width*3/4 {
		t.Errorf("the layout full: got %v (%v) on a canvas %d wide", full, err, p.alice.Width)
	}
	page.order(`{"do":"restore"}`)
	if back, err := p.alice.PeerArea(); err != nil || back != before {
		t.Errorf("put back: got %v (%v), want %v", back, err, before)
	}

	page.order(`{"do":"away"}`)
	testbed.Await(t, "Bob sees Alice's card", pictureLimit, func() error { return p.bob.SeesCard(p.alice) })
	if data, err := page.picture("sent"); err != nil || len(data) > 0 {
		t.Errorf("what Bob gets on a break: got %d bytes (%v)", len(data), err)
	}
	page.events(func(status map[string]any) bool { return status["away"] == true })
	page.order(`{"do":"back"}`)
	testbed.Await(t, "Bob sees Alice again", pictureLimit, func() error { return p.bob.SeesClean(p.alice) })
	testbed.Await(t, "Bob hears Alice after the break", voiceLimit, func() error { return p.bob.HearsOnly(p.alice, listen) })

	page.order(`{"do":"mute-me"}`)
	if err := p.bob.HearsNot(p.alice.Voice.Hz, listen); err != nil {
		t.Errorf("Alice muted herself for Bob: %v", err)
	}
	testbed.Await(t, "Bob sees Alice, who muted herself", pictureLimit, func() error { return p.bob.SeesClean(p.alice) })
	page.order(`{"do":"unmute-me"}`)
	testbed.Await(t, "Bob hears Alice again", voiceLimit, func() error { return p.bob.HearsOnly(p.alice, listen) })

	// The command line does the same, and the panel shows it.
	if said := p.alice.Costream(binary, "", "peer", "mute"); !strings.Contains(said, "do not hear your friend") {
		t.Errorf("peer mute said %q", said)
	}
	page.events(func(status map[string]any) bool { return status["peer_muted"] == true })
	if err := p.alice.HearsNot(p.bob.Voice.Hz, listen); err != nil {
		t.Errorf("Alice muted Bob: %v", err)
	}
	// A new call does not end the mute.
	since := func(status map[string]any) any {
		figures, _ := status["figures"].(map[string]any)
		return figures["on_air_since"]
	}
	var first any
	page.events(func(status map[string]any) bool { first = since(status); return first != nil })
	page.order(`{"do":"resync"}`)
	page.events(func(status map[string]any) bool {
		return since(status) != nil && since(status) != first && status["state"] == e2e.OnAirWithPeer
	})
	p.awaitPictures(t)
	if err := p.alice.HearsNot(p.bob.Voice.Hz, listen); err != nil {
		t.Errorf("after resync: %v", err)
	}
	page.order(`{"do":"unmute"}`)
	p.awaitVoices(t)

	// A page that is open does not delay the end, and the address stays the same.
	ended := make(chan time.Time, 1)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page.address+"events", nil)
		if err != nil {
			return
		}
		if response, err := http.DefaultClient.Do(r); err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
	}()
	p.alice.OBS.StopStream()
	p.aliceC.Await(e2e.Ready, readyLimit)
	p.aliceC.Stop()
	ended <- time.Now()
	<-gone
	if waited := time.Since(<-ended); waited > time.Second {
		t.Errorf("the page was told of the end after %v", waited)
	}
	p.aliceC = p.alice.Run(binary, p.bob, "--when=manual")
	p.aliceC.Await(e2e.Ready, readyLimit)
	if again := openPanel(t, p.alice); again != page {
		t.Error("the panel has another address after a restart")
	}
	page.order(`{"do":"start"}`)
	p.aliceC.Await(e2e.OnAirWithPeer, airLimit)
	page.events(func(status map[string]any) bool { return status["by_hand"] == true })
	page.order(`{"do":"stop"}`)
	p.aliceC.Await(e2e.Ready, offAirLimit)
}

// BenchmarkPanel measures what costream-obs and OBS use with a panel and a status that are open, against without: by turns,
// while two friends are on air. Run it with `make bench-panel`.
func BenchmarkPanel(b *testing.B) {
	testbed.Need(b)
	const rounds, window = 3, 20 * time.Second
	display := testbed.NewDisplay(b)
	alice, bob := e2e.NewPerson(b, e2e.Alice(), display), e2e.NewPerson(b, e2e.Bob(), display)
	alice.PairWith(binary, bob)
	aliceC, bobC := alice.Run(binary, bob), bob.Run(binary, alice)
	aliceC.Await(e2e.Ready, readyLimit)
	bobC.Await(e2e.Ready, readyLimit)
	alice.OBS.StartStream()
	bob.OBS.StartStream()
	aliceC.Await(e2e.OnAirWithPeer, airLimit)
	bobC.Await(e2e.OnAirWithPeer, airLimit)
	page := openPanel(b, alice)

	type used struct{ run, obs, status time.Duration }
	var sum [2]used
	for b.Loop() {
		for range rounds {
			for open := range 2 {
				stop := func() time.Duration { return 0 }
				if open == 1 {
					stop = page.lookOn(alice)
				}
				run, obs := cpuOf(b, aliceC.PID()), cpuOf(b, alice.OBS.PID())
				time.Sleep(window) // what is measured
				sum[open].run += cpuOf(b, aliceC.PID()) - run
				sum[open].obs += cpuOf(b, alice.OBS.PID()) - obs
				sum[open].status += stop()
			}
		}
	}
	percent := func(d time.Duration) float64 { return 100 * d.Seconds() / (rounds * window).Seconds() / float64(b.N) }
	b.ReportMetric(percent(sum[0].run), "%-run-alone")
	b.ReportMetric(percent(sum[1].run-sum[0].run), "%-run-more")
	b.ReportMetric(percent(sum[1].status), "%-status--watch")
	b.ReportMetric(percent(sum[1].obs-sum[0].obs), "%-OBS-more")
}

// lookOn is a page that is open, with both pictures each second, and `costream-obs status --watch` beside it. stop ends both,
// and returns what the status has used.
func (p panelPage) lookOn(person *e2e.Person) (stop func() time.Duration) {
	p.tb.Helper()
	end := make(chan struct{})
	var pictures atomic.Int64
	r, err := http.NewRequestWithContext(p.tb.Context(), http.MethodGet, p.address+"events", nil)
	if err != nil {
		p.tb.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		p.tb.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, response.Body) }()
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			for _, whose := range []string{"friend", "sent"} {
				if data, err := p.picture(whose); err != nil {
					p.tb.Errorf("picture of %s: %v", whose, err)
				} else if len(data) > 0 {
					pictures.Add(1)
				}
			}
			select {
			case <-end:
				return
			case <-tick.C:
			}
		}
	}()
	status := testbed.Start(p.tb, testbed.Command{
		Name: "status --watch", Path: binary, Args: []string{"status", "--watch", "--json"}, Env: append(os.Environ(), person.Env()...), Stdout: io.Discard,
	})
	return func() time.Duration {
		close(end)
		p.tb.Logf("%d pictures", pictures.Load())
		_ = response.Body.Close()
		used := cpuOf(p.tb, status.PID())
		status.Interrupt()
		<-status.Done()
		return used
	}
}

// cpuOf is the time that a process has used, in user and kernel mode.
func cpuOf(tb testing.TB, pid int) time.Duration {
	tb.Helper()
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		tb.Fatal(err)
	}
	// The name, field 2, may have anything in it, and ends with the last bracket.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			tb.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond // of USER_HZ, which is 100 wherever Go runs on Linux
}
