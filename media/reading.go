// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"encoding/binary"
	"net"
	"os"
	"time"
)

// lookReading is how often we look whether a reader has read its picture. The kernel does not tell when that happens: it
// acknowledges what waits in the reader's buffer.
const lookReading = 2 * time.Millisecond

// reading knows whether the program at the other end of a connection, on this machine, has read all that was written. The
// kernel's buffers take 8 to 60 pictures (measured: 1920x1080 and 480x270), which a reader that was kept from its work would
// have to read before the newest.
type reading struct {
	ends tcpEnds
	diag *tcpDiag // nil where the kernel does not answer such questions
}

func openReading(conn net.Conn) *reading {
	r := &reading{ends: endsOf(conn)}
	if d, err := openDiag(); err == nil {
		r.diag = d
	}
	return r
}

func (r *reading) close() {
	if r.diag != nil {
		r.diag.close()
	}
}

// await returns when all is read, or nobody knows whether it is. It is an error that this takes longer than stuckAfter.
func (r *reading) await(ctx context.Context) error {
	if !r.unread() {
		return nil
	}
	late := time.NewTimer(stuckAfter)
	defer late.Stop()
	look := time.NewTicker(lookReading)
	defer look.Stop()
	for r.unread() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late.C:
			if r.unread() { // This process may have stood still, and the reader not.
				return os.ErrDeadlineExceeded
			}
			return nil
		case <-look.C:
		}
	}
	return nil
}

// unread reports whether something waits in the reader's buffer.
func (r *reading) unread() bool {
	if r.diag == nil {
		return false
	}
	answer, err := r.diag.ask(r.ends)
	if err == nil {
		if m, ok := diagMessage(r.ends, answer); ok {
			return binary.NativeEndian.Uint32(m[diagUnread:]) > 0
		}
	}
	// It would not answer the next time, either, for which a picture would wait. A kernel without tcp_diag says that there is no
	// such connection, after it has looked for the module, with a process of its own.
	r.close()
	r.diag = nil
	return false
}
