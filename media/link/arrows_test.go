// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestArrows holds which package below this one imports which, so that what each knows stays what docs/link.md says.
func TestArrows(t *testing.T) {
	const root = "github.com/costream-obs/costream-obs/"
	want := map[string]string{
		".":                 "bwe dtlssrtp ice internal/wait repair rtpsession udp",
		"bwe":               "internal/wait",
		"dtlssrtp":          "",
		"ice":               "internal/wait",
		"internal/linktest": "",
		"internal/wait":     "",
		"jitter":            "",
		"repair":            "internal/wait jitter",
		"rtpsession":        "internal/wait jitter repair",
		"udp":               "",
	}
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		name := strings.TrimPrefix(strings.TrimPrefix(fields[0], root+"media/link"), "/")
		if name == "" {
			name = "."
		}
		var below []string
		for _, path := range fields[1:] {
			if p, ok := strings.CutPrefix(path, root); ok {
				below = append(below, strings.TrimPrefix(p, "media/link/"))
			}
		}
		got[name] = strings.Join(below, " ")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("imports differ from the arrows in docs/link.md (-want +got):\n%s", diff)
	}
}
