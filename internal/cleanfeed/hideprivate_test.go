// SPDX-License-Identifier: Apache-2.0

package cleanfeed

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/obsctl"
)

// TestPrivateAmong: only scenes of the user's are private, as the user's patterns say.
func TestPrivateAmong(t *testing.T) {
	f := New(nil)
	if f.Private("Secret") {
		t.Error("a scene is private although none was said to be")
	}
	f.HidePrivate(func(all []string) []string {
		if want := []string{"Main", "Secret"}; !slices.Equal(all, want) {
			t.Errorf("asked about %q, want %q", all, want)
		}
		return []string{"Secret"}
	}, func(string, bool) {})
	f.collection = "Evening"
	f.made = Made{"Evening": {Scene: ""}}
	if diff := cmp.Diff(map[string]bool{"Secret": true}, f.privateAmong([]string{"Main", Scene, "Secret"})); diff != "" {
		t.Errorf("private (-want +got):\n%s", diff)
	}
	for name, want := range map[string]bool{"Main": false, Scene: false, "Secret": true, "New": false} {
		if got := f.Private(name); got != want {
			t.Errorf("%s: private: got %t, want %t", name, got, want)
		}
	}
}

// TestPrivateEvents: what an event alone tells of private scenes is passed on at once, and the rest makes us look at once.
func TestPrivateEvents(t *testing.T) {
	var told []string
	f := New(nil)
	f.HidePrivate(func([]string) []string { return []string{"Secret"} }, func(scene string, known bool) {
		told = append(told, fmt.Sprintf("%q %t", scene, known))
	})
	f.privateAmong([]string{"Main", "Secret"})
	f.last.scenes = map[string]scene{"Main": items(it(1, "Cam"), hidden(it(2, "Secret")))}
	for _, test := range []struct {
		event  obsctl.Event
		told   []string
		urgent bool
	}{
		{obsctl.ProgramScene{Name: "Main"}, nil, true},
		{obsctl.ProgramScene{Name: "Secret"}, []string{`"Secret" true`}, true},
		{obsctl.TransitionStarted{}, nil, true},
		{obsctl.SceneItemEnabled{Scene: "Main", ID: 2, Enabled: true}, nil, true},
		{obsctl.SceneItemEnabled{Scene: "Elsewhere", ID: 2, Enabled: true}, nil, false},
		{obsctl.CollectionChanging{}, []string{`"" false`}, false},
	} {
		told = nil
		var n news
		f.note(test.event, &n)
		if diff := cmp.Diff(test.told, told); diff != "" || n.urgent != test.urgent || n.urgent && !n.look {
			t.Errorf("%T%+v: got news %+v, want urgent: %t; told (-want +got):\n%s", test.event, test.event, n, test.urgent, diff)
		}
	}
}
