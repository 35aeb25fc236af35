// SPDX-License-Identifier: Apache-2.0

package obsscenes

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// LearnCollection has the name of the current scene collection asked over a connection of its own, where that takes long.
// Until it is known an Overview takes it to be the one that the memory is about. Standing, which is compared with that, has
// the name that OBS gave.
func (o *OBS) LearnCollection(ctx context.Context) {
	if !o.client.ReadsCollections() {
		return
	}
	o.learned = make(chan struct{})
	go func() {
		defer close(o.learned)
		_ = o.client.LearnCollection(ctx) // else it is asked as usual
	}()
}

// AssumeCollection lets the name of the current scene collection be assumed, where OBS takes long to tell it: it is what
// OBS gave last and no event contradicts, else the one that the memory is about. Package scenes has it confirmed where it
// matters.
func (o *OBS) AssumeCollection() { o.assumes = o.client.ReadsCollections() }

// assume returns what may be assumed of the collection; remembered is the one that the memory is about, if it is about one.
func (o *OBS) assume(remembered string) string {
	if o.assumes && o.assumed == "" {
		o.assumed = cmp.Or(o.client.LastCollection(math.MaxInt64), remembered)
	}
	return o.assumed
}

// Collection implements scenes.OBS.
func (o *OBS) Collection(ctx context.Context) (string, error) {
	name, err := o.client.Collection(ctx, collectionKnown)
	return name, translate(err)
}

// knows reports whether nothing is to be waited for to know the collection.
func (o *OBS) knows() bool {
	select {
	case <-o.learned:
		return true
	default:
		return o.learned == nil
	}
}

// collectionKnown is for how long the name of the current scene collection is not asked for again.
const collectionKnown = 2 * time.Second

// standing is the question where OBS stands. The scenes of the clean feed are left out: the peer has no place there. The
// collection may be told to read, who does not wait for it then.
func (o *OBS) standing(b *obsctl.Batch) (read func(ctx context.Context, collection string) (scenes.Standing, error)) {
	list := b.SceneList()
	var current *obsctl.Answer[string]
	if o.knows() && !(o.assumes && o.client.LastCollection(collectionKnown) == "") {
		current = b.Collection(collectionKnown)
	}
	// Asked last: a scene is noted before it is made.
	readMade := o.askMade(b)
	return func(ctx context.Context, collection string) (scenes.Standing, error) {
		if list.Err != nil {
			return scenes.Standing{}, translate(list.Err)
		}
		err := readMade(ctx, list.Value.Names)
		if err != nil {
			return scenes.Standing{}, translate(err)
		}
		assumed := false
		switch {
		case current != nil:
			collection, err = current.Value, translate(current.Err)
		case o.assume(collection) != "":
			collection, assumed = o.assumed, true
		case collection == "":
			collection, err = o.awaitCollection(ctx)
		}
		if err != nil {
			return scenes.Standing{}, err
		}
		names := slices.DeleteFunc(slices.Clone(list.Value.Names), func(name string) bool { return o.made.Has(collection, name) })
		return scenes.Standing{Collection: collection, Assumed: assumed, Scenes: names, Program: list.Value.Program}, nil
	}
}

// askMade is the question which scenes are the clean feed's. As long as OBS has the same scenes it is not asked again: OBS
// reads the file with the memory to answer.
func (o *OBS) askMade(b *obsctl.Batch) (read func(ctx context.Context, listed []string) error) {
	var answer func() (cleanfeed.Made, error)
	if o.listed == nil {
		answer = cleanfeed.AskMade(b)
	}
	return func(ctx context.Context, listed []string) error {
		if answer == nil && slices.Equal(listed, o.listed) {
			return nil
		}
		if answer == nil {
			answer = func() (cleanfeed.Made, error) { return cleanfeed.LoadMade(ctx, o.client) }
		}
		made, err := answer()
		if err == nil {
			o.made, o.listed = made, listed
		}
		return err
	}
}

// awaitCollection returns the collection once it is known.
func (o *OBS) awaitCollection(ctx context.Context) (string, error) {
	if o.learned != nil {
		select {
		case <-o.learned:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	return o.Collection(ctx)
}
