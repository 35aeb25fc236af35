// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
)

// An output is a command's standard output. It keeps its first error, so that a command whose output is lost fails, however
// it prints.
type output struct {
	to  io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.to.Write(b)
	if err != nil {
		err = fmt.Errorf("print the output: %w", err)
		if o.err == nil {
			o.err = err
		}
	}
	return n, err
}

// bare is the writer behind an output: for a command that goes on when nobody reads what it prints, for programs that
// write themselves, and to see whether it is a terminal.
func bare(w io.Writer) io.Writer {
	if o, ok := w.(*output); ok {
		return o.to
	}
	return w
}
