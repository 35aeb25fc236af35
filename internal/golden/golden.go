// SPDX-License-Identifier: Apache-2.0

// Package golden compares texts with the files that hold what they should be,
// in tests. With -update a test writes its files instead. It is for tests
// alone, since importing it adds that flag.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Updating reports whether the test is to write what it would compare with.
func Updating() bool { return *update }

// Check fails the test unless file, relative to the test's directory, holds
// got. With -update it writes the file, and its directory where there is none.
func Check(t testing.TB, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test with -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-file +now; go test with -update writes it):\n%s", file, diff)
	}
}
