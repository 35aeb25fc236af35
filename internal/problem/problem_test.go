// SPDX-License-Identifier: Apache-2.0

package problem_test

import (
	"slices"
	"testing"

	"github.com/costream-obs/costream-obs/internal/problem"
)

func TestTable(t *testing.T) {
	var above []problem.Code
	names := make(map[string]bool)
	for _, k := range problem.All() {
		if slices.Contains(above, k.Code) {
			t.Errorf("%s is there twice", k.Code)
		}
		if k.Name != "" && names[k.Name] {
			t.Errorf("%s: another kind is called %q, too", k.Code, k.Name)
		}
		if k.Group() == "" {
			t.Errorf("%s stands under no heading", k.Code)
		}
		for _, need := range k.Needs {
			if !slices.Contains(above, need) {
				t.Errorf("%s needs %s, which is not above it", k.Code, need)
			}
		}
		above, names[k.Name] = append(above, k.Code), true
	}
}
