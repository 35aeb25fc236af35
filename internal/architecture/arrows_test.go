// SPDX-License-Identifier: Apache-2.0

package architecture

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "github.com/costream-obs/costream-obs"

// TestArrows checks the imports of all packages, apart from those of their tests.
func TestArrows(t *testing.T) {
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, module+"/...")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	g := make(graph)
	for line := range strings.Lines(string(out)) {
		paths := strings.Fields(strings.ReplaceAll(line, module+"/", ""))
		g[paths[0]] = paths[1:]
	}
	for _, wrong := range g.check(tables{floors, limits, bans, owners}) {
		t.Error(wrong)
	}
}

// TestCheck shows on a small graph that each table catches what it is for.
func TestCheck(t *testing.T) {
	rules := tables{
		floors: []floor{{"programs", "cmd"}, {"tasks", "call companion"}, {"abilities", "media/... obs"}, {"tools", "file"}},
		limits: []limit{
			{"media", "media/pipe", "it knows GStreamer alone"},
			{"media/pipe", "", "it is the lowest part"},
		},
		bans:   []ban{{"call", "obs", "a call knows no OBS"}},
		owners: []owner{{"example.org/goobs/...", "obs", "obs hides it"}},
	}
	good := func() graph {
		return graph{
			"cmd":        {"call", "companion", "fmt"},
			"call":       {"file", "media"},
			"companion":  {"media", "obs"},
			"media":      {"media/pipe"},
			"media/pipe": {"os"},
			"obs":        {"example.org/goobs/api", "file"},
			"file":       {"os"},
		}
	}
	const lower = "a package imports those of lower floors only: state an interface and let a higher package pass the value"
	for _, tc := range []struct {
		name   string
		change func(graph)
		want   []string
	}{
		{"as it should be", func(graph) {}, nil},
		{"upwards", func(g graph) { g["obs"] = append(g["obs"], "companion") },
			[]string{"obs (abilities) imports companion (tasks): " + lower}},
		{"a neighbour", func(g graph) { g["companion"] = append(g["companion"], "call") },
			[]string{"companion (tasks) imports call (tasks): neighbours on a floor do not import each other: state an interface and let a higher package pass the value"}},
		{"more than the limit", func(g graph) { g["media/pipe"] = append(g["media/pipe"], "file") },
			[]string{"media/pipe imports file: it is the lowest part"}},
		{"a ban, directly", func(g graph) { g["call"] = append(g["call"], "obs") },
			[]string{"call reaches obs (call -> obs): a call knows no OBS"}},
		{"a ban, through others", func(g graph) {
			g["media/new"] = []string{"obs"}
			g["media"] = append(g["media"], "media/new")
		}, []string{
			"media/new (abilities) imports obs (abilities): neighbours on a floor do not import each other: state an interface and let a higher package pass the value",
			"media imports media/new: it knows GStreamer alone",
			"call reaches obs (call -> media -> media/new -> obs): a call knows no OBS",
		}},
		{"another's library", func(g graph) { g["companion"] = append(g["companion"], "example.org/goobs") },
			[]string{"companion imports example.org/goobs: obs hides it"}},
		{"a new package", func(g graph) { g["new"] = nil },
			[]string{"new is on no floor: put it into the table, and into docs/architecture.md"}},
		{"a package that is gone", func(g graph) { delete(g, "media/pipe") },
			[]string{"a limit names media/pipe, which does not exist"}},
		{"less than the limit", func(g graph) { g["media"] = nil },
			[]string{"the limit of media allows media/pipe, which is not imported: take it out"}},
		{"a library that is gone", func(g graph) { g["obs"] = nil },
			[]string{"an owner's row names example.org/goobs/..., which does not exist"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := good()
			tc.change(g)
			if diff := cmp.Diff(tc.want, g.check(rules)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("on two floors", func(t *testing.T) {
		rules := tables{floors: []floor{{"upper", "a/..."}, {"lower", "a/b"}}}
		want := []string{`a/b is on two floors: "upper" and "lower"`}
		if diff := cmp.Diff(want, graph{"a": nil, "a/b": nil}.check(rules)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
