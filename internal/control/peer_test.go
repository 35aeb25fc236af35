// SPDX-License-Identifier: Apache-2.0

package control

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/scenes"
)

func TestPeerChange(t *testing.T) {
	for _, test := range []struct {
		edit scenes.Edit
		want PeerChange
	}{
		{scenes.EnableItem{Scene: "Talk", Item: 3, Enable: true}, PeerChange{Action: "show", Scene: "Talk", Item: 3}},
		{scenes.EnableItem{Scene: "Talk", Item: 3}, PeerChange{Action: "hide", Scene: "Talk", Item: 3}},
		{scenes.AddItem{Scene: "Talk"}, PeerChange{Action: "add", Scene: "Talk"}},
		{scenes.RemoveItem{Scene: "Talk", Item: 3}, PeerChange{Action: "remove", Scene: "Talk", Item: 3}},
		{scenes.PlaceItem{Scene: "Talk", Item: 3}, PeerChange{Action: "place", Scene: "Talk", Item: 3}},
		{scenes.KeepLook{Scene: "Outer", Through: "Inner"}, PeerChange{Action: "keep", Scene: "Outer", Through: "Inner"}},
		{scenes.SetSettings{Input: "Peer"}, PeerChange{Action: "set", Text: scenes.SetSettings{Input: "Peer"}.String()}},
	} {
		test.want.NeedsTransition = true
		if diff := cmp.Diff(test.want, peerChange(scenes.Change{Edit: test.edit, NeedsTransition: true})); diff != "" {
			t.Errorf("%v (-want +got):\n%s", test.edit, diff)
		}
	}
}

// TestPeerOrder: an order gets to the companion as it is, and the answer comes back with what was changed before a failure.
func TestPeerOrder(t *testing.T) {
	dir, err := os.MkdirTemp("", "control") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	var got PeerOrder
	var answer PeerAnswer
	var failure error
	s := &Server{Path: filepath.Join(dir, "control.sock"), Peer: func(_ context.Context, o PeerOrder) (PeerAnswer, error) {
		got = o
		return answer, failure
	}}
	l, release, err := s.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	client := Client{Path: s.Path}

	margin := scenes.Length{Pixels: 20}
	order := PeerOrder{
		OBS: "127.0.0.1:4455", Do: PeerArrange, Scenes: []string{"Talk*", `a \ "b"`},
		Source:  scenes.Source{Name: "Peer", Settings: map[string]any{"device_id": "/dev/video11"}},
		Layout:  scenes.Layout{Shape: scenes.PiP, Corner: scenes.TopLeft, Extent: scenes.Extent{Percent: 25}, Margin: &margin, Crop: true},
		Layouts: scenes.Layouts{Default: scenes.Layout{Shape: scenes.Full}, Rules: []scenes.Rule{{Scenes: "Game*", Layout: scenes.Layout{Shape: scenes.Grid}}}},
		Saved:   scenes.Saved{Canvas: scenes.Size{W: 1920, H: 1080}, Above: 2},
	}
	answer = PeerAnswer{
		Changes: []PeerChange{{Action: "place", Scene: "Talk", Item: 4, NeedsTransition: true}},
		State:   &scenes.State{Collection: "Main", Input: "Peer", Spots: []scenes.Spot{{Scene: "Talk", Item: 4}}},
		Saved:   &scenes.Saved{Above: 1},
	}
	for _, failure = range []error{nil, errors.New("OBS said no")} {
		reply, err := client.Peer(t.Context(), order)
		if diff := cmp.Diff(order, got); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(answer, reply); diff != "" {
			t.Errorf("answer (-want +got):\n%s", diff)
		}
		if (err == nil) != (failure == nil) || err != nil && err.Error() != failure.Error() {
			t.Errorf("got error %v, want %v", err, failure)
		}
	}
	failure = ErrOtherOBS
	if _, err := client.Peer(t.Context(), order); !errors.Is(err, ErrOtherOBS) {
		t.Errorf("another OBS: got error %v, want %v", err, ErrOtherOBS)
	}
	cancel()
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
	if _, err := client.Peer(t.Context(), order); !errors.Is(err, ErrNotRunning) {
		t.Errorf("nobody runs: got error %v, want %v", err, ErrNotRunning)
	}
}
