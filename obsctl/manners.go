// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"errors"
	"time"
)

// What OBS needs from its clients.
const (
	// QuietAfterRemoval is how long to send no requests after OBS removed something: an OBS that quits first removes things,
	// and says that it quits 20 to 250 ms later (measured, 29.0.2).
	QuietAfterRemoval = 400 * time.Millisecond
	// LoadLimit is how long OBS may load a collection or profile before we assume that its event for the end was lost. While
	// it loads, it has the scenes of the new collection under the name of the old one.
	LoadLimit = 30 * time.Second
	// MonitoringLate is a delay of monitored sound that is too large. The delay grows and never shrinks in any version of
	// OBS; 25 to 80 ms are usual (measured, 29.0.2).
	MonitoringLate = 100 * time.Millisecond
)

// ErrNoProgram is the state of an OBS that is just loading or quitting.
var ErrNoProgram = errors.New("OBS has no programme scene at the moment")
