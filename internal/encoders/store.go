// SPDX-License-Identifier: Apache-2.0

package encoders

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/atomicfile"
	"github.com/costream-obs/costream-obs/media"
)

const (
	// keep is how many results the file has at most, the newest.
	keep = 64
	// refusedFor is how long an encoder is not tried again that has not passed.
	refusedFor = 7 * 24 * time.Hour
)

// store keeps results of trials in a file, by all that they depend on.
type store struct {
	file string

	once     sync.Once
	computed string
	mu       sync.Mutex
}

// entry is one result in the file.
type entry struct {
	Key    string `json:"key"`
	Result Result `json:"result"`
}

type document struct {
	Trials []entry `json:"trials"`
}

// machine says what the trials of this machine depend on beside the encoder and the picture: GStreamer, the kernel, the devices and
// their drivers.
func (s *store) machine() string {
	s.once.Do(func() { s.computed = machine("/") })
	return s.computed
}

func machine(root string) string {
	var name unix.Utsname
	_ = unix.Uname(&name)
	parts := []string{"GStreamer " + media.GStreamerVersion(), "kernel " + unix.ByteSliceToString(name.Release[:])}
	cards, _ := filepath.Glob(filepath.Join(root, "sys/class/drm/renderD*/device"))
	for _, card := range cards {
		parts = append(parts, "card "+word(card, "vendor")+":"+word(card, "device"))
	}
	if nvidia, err := os.ReadFile(filepath.Join(root, "proc/driver/nvidia/version")); err == nil {
		first, _, _ := strings.Cut(string(nvidia), "\n")
		parts = append(parts, strings.Join(strings.Fields(first), " "))
	}
	// Drivers of VA-API are libraries, which their packages replace.
	for _, pattern := range []string{"usr/lib/*/dri", "usr/lib/dri", "usr/lib64/dri"} {
		dirs, _ := filepath.Glob(filepath.Join(root, pattern))
		for _, dir := range dirs {
			parts = append(parts, "drivers "+changed(dir))
		}
	}
	return strings.Join(parts, ", ")
}

func word(dir, file string) string {
	text, _ := os.ReadFile(filepath.Join(dir, file))
	return strings.TrimSpace(string(text))
}

// changed is when a file was last changed.
func changed(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return info.ModTime().UTC().Format("2006-01-02T15:04:05")
}

// key is all that a result depends on.
func (s *store) key(machine, encoder string, f media.VideoFormat, kbps int) string {
	file, version := media.EncoderPlugin(encoder)
	return fmt.Sprintf("%s %s of %s, %v, %d kbit/s, %s", encoder, version, changed(file), f, kbps, machine)
}

func (s *store) read() (d document) {
	if s.file == "" {
		return d
	}
	if _, err := atomicfile.ReadJSON(s.file, &d); err != nil {
		return document{} // The trials write it anew.
	}
	return d
}

func (s *store) get(key string) (Result, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.read().Trials {
		// What refused may have been busy, as a card whose sessions other programs use up.
		if e.Key == key && (e.Result.Passed() || time.Since(e.Result.At) < refusedFor) {
			return e.Result, true
		}
	}
	return Result{}, false
}

func (s *store) put(key string, r Result) error {
	return s.change(key, func(d *document) { d.Trials = append(d.Trials, entry{key, r}) })
}

func (s *store) forget(key string) { _ = s.change(key, func(*document) {}) }

// change removes what the file has for a key and writes what edit makes of the rest.
func (s *store) change(key string, edit func(*document)) error {
	if s.file == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.read()
	before := len(d.Trials)
	d.Trials = slices.DeleteFunc(d.Trials, func(e entry) bool { return e.Key == key })
	removed := len(d.Trials) < before
	edit(&d)
	if !removed && len(d.Trials) == before {
		return nil
	}
	d.Trials = d.Trials[max(0, len(d.Trials)-keep):]
	return atomicfile.WriteJSON(s.file, d)
}
