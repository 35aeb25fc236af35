// SPDX-License-Identifier: Apache-2.0

package problem_test

import (
	"slices"
	"testing"

	"github.com/costream-obs/costream-obs/internal/problem"
)

func TestShown(t *testing.T) {
	for _, tt := range []struct {
		name        string
		there, want []problem.Code
	}{
		{"nothing", nil, nil},
		{"one", []problem.Code{problem.Friend}, []problem.Code{problem.Friend}},
		{"what it depends on is there", []problem.Code{problem.Friend, problem.Link}, []problem.Code{problem.Link}},
		{"in the table's order", []problem.Code{problem.Link, problem.OurPicture}, []problem.Code{problem.OurPicture, problem.Link}},
		{"through others", []problem.Code{problem.Viewers, problem.Level, problem.SoundServer, problem.VoiceOut, problem.PictureOut},
			[]problem.Code{problem.SoundServer, problem.PictureOut}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []problem.Code
			for _, k := range problem.Shown(func(c problem.Code) bool { return slices.Contains(tt.there, c) }) {
				got = append(got, k.Code)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

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
