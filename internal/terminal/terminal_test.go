// SPDX-License-Identifier: Apache-2.0

package terminal_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/terminal"
)

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		name, text, want string
		indent, width    int
	}{
		{"short", "one two", "  one two", 2, 20},
		{"long", "one two three four", "  one two\n  three four", 2, 12},
		{"a word that is too long", "one incomprehensibilities two", "one\nincomprehensibilities\ntwo", 0, 10},
		{"a command stays whole", "type `costream-obs setup --undo` now", "type\n`costream-obs setup --undo`\nnow", 0, 12},
		{"paragraphs", "one two\n\n  as it is\n\nthree", "one two\n\n  as it is\n\nthree", 0, 20},
		{"letters, not bytes", "ää öö üü", "ää öö\nüü", 0, 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, terminal.Wrap(test.text, test.indent, test.width)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStyle(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if diff := cmp.Diff(terminal.Style{Width: terminal.Width}, terminal.StyleOf(f)); diff != "" {
		t.Errorf("style of a file (-want +got):\n%s", diff)
	}
	plain, coloured := terminal.Style{}, terminal.Style{Colour: true}
	if got := plain.Commands(plain.Paint(terminal.Red, "see `ls`")); got != "see `ls`" {
		t.Errorf("without colours: got %q", got)
	}
	if got, want := coloured.Commands("see `ls` now"), "see \x1b[1mls\x1b[0m now"; got != want {
		t.Errorf("with colours: got %q, want %q", got, want)
	}
	if got := coloured.Commands("a ` alone"); got != "a ` alone" {
		t.Errorf("half a command: got %q", got)
	}
}

func TestOneLine(t *testing.T) {
	for text, want := range map[string]string{"": "", "one": "one", "one\ntwo\n": "one; two", "one\r\n\r\ntwo": "one; two"} {
		if got := terminal.OneLine(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
