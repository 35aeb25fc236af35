// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
	"github.com/costream-obs/costream-obs/obsctl"
)

const (
	// tallyGoal is how late what one side does may be in the other's report, besides the way, which is none here.
	tallyGoal = 100 * time.Millisecond
	// tallyLimit holds for each change on a machine that has much else to do.
	tallyLimit = 5 * time.Second
)

// events are those of a person's OBS, with when they came.
type events struct {
	mu   sync.Mutex
	all  []event
	news chan struct{} // closed and replaced at each event
}

type event struct {
	obsctl.Event
	at time.Time
}

// watchEvents takes an OBS's events until the test ends, on a connection of its own, which does nothing else.
func watchEvents(t *testing.T, p *e2e.Person) *events {
	t.Helper()
	obs, err := obsctl.Dial(t.Context(), obsctl.Endpoint{Host: "127.0.0.1", Port: p.OBS.Port, Password: obsctl.Secret(p.OBS.Password), AuthRequired: true},
		obsctl.Options{Activations: true})
	if err != nil {
		t.Fatal(err)
	}
	e := &events{news: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ev := range obs.Events() {
			e.mu.Lock()
			e.all = append(e.all, event{ev, time.Now()})
			close(e.news)
			e.news = make(chan struct{})
			e.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		_ = obs.Close()
		<-done
	})
	return e
}

// mark is the number of events so far.
func (e *events) mark() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.all)
}

// await returns when the first event came after a mark that is the wanted one.
func (e *events) await(t *testing.T, mark int, what string, wanted func(obsctl.Event) bool) time.Time {
	t.Helper()
	deadline := time.After(tallyLimit)
	for {
		e.mu.Lock()
		all, news := e.all[mark:], e.news
		e.mu.Unlock()
		for _, ev := range all {
			if wanted(ev.Event) {
				return ev.at
			}
		}
		select {
		case <-news:
		case <-deadline:
			t.Fatalf("awaited %s from OBS for %v", what, tallyLimit)
		}
	}
}

