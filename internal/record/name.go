// SPDX-License-Identifier: Apache-2.0

package record

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/record/matroska"
)

// longestName is how many bytes of the peer's name a file name has. File systems allow 255 for all of it.
const longestName = 150

// fileName makes a name safe for file names, also on file systems of other systems.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError || !unicode.IsPrint(r) || strings.ContainsRune(`/\:*?"<>|`, r):
			return '_'
		}
		return r
	}, name)
	for len(name) > longestName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	// A name that begins with a dot is hidden, and one that begins with a dash looks like a flag.
	if name = strings.TrimRight(strings.TrimLeft(name, ".- "), ". "); name == "" {
		return "peer"
	}
	return name
}

// file is an *os.File.
type file interface {
	matroska.File
	io.Closer
	Name() string
}

// create makes a new file for a recording that begins now. It overwrites none.
func create(dir, name string, now time.Time) (file, error) {
	base := fileName(name) + " " + now.Format("2006-01-02 15.04.05")
	for n := 1; ; n++ {
		path := filepath.Join(dir, base+".mkv")
		if n > 1 {
			path = filepath.Join(dir, fmt.Sprintf("%s (%d).mkv", base, n))
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		switch {
		case err == nil:
			return f, nil
		case !errors.Is(err, fs.ErrExist):
			return nil, err
		}
	}
}

// Prepare makes the directory for recordings if there is none, and reports whether files can be made in it.
func Prepare(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return &fs.PathError{Op: "write into", Path: dir, Err: err}
	}
	return nil
}
