// SPDX-License-Identifier: Apache-2.0

// Package lockfile lets only one program at a time do something, with a lock on a file. The kernel releases the lock when the
// program ends, in whatever way, so a file that is left does not mean that it is locked.
//
// It keeps out only programs that lock the same file on the same machine.
package lockfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// HeldError says that another program has the lock.
type HeldError struct {
	// PID is its process id as far as it is known, else 0.
	PID int
}

func (e *HeldError) Error() string {
	if e.PID == 0 {
		return "another program has the lock"
	}
	return fmt.Sprintf("process %d has the lock", e.PID)
}

// again is how often a lock that is held is tried: the kernel tells nobody who can also wait for something else.
const again = 2 * time.Millisecond

// Acquire takes the lock on a file, which is made with its directory where it is missing, and waits for it up to a time.
// Its error is a *HeldError, ctx's, or that of the file system.
func Acquire(ctx context.Context, path string, wait time.Duration) (release func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := take(ctx, file, time.Now().Add(wait)); err != nil {
		_ = file.Close()
		return nil, err
	}
	// Only for words: a lock without its holder's id is one as well.
	if file.Truncate(0) == nil {
		_, _ = file.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
	}
	return func() { _ = file.Close() }, nil
}

func take(ctx context.Context, file *os.File, deadline time.Time) error {
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case !errors.Is(err, unix.EWOULDBLOCK):
			return fmt.Errorf("lock %s: %w", file.Name(), err)
		case !time.Now().Before(deadline):
			return &HeldError{PID: holder(file)}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(again):
		}
	}
}

func holder(file *os.File) int {
	text := make([]byte, 20)
	n, _ := file.ReadAt(text, 0)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text[:n])))
	if err != nil {
		return 0
	}
	return pid
}
