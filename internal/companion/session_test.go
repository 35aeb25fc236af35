// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"errors"
	"testing"
	"time"
)

func TestProblemText(t *testing.T) {
	for text, want := range map[string]string{
		"it does not answer":              "control socket: it does not answer",
		"control socket: address in use":  "control socket: address in use",
		"the control socket: cannot bind": "control socket: the control socket: cannot bind",
	} {
		if got := problemText("control socket", errors.New(text)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

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
