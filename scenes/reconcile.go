// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Report is what one Reconcile did.
type Report struct {
	Collection      string
	Input           string // name of the peer source, "" when there is none
	Done            []Edit // edits that were carried out
	NeedsTransition string // as in Outcome
	Held            bool   // as in Outcome
}

// Read takes a Snapshot for a peer source of the given kind, "" for any. It returns
// ErrChanging when OBS changed its scenes meanwhile. For session see Snapshot.
func Read(ctx context.Context, obs OBS, session, kind string) (Snapshot, error) {
	s, err := read(ctx, obs, session, kind)
	if errors.Is(err, ErrNotFound) {
		return s, fmt.Errorf("%w: %w", ErrChanging, err)
	}
	return s, err
}

func read(ctx context.Context, obs OBS, session, kind string) (Snapshot, error) {
	s := Snapshot{Session: session}
	var err error
	if s.Collection, err = obs.Collection(ctx); err != nil {
		return s, err
	}
	if s.Canvas, err = obs.Canvas(ctx); err != nil {
		return s, err
	}
	if s.Studio, err = obs.Studio(ctx); err != nil {
		return s, err
	}
	if s.Inputs, err = obs.Inputs(ctx); err != nil {
		return s, err
	}
	for i := range s.Inputs {
		if in := &s.Inputs[i]; mayBePeer(in.Kind, kind) {
			if in.Settings, err = obs.InputSettings(ctx, in.Name); err != nil {
				return s, err
			}
		}
	}
	names, err := obs.Scenes(ctx)
	if err != nil {
		return s, err
	}
	for _, name := range names {
		items, err := obs.Items(ctx, name, false)
		if err != nil {
			return s, err
		}
		s.Scenes = append(s.Scenes, Scene{Name: name, Items: items})
	}
	seen := map[string]bool{}
	for _, sc := range slices.Clone(s.Scenes) {
		for _, it := range sc.Items {
			if !it.Group || seen[it.Source] {
				continue
			}
			seen[it.Source] = true
			items, err := obs.Items(ctx, it.Source, true)
			if err != nil {
				return s, err
			}
			s.Scenes = append(s.Scenes, Scene{Name: it.Source, Group: true, Items: items})
		}
	}
	// While OBS loads a collection it still gives the old one's name, so the scenes are compared too.
	if s.Program, err = obs.Program(ctx); err != nil {
		return s, err
	}
	after, err := obs.Scenes(ctx)
	if err != nil {
		return s, err
	}
	collection, err := obs.Collection(ctx)
	if err != nil {
		return s, err
	}
	if collection != s.Collection || !slices.Equal(names, after) || !slices.Contains(names, s.Program) {
		return s, ErrChanging
	}
	return s, nil
}

// Reconcile makes OBS as desired: it reads the memory and a Snapshot, plans, stores the memory,
// applies the edits and stores the memory again. It is idempotent, and may be broken off or crash at
// any point: the next one goes on from there. The error joins *EditError and *UnknownSceneError
// values with any other; what could be done is done all the same, and the same pattern is
// reported again by each call. For session see Snapshot.
//
// It has the memory to itself from the first look to the last word. It makes about a dozen requests, and one for each scene and group.
func Reconcile(ctx context.Context, obs OBS, session string, d Desired) (Report, error) {
	unlock, err := obs.Lock(ctx)
	if err != nil {
		return Report{}, err
	}
	defer unlock()
	before, s, err := look(ctx, obs, session, d.Source.Kind)
	if err != nil {
		return Report{}, err
	}
	out := Plan(s, d, before)
	report := Report{Collection: s.Collection, Input: out.Input, NeedsTransition: out.NeedsTransition, Held: out.Held}
	// Stored before the edits, so that a crash in the middle leaves no item that nobody knows of.
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

// look reads the memory, and a Snapshot after it.
func look(ctx context.Context, obs OBS, session, kind string) (Memory, Snapshot, error) {
	m, err := obs.LoadMemory(ctx)
	if err != nil {
		return m, Snapshot{}, fmt.Errorf("read what is remembered of the scenes: %w", err)
	}
	s, err := Read(ctx, obs, session, kind)
	if err != nil {
		return m, s, fmt.Errorf("read the scenes: %w", err)
	}
	return m, s, nil
}

// carryOut applies edits and returns those that worked and what is to be remembered.
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
		return fmt.Errorf("store what is to be remembered of the scenes: %w", err)
	}
	return nil
}
