// SPDX-License-Identifier: Apache-2.0

// Package collection edits OBS's scene collection files while OBS is closed, for what obs-websocket has no request for:
// scripts and their hotkeys, and what the virtual camera shows. In the same way it edits the file with OBS's own [Settings].
//
// OBS holds a collection in memory and writes the whole file now and then and at its exit, so an edit beneath a running
// OBS would be lost: [File.Edit] refuses it. Whatever happens during an edit (a full disk, a kill, a change by someone
// else), the file is afterwards the old one or the new one, whole: see [File.Edit].
//
// A [Doc] is edited in place: bytes that an edit is not about stay as they are, so that taking an edit back leaves the
// file equal to the first.
//
// It is no model of what OBS keeps in a collection, and it talks to no running OBS: that is package obsctl's.
package collection

import "errors"

// Why a collection is not edited.
var (
	// ErrRunning says that OBS has the collection in use.
	ErrRunning = errors.New("OBS is open")
	// ErrChanged says that somebody else wrote the file during the edit.
	ErrChanged = errors.New("another program has changed it meanwhile")
	// ErrBusy says that another costream-obs edits a collection right now.
	ErrBusy = errors.New("another costream-obs is writing OBS's files")
	// ErrNotFound says that there is no such collection, or no OBS that ever ran.
	ErrNotFound = errors.New("not found")
	// ErrInvalid says that a collection is no JSON object.
	ErrInvalid = errors.New("not in the form that OBS writes")
)
