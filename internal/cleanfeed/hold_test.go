// SPDX-License-Identifier: Apache-2.0

package cleanfeed

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
	"github.com/costream-obs/costream-obs/obsctl"
)

// switching is an OBS with the scenes Main and Second, of which the programme switches to the latter.
type switching struct {
	named
	mu      sync.Mutex
	program string
	said    []string // what is put into the scene for the peer, and whether pictures are held
}

func (s *switching) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, fmt.Sprintf(format, args...))
}

func (s *switching) heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.said...)
}

func (s *switching) set(program string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.program, s.said = program, nil
}

func (s *switching) answer(request string, data json.RawMessage) (any, *fakeobs.Refusal) {
	answer, refusal := s.named.answer(request, data)
	switch request {
	case "GetSceneTransitionList":
		list := []fields{}
		for name, kind := range map[string]string{"Fade": "fade_transition", "Curtain": "obs_stinger_transition", "Third": "move_transition"} {
			list = append(list, fields{"transitionName": name, "transitionKind": kind})
		}
		return fields{"transitions": list}, nil
	case "GetSceneList":
		s.mu.Lock()
		defer s.mu.Unlock()
		answer.(fields)["currentProgramSceneName"] = s.program
	case "CreateSceneItem":
		var d struct{ SceneName, SourceName string }
		_ = json.Unmarshal(data, &d)
		if d.SceneName == Scene {
			s.say("show %s", d.SourceName)
		}
	}
	return answer, refusal
}

// TestHoldPictures: while a transition runs during which OBS may not draw the new scene yet, nobody takes a picture of it.
func TestHoldPictures(t *testing.T) {
	for _, test := range []struct {
		transition string
		ends       obsctl.Event
		want       []string
	}{
		{"Fade", obsctl.TransitionEnded{Name: "Fade"}, []string{"show Second"}},
		{"Curtain", obsctl.TransitionEnded{Name: "Curtain"}, []string{"hold true", "show Second", "hold false"}},
		{"Curtain", obsctl.ProgramScene{Name: "Second"}, []string{"hold true", "show Second", "hold false"}},
		{"Third", obsctl.TransitionEnded{Name: "Third"}, []string{"hold true", "show Second", "hold false"}},
		{"of no list", obsctl.TransitionEnded{Name: "of no list"}, []string{"hold true", "show Second", "hold false"}},
		{"Curtain", nil, []string{"hold true", "show Second", "hold false"}}, // the connection ends
	} {
		t.Run(test.transition, func(t *testing.T) {
			s := &switching{named: named{scenes: map[string][]string{"Main": {"A"}, "Second": {"B"}}}, program: "Main"}
			server := (&fakeobs.Server{Handle: s.answer}).Start(t)
			client, err := obsctl.Dial(t.Context(), obsctl.Endpoint{Host: server.Addr().IP.String(), Port: server.Addr().Port}, obsctl.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = client.Close() })
			obs := obsctl.NewPrivateScenes(PrivateScenes()).On(client)
			f := New(nil)
			f.HoldPictures(func(hold bool) { s.say("hold %t", hold) })
			inStep := make(chan struct{}, 100)
			f.Begin(func(context.Context) ([]string, error) { return nil, nil }, func() { inStep <- struct{}{} })
			if err := f.Sync(t.Context(), obs); err != nil {
				t.Fatal(err)
			}
			<-inStep
			ctx, stop := context.WithCancel(t.Context())
			events, ended := make(chan obsctl.Event), make(chan error, 1)
			go func() { ended <- f.Follow(ctx, obs, events) }()
			<-inStep // the first look

			s.set("Second")
			events <- obsctl.TransitionStarted{Name: test.transition}
			await(t, inStep)
			if test.ends != nil {
				events <- obsctl.TransitionEnded{Name: "another"}
				events <- test.ends
			}
			stop()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, s.heard()); diff != "" {
				t.Errorf("in this order (-want +got):\n%s", diff)
			}
		})
	}
}

// await waits for a look at OBS.
func await(t *testing.T, inStep chan struct{}) {
	t.Helper()
	select {
	case <-inStep:
	case <-time.After(10 * time.Second):
		t.Fatal("the scenes were not brought in step")
	}
}