// TestRealTally: what Alice does with Bob's picture and her voice is in what Bob's costream-obs reports, within 100 ms.
func TestRealTally(t *testing.T) {
	testbed.Need(t)
	p := newPair(t)
	obs := watchEvents(t, p.alice)
	p.goOnAir(t)
	for _, side := range []struct {
		name string
		*e2e.Companion
	}{{"Alice", p.aliceC}, {"Bob", p.bobC}} {
		side.AwaitTally(0, side.name+"'s tally: both on air, shown and heard", airLimit, func(now control.Tally) bool {
			live := link.Tally{OnAir: true, PeerShown: true}
			return now.Me == live && now.Peer != nil && *now.Peer == live
		})
	}

	took := make(map[string][]time.Duration)
	// change does something on Alice's side, and measures from OBS's event, or from her own report where OBS has none, to Bob's report.
	change := func(what string, do func(), event func(obsctl.Event) bool, is func(link.Tally) bool) {
		t.Helper()
		alices, bobs, mark := p.aliceC.Mark(), p.bobC.Mark(), obs.mark()
		do()
		hers := p.aliceC.AwaitTally(alices, "Alice reports: "+what, tallyLimit, func(now control.Tally) bool { return is(now.Me) })
		began := hers.Time
		if event != nil {
			began = obs.await(t, mark, what, event)
		}
		his := p.bobC.AwaitTally(bobs, "Bob reports: "+what, tallyLimit, func(now control.Tally) bool { return now.Peer != nil && is(*now.Peer) })
		took[what] = append(took[what], max(0, his.Time.Sub(began)))
	}
	peer := itemOf(t, p.alice, testbed.Scene, e2e.PeerInput)
	enable := func(on bool) func() {
		return func() {
			p.alice.OBS.Request("SetSceneItemEnabled", testbed.D{"sceneName": testbed.Scene, "sceneItemId": peer, "sceneItemEnabled": on}, nil)
		}
	}
	active := func(on bool) func(obsctl.Event) bool {
		return func(ev obsctl.Event) bool { return ev == obsctl.InputActive{Input: e2e.PeerInput, Active: on} }
	}
	mute := func(on bool) func() {
		return func() {
			p.alice.OBS.Request("SetInputMute", testbed.D{"inputName": "Mic/Aux", "inputMuted": on}, nil)
		}
	}
	muted := func(on bool) func(obsctl.Event) bool {
		return func(ev obsctl.Event) bool { return ev == obsctl.MuteChanged{Input: "Mic/Aux", Muted: on} }
	}
	order := func(do string) func() { return func() { p.alice.Costream(binary, "", "peer", do) } }
	const times = 8
	for range times {
		change("hidden", enable(false), active(false), func(s link.Tally) bool { return !s.PeerShown })
		change("shown", enable(true), active(true), func(s link.Tally) bool { return s.PeerShown })
		change("muted", mute(true), muted(true), func(s link.Tally) bool { return s.Muted })
		change("heard", mute(false), muted(false), func(s link.Tally) bool { return !s.Muted })
	}
	for range times / 2 {
		change("away", order("away"), nil, func(s link.Tally) bool { return s.Away })
		change("back", order("back"), nil, func(s link.Tally) bool { return !s.Away && !s.Muted })
	}

	// Bob reads the same, in each form.
	change("hidden", enable(false), active(false), func(s link.Tally) bool { return !s.PeerShown })
	checkStatus(t, p, control.Tally{Me: link.Tally{OnAir: true, PeerShown: true}, Peer: &link.Tally{OnAir: true}},
		"Alice does not show you; you show Alice")

	// Within a scene in the programme, Bob is shown; in a preview, or in a scene that nothing shows, he is not.
	const other = "Other"
	p.alice.OBS.Request("CreateScene", testbed.D{"sceneName": other}, nil)
	p.alice.OBS.Request("CreateSceneItem", testbed.D{"sceneName": other, "sourceName": e2e.PeerInput}, nil)
	p.alice.OBS.Request("SetStudioModeEnabled", testbed.D{"studioModeEnabled": true}, nil)
	testbed.Await(t, "the preview", pictureLimit, func() error {
		return p.alice.OBS.TryRequest("SetCurrentPreviewScene", testbed.D{"sceneName": other}, nil)
	})
	testbed.Await(t, "the preview shows Bob", pictureLimit, func() error {
		var now struct{ VideoActive, VideoShowing bool }
		p.alice.OBS.Request("GetSourceActive", testbed.D{"sourceName": e2e.PeerInput}, &now)
		if now.VideoActive || !now.VideoShowing {
			return fmt.Errorf("OBS says of the peer source: %+v", now)
		}
		return nil
	})
	if now := p.alice.Tally(binary); now.Me.PeerShown {
		t.Error("a preview counts as the programme")
	}
	change("shown in studio mode", func() { p.alice.OBS.Request("TriggerStudioModeTransition", nil, nil) }, active(true),
		func(s link.Tally) bool { return s.PeerShown })
	p.alice.OBS.Request("SetStudioModeEnabled", testbed.D{"studioModeEnabled": false}, nil)
	change("hidden by another scene", func() {
		p.alice.OBS.Request("SetCurrentProgramScene", testbed.D{"sceneName": testbed.Scene}, nil)
	}, active(false), func(s link.Tally) bool { return !s.PeerShown })
	var nested struct{ SceneItemID int }
	change("shown in a nested scene", func() {
		p.alice.OBS.Request("CreateSceneItem", testbed.D{"sceneName": testbed.Scene, "sourceName": other}, &nested)
	}, active(true), func(s link.Tally) bool { return s.PeerShown })
	change("hidden with the nested scene", func() {
		p.alice.OBS.Request("SetSceneItemEnabled", testbed.D{"sceneName": testbed.Scene, "sceneItemId": nested.SceneItemID, "sceneItemEnabled": false}, nil)
	}, active(false), func(s link.Tally) bool { return !s.PeerShown })

	// Off air is told before the link goes.
	bobs, mark := p.bobC.Mark(), obs.mark()
	p.alice.OBS.StopStream()
	began := obs.await(t, mark, "the end of the stream", func(ev obsctl.Event) bool {
		state, is := ev.(obsctl.StreamState)
		return is && state.Phase == obsctl.Stopping
	})
	his := p.bobC.AwaitTally(bobs, "Bob reports that Alice is off air", tallyLimit, func(now control.Tally) bool {
		return now.Peer != nil && *now.Peer == link.Tally{}
	})
	took["off air"] = append(took["off air"], max(0, his.Time.Sub(began)))
	p.aliceC.Await(e2e.Ready, readyLimit)
	// Without her picture his OBS does not show her any more.
	p.bobC.AwaitTally(bobs, "Bob does not show Alice", tallyLimit, func(now control.Tally) bool {
		return now.Me == link.Tally{OnAir: true} && now.Peer != nil && *now.Peer == link.Tally{}
	})
	checkStatus(t, p, control.Tally{Me: link.Tally{OnAir: true}, Peer: &link.Tally{}}, "Alice is off air")

	var all []time.Duration
	late := 0
	for what, times := range took {
		slices.Sort(times)
		t.Logf("%-28s median %v, longest %v of %d", what, times[len(times)/2].Round(100*time.Microsecond), times[len(times)-1].Round(100*time.Microsecond), len(times))
		for _, d := range times {
			all = append(all, d)
			if d > tallyGoal {
				late++
			}
		}
	}
	slices.Sort(all)
	t.Logf("%-28s median %v, longest %v of %d; %d took longer than %v", "all", all[len(all)/2].Round(100*time.Microsecond),
		all[len(all)-1].Round(100*time.Microsecond), len(all), late, tallyGoal)
	// Two OBS without a graphics card leave a busy machine little time.
	if late > len(all)/10 {
		t.Errorf("%d of %d changes took longer than %v", late, len(all), tallyGoal)
	}
}

// checkStatus holds what Bob's costream-obs says of the tally.
func checkStatus(t *testing.T, p *pair, want control.Tally, sentence string) {
	t.Helper()
	if diff := cmp.Diff(want, p.bob.Tally(binary)); diff != "" {
		t.Errorf("status --json (-want +got):\n%s", diff)
	}
	if said := p.bob.Costream(binary, "", "peer", "status"); !strings.Contains(said, "Now: ") || !strings.Contains(said, "show") {
		t.Errorf("peer status said:\n%s", said)
	}
	var state struct{ Tally *control.Tally }
	if err := json.Unmarshal([]byte(p.bob.Costream(binary, "", "peer", "status", "--json")), &state); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, state.Tally); diff != "" {
		t.Errorf("peer status --json (-want +got):\n%s", diff)
	}
	if said := p.bob.Says(binary, "status"); !strings.Contains(said, sentence) {
		t.Errorf("status said, want %q in it:\n%s", sentence, said)
	}
}
