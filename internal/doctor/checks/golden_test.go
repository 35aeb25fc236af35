// SPDX-License-Identifier: Apache-2.0

package checks_test

import (
	"flag"
)

var update = flag.Bool("update", false, "write the golden files and recordings anew")

// recordedPID is OBS's process id in the recordings.
const recordedPID = 4242
