// SPDX-License-Identifier: Apache-2.0

package checks_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/doctor/checks"
	"github.com/costream-obs/costream-obs/internal/problem"
)

const manual = "../../../docs/doctor.md"

var checkRow = regexp.MustCompile("(?m)^\\| `([a-z0-9.]+)`( †)?( ‡)? \\| ([a-z ]+) \\| ([^|]+) \\| ([^|]+) \\| ([^|]+) \\|$")

// TestDocs holds docs/doctor.md to the table of checks, to their fixes and to
// the JSON form.
func TestDocs(t *testing.T) {
	data, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	type row struct {
		ID, Severity   string
		Fix, OnRequest bool
	}
	var documented, real []row
	for _, match := range checkRow.FindAllStringSubmatch(text, -1) {
		documented = append(documented, row{match[1], match[4], match[2] != "", match[3] != ""})
	}
	fixable := fixableChecks(t)
	auto := checks.All(&checks.Machine{Options: checks.Options{Route: "auto"}})
	devices := checks.All(&checks.Machine{Options: checks.Options{Route: "devices"}})
	for i, c := range auto {
		severity := map[doctor.Severity]string{doctor.Error: "error", doctor.Warning: "warning"}[c.Severity]
		if c.Severity != devices[i].Severity {
			severity = "by route"
		}
		real = append(real, row{c.ID, severity, fixable[c.ID], c.OnRequest})
	}
	if diff := cmp.Diff(real, documented); diff != "" {
		t.Errorf("%s and the code differ (-code +document):\n%s", manual, diff)
	}
	for _, v := range []any{doctor.Report{}, doctor.Finding{}, doctor.Mended{}, doctor.Counts{}} {
		for _, field := range reflect.VisibleFields(reflect.TypeOf(v)) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if field.IsExported() && !strings.Contains(text, "`"+name+"`") {
				t.Errorf("%s does not explain the JSON field %q", manual, name)
			}
		}
	}
	for _, source := range checks.PairSources() {
		if !strings.Contains(text, "| "+source+" |") {
			t.Errorf("%s lacks the pair of versions with the source %q", manual, source)
		}
	}
}

// fixableChecks are the checks for which some fault has a fix.
func fixableChecks(t *testing.T) map[string]bool {
	t.Helper()
	ids := make(map[string]bool)
	for _, fault := range faults {
		f := healthy(t)
		fault.inflict(f)
		for id, finding := range f.look(t) {
			if finding.Fix != "" {
				ids[id] = true
			}
		}
	}
	return ids
}

var codeRow = regexp.MustCompile("(?m)^\\| `([a-z0-9.]+)` \\| ([^|]+) \\| ([a-z]+) \\|$")

// TestDocsOfCodes holds the codes that only run reports to docs/doctor.md.
func TestDocsOfCodes(t *testing.T) {
	data, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	type row struct{ Code, Name, Severity string }
	var documented, real []row
	for _, match := range codeRow.FindAllStringSubmatch(string(data), -1) {
		if match[1] != string(problem.Transition) { // It is a sentence without a name.
			documented = append(documented, row{match[1], match[2], match[3]})
		}
	}
	for _, k := range problem.All() {
		if k.Name != "" && k.Title == "" {
			real = append(real, row{string(k.Code), k.Name, k.Severity.String()})
		}
	}
	if diff := cmp.Diff(real, documented); diff != "" {
		t.Errorf("%s and the table of problems differ (-code +document):\n%s", manual, diff)
	}
}
