// SPDX-License-Identifier: Apache-2.0

package collection

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/atomicfile"
)

// File is one scene collection on disk.
type File struct {
	dir  Dir
	path string
	name string
	// at is called with the name of each step of an edit once it is done. Tests put faults here.
	at func(step string) error
}

// The steps of an edit, in their order.
const (
	stepRead     = "read"
	stepBackedUp = "backed up"
	stepWritten  = "written"
	stepChecked  = "checked"
	stepRenamed  = "renamed"
)

// Path is where the collection is.
func (f *File) Path() string { return f.path }

// Name is what the user calls the collection.
func (f *File) Name() string { return f.name }

// Backup is where the collection is kept as it was before the last edit. OBS does not list it among its collections.
func (f *File) Backup() string { return f.path + ".before-costream-obs" }

func (f *File) exists() bool {
	_, err := os.Stat(f.path)
	return err == nil
}

// Read returns the collection as it is. Its error matches ErrInvalid or is that of reading.
func (f *File) Read() (*Doc, error) {
	text, err := os.ReadFile(f.path)
	if err != nil {
		return nil, fmt.Errorf("the scene collection cannot be read: %w", err)
	}
	doc, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("the scene collection %s is %w; start OBS, which may restore it from its own backup, then close it", f.path, err)
	}
	return doc, nil
}

// Edit changes the collection by change, unless change returns an error. A change of nothing writes nothing.
//
// The new text is written whole to a second file, which then takes the first one's place. Before that the old text is
// kept as Backup; after it the file is read again, and the old text put back on any doubt. So the file is the old one or
// the new one at every moment.
//
// Its error matches ErrRunning, ErrChanged, ErrBusy, ErrInvalid, or is change's or the file system's. After each of them
// the collection is as it was, except that with ErrRunning OBS may have started while the new text took its place: OBS
// then overwrites one or the other, and the edit is to be made again.
func (f *File) Edit(change func(*Doc) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("the scene collection %q was not changed: %w", f.name, err)
		}
	}()
	return f.editText(func(old []byte) ([]byte, error) {
		doc, err := parse(old)
		if err != nil {
			return nil, err
		}
		if err := change(doc); err != nil {
			return nil, err
		}
		_, err = parse(doc.text)
		return doc.text, err
	})
}

// editText is Edit for a file of any form: change returns the new text.
func (f *File) editText(change func(old []byte) ([]byte, error)) error {
	// A file that is a link stays one.
	path, err := filepath.EvalSymlinks(f.path)
	if err != nil {
		return err
	}
	unlock, err := lock(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer unlock()
	if err := f.closed(); err != nil {
		return err
	}
	old, err := readWhole(path)
	if err != nil {
		return err
	}
	text, err := change(old.text)
	if err != nil || bytes.Equal(text, old.text) {
		return err
	}
	return f.write(path, old, text)
}

// write puts text in the place of what is at path.
func (f *File) write(path string, old whole, text []byte) error {
	if err := f.step(stepRead); err != nil {
		return err
	}
	if err := replace(f.Backup(), old, func(string) error { return nil }); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := f.step(stepBackedUp); err != nil {
		return err
	}
	beforeRename := func(written string) error {
		if err := f.step(stepWritten); err != nil {
			return err
		}
		if again, err := os.ReadFile(written); err != nil || !bytes.Equal(again, text) {
			return errors.Join(err, errors.New("the file on disk differs from what was written"))
		}
		if err := f.closed(); err != nil {
			return err
		}
		if now, err := readWhole(path); err != nil || !bytes.Equal(now.text, old.text) {
			return errors.Join(err, ErrChanged)
		}
		return f.step(stepChecked)
	}
	if err := replace(path, whole{text, old.info}, beforeRename); err != nil {
		return err
	}
	err := f.step(stepRenamed)
	if now, readErr := os.ReadFile(path); readErr != nil || !bytes.Equal(now, text) {
		err = errors.Join(err, readErr, errors.New("the file differs from what was written"))
	}
	if err == nil {
		return f.closed()
	}
	if back := replace(path, old, func(string) error { return nil }); back != nil {
		return fmt.Errorf("%w; restoring it failed (%w): copy %s over %s", err, back, f.Backup(), path)
	}
	return err
}

func (f *File) step(done string) error {
	if f.at == nil {
		return nil
	}
	return f.at(done)
}

// closed returns ErrRunning unless OBS is closed.
func (f *File) closed() error {
	if pid := f.dir.Running(); pid != 0 {
		return fmt.Errorf("%w (process %d): close it first", ErrRunning, pid)
	}
	return nil
}

// whole is a file: what it says, and whose it is.
type whole struct {
	text []byte
	info fs.FileInfo
}

func readWhole(path string) (whole, error) {
	info, err := os.Stat(path)
	if err != nil {
		return whole{}, err
	}
	text, err := os.ReadFile(path)
	return whole{text, info}, err
}

// replace puts content in the place of what is at path in one step, with its mode and owner. ready can still refuse.
func replace(path string, content whole, ready func(written string) error) error {
	return atomicfile.Replace(path, content.text, atomicfile.Options{
		Mode: content.info.Mode(), Like: content.info, Ready: ready,
		// The lock makes the name ours.
		Temp: filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".costream-obs"),
	})
}

// lock keeps other costream-obs from writing in a directory until it is called off.
func lock(path string) (unlock func(), err error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = dir.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, ErrBusy
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = dir.Close() }, nil
}
