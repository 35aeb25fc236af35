// SPDX-License-Identifier: Apache-2.0

// Package atomicfile writes files of the user's so that a crash leaves the old or the new one.
//
// It is for small files. It takes no locks.
package atomicfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Write replaces a file, or makes it and its directory, for its user alone (modes 0600 and 0700).
func Write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return Replace(path, data, Options{Mode: 0o600})
}

// Options say how a file is replaced.
type Options struct {
	Mode fs.FileMode
	// Like is a file whose owner the new one gets; may be nil.
	Like fs.FileInfo
	// Temp is where the new file lies until it takes the place of the old one; what is there is overwritten. Empty is a name
	// that no other writer has.
	Temp string
	// Ready is asked when the new file is on the disk, and can still refuse; may be nil.
	Ready func(written string) error
}

// Replace puts a file in the place of what is at path, or of nothing, in one step.
func Replace(path string, data []byte, o Options) (err error) {
	out, err := create(path, o.Temp)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(out.Name())
		}
	}()
	_, err = out.Write(data)
	if err == nil {
		err = out.Chmod(o.Mode.Perm())
	}
	if o.Like != nil && err == nil {
		if own, ok := o.Like.Sys().(*syscall.Stat_t); ok {
			err = out.Chown(int(own.Uid), int(own.Gid))
		}
	}
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	if o.Ready != nil {
		if err := o.Ready(out.Name()); err != nil {
			return err
		}
	}
	if err := os.Rename(out.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func create(path, temp string) (*os.File, error) {
	if temp == "" {
		return os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	}
	return os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
}

// syncDir makes a rename last. A file system that cannot is none where it would matter.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	if err := dir.Sync(); err != nil && !errors.Is(err, unix.EINVAL) {
		return err
	}
	return nil
}

// WriteJSON is Write of a value.
func WriteJSON(path string, value any) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return Write(path, append(data, '\n'))
}

// DamagedError says that a file holds no JSON of the form that was expected.
type DamagedError struct {
	Path string
	Err  error
}

func (e *DamagedError) Error() string { return fmt.Sprintf("%s is damaged: %v", e.Path, e.Err) }
func (e *DamagedError) Unwrap() error { return e.Err }

// ReadJSON reads a value, which stays as it is where there is no file. The error is a *DamagedError where the file holds
// something else.
func ReadJSON(path string, value any) (found bool, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(data, value); err != nil {
		return true, &DamagedError{Path: path, Err: err}
	}
	return true, nil
}
