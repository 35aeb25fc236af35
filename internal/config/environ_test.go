// SPDX-License-Identifier: Apache-2.0

package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUnknownVariables(t *testing.T) {
	environ := []string{
		"HOME=/home/me", "COSTREAM=1", "COSTREAM_PEER=bob", "COSTREAM_CONFIG=/etc/c", "COSTREAM_OBS_PASSWORD=hunter2",
		"COSTREAM_SOMETHING_ELSE=1", "COSTREAM_PERR=bob", "COSTREAM_EMPTY=", "COSTREAM_TEST=1",
	}
	want := []string{
		"environment variable COSTREAM_PERR: there is no such setting; did you mean COSTREAM_PEER?",
		"environment variable COSTREAM_SOMETHING_ELSE: there is no such setting",
	}
	if diff := cmp.Diff(want, UnknownVariables(environ, "COSTREAM_TEST")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
