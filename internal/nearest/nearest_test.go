// SPDX-License-Identifier: Apache-2.0

package nearest

import "testing"

func TestHint(t *testing.T) {
	commands := []string{"run", "send", "receive", "peer", "graph", "version"}
	for _, test := range []struct{ word, want string }{
		{"snd", "; did you mean send?"},
		{"recieve", "; did you mean receive?"},
		{"grpah", "; did you mean graph?"},
		{"Run", "; did you mean run?"},
		{"peers", "; did you mean peer?"},
		{"wersjon", "; did you mean version?"},
		{"start", ""},
		{"", ""},
		{"ünïcödé", ""},
	} {
		if got := Hint(test.word, commands); got != test.want {
			t.Errorf("Hint(%q): got %q, want %q", test.word, got, test.want)
		}
	}
	if got := Hint("word", nil); got != "" {
		t.Errorf("Hint without candidates: got %q, want nothing", got)
	}
}
