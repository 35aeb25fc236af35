// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/config"
)

// TestShareOption: what --share names reaches the companion.
func TestShareOption(t *testing.T) {
	isolate(t)
	want := []string{"Music", "Game*"}
	got, err := companionOptions(&config.Config{Share: want})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Share); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
