// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"log/slog"
	"testing"
)

// TestRecords: without a directory nothing is recorded, and each time on air has a recorder of its own.
func TestRecords(t *testing.T) {
	var none records
	if got := none.begin(); got != nil {
		t.Errorf("without a directory got the recorder %v", got)
	}
	none.end()

	r := records{dir: t.TempDir(), name: "Bob", keyFrame: func() {}, changed: func() {}, log: slog.New(slog.DiscardHandler)}
	first := r.begin()
	if path, wrong := r.state(); path != "" || wrong != nil {
		t.Errorf("before anything came: got %q, %v", path, wrong)
	}
	r.end()
	second := r.begin()
	if first == nil || second == nil || first == second {
		t.Errorf("got the recorders %p and %p", first, second)
	}
	r.end()
	r.wait()
	if path, wrong := r.state(); path != "" || wrong != nil {
		t.Errorf("off air: got %q, %v", path, wrong)
	}
}
