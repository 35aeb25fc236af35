// SPDX-License-Identifier: Apache-2.0

package testbed_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

func TestProgram(t *testing.T) {
	var order []string
	err := testbed.Main(t.Context(), t.Logf, func(tb testbed.TB) {
		tb.Cleanup(func() { order = append(order, "first") })
		tb.Cleanup(func() { order = append(order, "second") })
		tb.Fatalf("broken: %d", 7)
	})
	if err == nil || err.Error() != "broken: 7" {
		t.Errorf("error: got %v, want broken: 7", err)
	}
	if got, want := strings.Join(order, " "), "second first"; got != want {
		t.Errorf("cleanup: got %q, want %q", got, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = testbed.Main(ctx, t.Logf, func(tb testbed.TB) {
		cancel()
		testbed.Await(tb, "what never comes", time.Hour, func() error { return errors.New("not here") })
	})
	if err == nil || !strings.Contains(err.Error(), "not here") {
		t.Errorf("error after cancel: got %v, want one that says what was awaited", err)
	}
}
