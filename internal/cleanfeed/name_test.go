// SPDX-License-Identifier: Apache-2.0

package cleanfeed

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/obsctl"
)

// named is an OBS with the programme scene Main and an input In, in which names matter.
type named struct {
	OBS
	scenes map[string][]string // their items
	others []string            // names of inputs and groups
	refuse int                 // the code by which scenes are not made
	stored []byte
}

func (n *named) Settle(context.Context) (bool, error) { return false, nil }

func (n *named) Collections(context.Context) (string, []string, error) { return "C", nil, nil }

func (n *named) VideoSettings(context.Context) (obsctl.Video, error) { return obsctl.Video{}, nil }

func (n *named) StudioMode(context.Context) (bool, error) { return false, nil }

func (n *named) ProgramScene(context.Context) (string, error) { return "Main", nil }

func (n *named) Scenes(context.Context) ([]string, error) {
	var names []string
	for name := range n.scenes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

func (n *named) CreateScene(_ context.Context, name string) error {
	if n.refuse != 0 {
		return &obsctl.RequestError{Request: "CreateScene", Code: n.refuse}
	}
	if _, taken := n.scenes[name]; taken || slices.Contains(n.others, name) {
		return &obsctl.RequestError{Request: "CreateScene", Code: obsctl.CodeAlreadyExists}
	}
	n.scenes[name] = nil
	return nil
}

func (n *named) RemoveScene(_ context.Context, name string) error {
	delete(n.scenes, name)
	return nil
}

func (n *named) SceneItems(_ context.Context, scene string) ([]obsctl.SceneItem, error) {
	var items []obsctl.SceneItem
	for i, source := range n.scenes[scene] {
		items = append(items, it(i, source))
	}
	return items, nil
}

func (n *named) CreateSceneItem(_ context.Context, scene, source string, _ bool) (int, error) {
	n.scenes[scene] = append(n.scenes[scene], source)
	return len(n.scenes[scene]) - 1, nil
}

func (n *named) RemoveSceneItem(_ context.Context, scene string, id int) error {
	n.scenes[scene] = slices.Delete(slices.Clone(n.scenes[scene]), id, id+1)
	return nil
}

func (n *named) PersistentData(_ context.Context, _ string, into any) (bool, error) {
	return n.stored != nil, json.Unmarshal(append([]byte{}, n.stored...), into)
}

func (n *named) SetPersistentData(_ context.Context, _ string, v any) (err error) {
	n.stored, err = json.Marshal(v)
	return err
}

func begun(t *testing.T) *Feed {
	t.Helper()
	f := New(nil)
	f.Begin(func(context.Context) ([]string, error) { return nil, nil }, func() {})
	return f
}

// Where the user has something called like the scene for the peer, ours has another name, and theirs stays as it is, also
// for a next run of ours.
func TestTakenName(t *testing.T) {
	for _, test := range []struct {
		name   string
		users  []string // items of the user's scene of that name
		others []string
		wanted string
		keep   bool
		want   string
		kept   []string // scenes when we are off air, besides the user's
	}{
		{name: "a scene", users: []string{"In"}, want: "To peer 2"},
		{name: "an empty scene", users: []string{}, want: "To peer 2"},
		{name: "an input", others: []string{"To peer"}, want: "To peer 2"},
		{name: "both", users: []string{"In"}, others: []string{"To peer 2", "To peer 3"}, want: "To peer 4"},
		{name: "the camera shows ours", users: []string{"In"}, wanted: "To peer 2", keep: true, want: "To peer 2", kept: []string{"To peer 2"}},
		{name: "the camera shows the user's", users: []string{"In"}, wanted: "To peer", keep: true, want: "To peer 2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			obs := &named{scenes: map[string][]string{"Main": {"In"}}, others: test.others, stored: []byte("{}")}
			before := map[string][]string{"Main": {"In"}}
			if test.users != nil {
				obs.scenes[Scene], before[Scene] = test.users, slices.Clone(test.users)
			}
			f := begun(t)
			if test.wanted != "" {
				f.Want(test.wanted)
			}
			for range 2 {
				for range 2 {
					if err := f.Sync(t.Context(), obs); err != nil {
						t.Fatal(err)
					}
				}
				want := map[string][]string{test.want: {"Main"}}
				for name, items := range before {
					want[name] = items
				}
				if diff := cmp.Diff(want, obs.scenes); diff != "" || f.Scene() != test.want {
					t.Fatalf("the scene for the peer is %q (-want +got):\n%s", f.Scene(), diff)
				}
				if f.Ours("C", Scene) && test.users != nil || !f.Ours("C", test.want) {
					t.Errorf("which scene is ours: got %v", f.shared.Load())
				}
				f = begun(t) // a next run
				if test.wanted != "" {
					f.Want(test.wanted)
				}
				if err := f.Remove(t.Context(), obs, test.keep); err != nil {
					t.Fatal(err)
				}
				delete(want, test.want)
				for _, name := range test.kept {
					want[name] = nil
				}
				if diff := cmp.Diff(want, obs.scenes, cmp.Transformer("", func(items []string) string { return strings.Join(items, " ") })); diff != "" {
					t.Fatalf("off air (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// Who reports an error of ours names the clean feed: the error itself does not.
func TestErrorsNameTheEdit(t *testing.T) {
	err := begun(t).Sync(t.Context(), &named{scenes: map[string][]string{"Main": {"In"}}, refuse: 500, stored: []byte("{}")})
	if err == nil || !strings.HasPrefix(err.Error(), `make scene "To peer": `) {
		t.Errorf("got %v, want it to begin with the edit", err)
	}
}
