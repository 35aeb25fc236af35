// SPDX-License-Identifier: Apache-2.0

package scenes

import "context"

// Report is what one Reconcile did.
type Report struct {
	Input           string   // name of the peer source, "" when there is none
	Done            []Edit   // edits that were carried out
	NeedsTransition []string // as in Outcome
}

// Read takes a Snapshot. Kind narrows the inputs whose settings are read, as in Source.
// It returns ErrChanging when OBS changed meanwhile.
func Read(ctx context.Context, obs OBS, session, kind string) (Snapshot, error) {
	return Snapshot{}, nil
}

// Reconcile makes OBS as desired: it reads the memory and a Snapshot, plans, stores the memory,
// applies the edits and stores the memory again. It is idempotent, and may be broken off or crash at
// any point: the next one goes on from there. The error joins *EditError and *UnknownSceneError
// values with any other; what could be done is done all the same. For session see Snapshot.
func Reconcile(ctx context.Context, obs OBS, session string, d Desired) (Report, error) {
	return Report{}, nil
}
