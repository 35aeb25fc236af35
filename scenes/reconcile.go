// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// Report is what one Reconcile did.
type Report struct {
	Collection      string
	Input           string // name of the peer source, "" when there is none
	Done            []Edit // edits that were carried out
	NeedsTransition string // as in Outcome
	Held            bool   // as in Outcome
}

// Reconcile makes OBS as desired. It reads the memory and a Snapshot, plans, stores the memory, applies the edits and stores
// the memory again. It is idempotent, and may be interrupted or crash at any point: the next call continues. The error joins
// *EditError and *UnknownSceneError values with any other; whatever is possible is done nevertheless, and each call reports
// the same pattern again. Snapshot explains session.
//
// The memory is locked from the first look to the end.
func Reconcile(ctx context.Context, obs OBS, session string, d Desired) (Report, error) {
	unlock, err := obs.Lock(ctx)
	if err != nil {
		return Report{}, err
	}
	defer unlock()
	before, s, err := look(ctx, obs, session, d.Source, d.focus())
	if err != nil {
		return Report{}, err
	}
	out := Plan(s, d, before)
	report := Report{Collection: s.Collection, Input: out.Input, NeedsTransition: out.NeedsTransition, Held: out.Held}
	// Stored before the edits, so that a crash in between leaves no item that nobody knows.
	if err := store(ctx, obs, before, out.Memory); err != nil {
		return report, err
	}
	done, after, err := carryOut(ctx, obs, s.Collection, out.Edits, out.Memory)
	report.Done = done
	errs := []error{err, store(ctx, obs, out.Memory, after)}
	for _, u := range out.Unknown {
		errs = append(errs, u)
	}
	return report, errors.Join(errs...)
}

// focus is on the scenes that get the peer source.
func (d Desired) focus() focus {
	if !d.Present {
		return scenesOf(nil)
	}
	return scenesOf(d.Scenes)
}

// carryOut applies edits, and returns those that worked and the memory after them.
func carryOut(ctx context.Context, obs OBS, collection string, edits []Edit, m Memory) ([]Edit, Memory, error) {
	if len(edits) == 0 {
		return nil, m, nil
	}
	after, errs := Apply(ctx, obs, collection, edits, m)
	var done []Edit
	for i, err := range errs {
		if err == nil {
			done = append(done, edits[i])
		}
	}
	return done, after, errors.Join(errs...)
}

// store saves the memory if it has changed.
func store(ctx context.Context, obs OBS, old, m Memory) error {
	if reflect.DeepEqual(old, m) {
		return nil
	}
	oldText, err := json.Marshal(old)
	if err != nil {
		return err
	}
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if bytes.Equal(oldText, text) {
		return nil
	}
	if err := obs.SaveMemory(ctx, m); err != nil {
		return fmt.Errorf("store what costream-obs remembers of the scenes: %w", err)
	}
	return nil
}
