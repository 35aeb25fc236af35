// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/internal/golden"
)

// TestService holds what the user service tells systemd, without comments: each line was tried with a real systemd, which says
// nothing of many that do not work.
func TestService(t *testing.T) {
	unit, err := os.ReadFile("costream-obs.service")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(unit)) {
		if text := strings.TrimSpace(line); text != "" && text[0] != '#' {
			b.WriteString(line)
		}
	}
	golden.Check(t, filepath.Join("testdata", "service.txt"), b.String())
}
