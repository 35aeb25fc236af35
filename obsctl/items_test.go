// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTransformWire: what is read can be sent back, and what is left out does
// no harm.
func TestTransformWire(t *testing.T) {
	tests := []struct {
		name     string
		in, want Transform
	}{
		{"nothing", Transform{}, Transform{ScaleX: 1, ScaleY: 1, BoundsType: "OBS_BOUNDS_NONE", BoundsW: 1, BoundsH: 1}},
		{
			"all",
			Transform{1, 2, -0.5, 2, 90, 5, "OBS_BOUNDS_SCALE_INNER", 4, 320, 180, 1, 2, 3, 4, true, 0, 0, 0, 0},
			Transform{1, 2, -0.5, 2, 90, 5, "OBS_BOUNDS_SCALE_INNER", 4, 320, 180, 1, 2, 3, 4, true, 0, 0, 0, 0},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, fromWire(*tt.in.wire())); diff != "" {
				t.Errorf("transform (-want +got):\n%s", diff)
			}
		})
	}
}
