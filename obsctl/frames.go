// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// A websocket connection carries frames (RFC 6455, section 5.2). goobs can neither send a batch nor read its answer, so
// batches share its connection: a batch is written as one frame while goobs writes nothing, and its answer is removed from
// what goobs reads.

const (
	textFrame = 0x81 // a whole message
	maskBit   = 0x80
	length16  = 126 // the length follows in 2 bytes
	length64  = 127 // in 8 bytes
)

// frame is a whole text message as a client sends it.
func frame(text []byte) []byte {
	head := []byte{textFrame}
	switch n := len(text); {
	case n < length16:
		head = append(head, maskBit|byte(n))
	case n <= math.MaxUint16:
		head = binary.BigEndian.AppendUint16(append(head, maskBit|length16), uint16(n))
	default:
		head = binary.BigEndian.AppendUint64(append(head, maskBit|length64), uint64(n))
	}
	var mask [4]byte
	_, _ = rand.Read(mask[:]) // never fails
	out := append(append(make([]byte, 0, len(head)+len(mask)+len(text)), head...), mask[:]...)
	for i, b := range text {
		out = append(out, b^mask[i%len(mask)])
	}
	return out
}

// unframer reads what OBS sends, and removes the answers to batches.
type unframer struct {
	in    *bufio.Reader
	taken func(answer []byte)
	seen  func(message []byte) // gets what is passed on; may be nil

	upgraded bool      // the HTTP answer is over, and frames follow
	plain    bool      // it is no websocket server; everything is passed on unchanged
	pass     io.Reader // what is passed on next; nil at the beginning of a frame
}

// answerLimit is the longest answer to a batch. A longer frame goes to goobs.
const answerLimit = 64 << 20

func newUnframer(in io.Reader, taken func(answer []byte)) *unframer {
	return &unframer{in: bufio.NewReaderSize(in, 1<<16), taken: taken}
}

// Read implements io.Reader.
func (u *unframer) Read(p []byte) (int, error) {
	for {
		if u.pass != nil {
			n, err := u.pass.Read(p)
			if n > 0 || err != io.EOF {
				return n, err
			}
			u.pass = nil
		}
		if u.plain {
			return u.in.Read(p)
		}
		next := u.frame
		if !u.upgraded {
			next = u.line
		}
		if err := next(); err != nil {
			return 0, err
		}
	}
}

// line passes on a line of the HTTP answer.
func (u *unframer) line() error {
	line, err := u.in.ReadSlice('\n')
	if len(line) == 0 {
		return err
	}
	if err != nil {
		u.plain = true
	}
	u.upgraded = len(bytes.TrimSpace(line)) == 0
	u.pass = bytes.NewReader(bytes.Clone(line))
	return nil
}

// frame passes on a frame, or removes it.
func (u *unframer) frame() error {
	head, err := u.in.Peek(2)
	if err != nil {
		return err
	}
	size, length := 2, uint64(head[1])
	switch head[1] {
	case length16:
		size = 4
	case length64:
		size = 10
	}
	if head, err = u.in.Peek(size); err != nil {
		return err
	}
	switch size {
	case 4:
		length = uint64(binary.BigEndian.Uint16(head[2:]))
	case 10:
		length = binary.BigEndian.Uint64(head[2:])
	}
	if head[1]&maskBit != 0 || length > math.MaxInt64-10 {
		u.plain = true // invalid; goobs reports why
		return nil
	}
	if head[0] != textFrame || length > answerLimit {
		u.pass = io.LimitReader(u.in, int64(size)+int64(length))
		return nil
	}
	whole := make([]byte, size+int(length))
	if _, err := io.ReadFull(u.in, whole); err != nil {
		return fmt.Errorf("in the middle of a message: %w", err)
	}
	if text := whole[size:]; isBatchAnswer(text) {
		u.taken(text)
		return nil
	}
	if u.seen != nil {
		u.seen(whole[size:])
	}
	u.pass = bytes.NewReader(whole)
	return nil
}

// isBatchAnswer reports whether a message is the answer to a batch. obs-websocket writes the fields of an object in
// alphabetical order and without blanks, so that "op" is the last.
func isBatchAnswer(text []byte) bool { return bytes.HasSuffix(text, []byte(`,"op":9}`)) }
