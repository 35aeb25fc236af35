// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/pairing"
)

// interrupter presses Ctrl-C as soon as it has read a question.
type interrupter struct {
	question string
	press    context.CancelFunc
	read     bytes.Buffer
}

func (i *interrupter) Write(b []byte) (int, error) {
	i.read.Write(b)
	if bytes.Contains(i.read.Bytes(), []byte(i.question)) {
		i.press()
	}
	return len(b), nil
}

// TestInterruptedQuestion: Ctrl-C at a question ends the command at once, and it is no answer.
func TestInterruptedQuestion(t *testing.T) {
	for _, test := range []struct {
		name, question string
		args           []string
	}{
		{"whether others may help", "Allow it? [Y/n] ", []string{"pair", "new", "--yes"}},
		{"whether to replace the pair", "Replace that pair? [y/N] ", []string{"pair", "new"}},
		{"the line", "Paste the line from your friend: ", []string{"pair", "join", "--yes"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			isolate(t)
			if got := runWith(t, "", "pair", "new"); got.Code != exitOK {
				t.Fatalf("a first pair: %+v", got)
			}
			path, err := pairing.DefaultFile()
			if err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, program := openTerminal(t)
			ctx, press := context.WithCancel(t.Context())
			stderr := &interrupter{question: test.question, press: press}
			var stdout bytes.Buffer
			code := Run(ctx, test.args, program, &stdout, stderr)
			if code != exitFailure || stdout.Len() != 0 || !bytes.Contains(stderr.read.Bytes(), []byte(errInterrupted.Error())) {
				t.Errorf("got exit code %d, stdout %q, stderr %q; want 1, nothing, and what Ctrl-C did", code, &stdout, &stderr.read)
			}
			after, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(before), string(after)); diff != "" {
				t.Errorf("the pair's file (-before +after):\n%s", diff)
			}
		})
	}
}
