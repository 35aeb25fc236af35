// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/scenes"
)

// Where a nested scene has the peer, that scene is named.
func TestNestedInWords(t *testing.T) {
	got := changesText([]control.PeerChange{{Action: "keep", Scene: "Talk"}, {Action: "keep", Scene: "Outer", Through: "Inner"}})
	want := "Saved for scene \"Talk\", which does not have the peer at the moment\n" +
		"Saved for scene \"Outer\", which has the peer only through the nested scene \"Inner\" at the moment; to place it there, use --scene \"Inner\"\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	for _, test := range []struct {
		nested []scenes.Nesting
		want   string
	}{
		{nil, "No scene has it.\n"},
		{[]scenes.Nesting{{Scene: "Outer", Through: "Inner"}}, "Scene \"Outer\" has it through the nested scene \"Inner\".\n"},
	} {
		var b strings.Builder
		state := scenes.State{Collection: "Main", Input: "Peer", Kind: "v4l2_input", Nested: test.nested}
		if err := printState(&b, state); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff("Source \"Peer\" (v4l2_input) in scene collection \"Main\":\n"+test.want, b.String()); diff != "" {
			t.Errorf("state (-want +got):\n%s", diff)
		}
	}
}
