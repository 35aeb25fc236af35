// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"testing"
	"time"
)

const testLimit = 10 * time.Second

func await[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(testLimit):
		t.Fatalf("awaited %s for %v", what, testLimit)
		panic("unreachable")
	}
}
