// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"context"
	"time"
)

// retry calls do, and again after each pause for up to limit while its error is temporary. It returns the last error, or the
// context's if that ends during a pause.
func retry(ctx context.Context, limit, pause time.Duration, passing func(error) bool, do func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := do()
		if !passing(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
