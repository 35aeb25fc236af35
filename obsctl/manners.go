// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"errors"
	"time"
)

// What to expect of OBS, and how to leave it alone.
const (
	// QuietAfterRemoval is how long OBS is left alone after it removed something: 20 to 250 ms lie between the first removal
	// of an OBS that quits and its word of it (measured, 29.0.2).
	QuietAfterRemoval = 400 * time.Millisecond
	// LoadLimit is how long OBS may load a collection or profile before its word that it has is taken for lost. Meanwhile it
	// has the scenes of the new collection under the name of the old one.
	LoadLimit = 30 * time.Second
	// MonitoringLate is a delay of what OBS monitors that is too much. It grows and never shrinks in any version of OBS; 25
	// to 80 ms are usual (measured, 29.0.2).
	MonitoringLate = 100 * time.Millisecond
)

// ErrNoProgram is the state of an OBS that is just loading or quitting.
var ErrNoProgram = errors.New("OBS has no programme scene at the moment")
