// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

// TestPatientWriter: nobody waits for a reader, and a reader who comes late gets everything in order.
func TestPatientWriter(t *testing.T) {
	reader, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	p := newPatientWriter(pipe)
	line := []byte(strings.Repeat("x", 99) + "\n")
	const lines = 5000 // more than a pipe holds
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		for range lines {
			_, _ = p.Write(line)
		}
	}()
	select {
	case <-wrote:
	case <-time.After(10 * time.Second):
		t.Fatal("a writer waits for the reader")
	}
	read := make(chan []byte)
	go func() {
		buffer := make([]byte, lines*len(line))
		n := 0
		for n < len(buffer) {
			m, err := reader.Read(buffer[n:])
			if err != nil {
				break
			}
			n += m
		}
		read <- buffer[:n]
	}()
	if got, want := <-read, bytes.Repeat(line, lines); !bytes.Equal(got, want) {
		t.Errorf("read %d bytes, want %d", len(got), len(want))
	}
	_ = p.Close()
}

// TestPatientWriterLosesTheRest: what nobody reads does not grow without bound, and does not hold up the end.
func TestPatientWriterLosesTheRest(t *testing.T) {
	reader, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	p := newPatientWriter(pipe)
	block := make([]byte, patience/4)
	for range 100 {
		_, _ = p.Write(block)
	}
	p.mu.Lock()
	size := p.size
	p.mu.Unlock()
	if size > patience {
		t.Errorf("%d bytes wait, want no more than %d", size, patience)
	}
	closed := make(chan struct{})
	go func() { _ = p.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(10 * flushLimit):
		t.Error("the end waits for a reader that does not come")
	}
}
