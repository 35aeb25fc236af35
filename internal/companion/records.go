// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"log/slog"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/record"
)

// finishWithin limits how long we wait at the end for a disk that does not take the rest of a recording.
const finishWithin = 3 * time.Second

// records records the peer, a file for each time on air. Without a directory it does nothing.
type records struct {
	dir, name string
	offset    time.Duration // of the peer's voice
	keyFrame  func()
	changed   func()
	log       *slog.Logger

	current *record.Recorder // of the session's goroutine; nil off air
	ending  sync.WaitGroup
}

// begin is for the beginning of a time on air.
func (r *records) begin() call.Recorder {
	if r.dir == "" {
		return nil
	}
	r.current = record.Start(record.Options{
		Dir: r.dir, Name: r.name, VoiceDelay: r.offset, KeyFrame: r.keyFrame, Changed: r.changed, Log: r.log,
	})
	return r.current
}

// end is for its end. It does not wait for the disk.
func (r *records) end() {
	ended := r.current
	r.current = nil
	if ended == nil {
		return
	}
	r.ending.Add(1)
	go func() {
		defer r.ending.Done()
		ended.Close(finishWithin)
	}()
}

// state is the file that is written now, and what is wrong.
func (r *records) state() (path string, wrong error) {
	if r.current == nil {
		return "", nil
	}
	return r.current.State()
}

// wait waits for the disk.
func (r *records) wait() { r.ending.Wait() }

// requestKeyFrame asks the peer for a key frame.
func (c *Companion) requestKeyFrame() {
	if a := c.call.Load(); a != nil {
		if l := a.Link(); l != nil {
			l.RequestKeyFrame()
		}
	}
}
