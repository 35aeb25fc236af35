// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"time"

	"github.com/costream-obs/costream-obs/internal/doctor"
)

const (
	// settling is how long a costream-obs on air may take to repair what it manages. It checks OBS's sound every second, and
	// a new stream plays elsewhere until it is moved, for 0.4 s on a busy machine (measured, OBS 29.0.2).
	settling = 3 * time.Second
	// lookAgain is the pause between two looks.
	lookAgain = 300 * time.Millisecond
)

// settled is for checks of what a costream-obs on air manages: a fault that it repairs meanwhile is not reported.
func (m *Machine) settled(check func(*Machine, context.Context) doctor.Result) func(context.Context) doctor.Result {
	return func(ctx context.Context) doctor.Result {
		result := check(m, ctx)
		ctx, cancel := context.WithTimeout(ctx, settling)
		defer cancel()
		for now := m; result.Status == doctor.Fail && now.onAir(ctx); {
			next := now.Later(ctx)
			if next == nil {
				break
			}
			again := check(next, ctx)
			if ctx.Err() != nil {
				break // A check without answers proves nothing.
			}
			now, result = next, again
		}
		return result
	}
}

// later waits a moment and returns the machine at that time, or nil once ctx has ended.
func (m *Machine) later(ctx context.Context) *Machine {
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(lookAgain):
		return New(m.Options)
	}
}
