// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"context"
	"time"
)

// retry does something, and again after each pause for up to limit while its error is a passing one. It returns the
// last error, or the context's if that ends in a pause.
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
