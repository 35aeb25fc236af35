// SPDX-License-Identifier: Apache-2.0

package doctor

import "context"

// SchemaVersion is the version of the report's JSON form. It changes if a field is removed or gets another meaning; new
// fields and ids may be added without a change.
const SchemaVersion = 1

// Report is what one run found. Its JSON form is documented in docs/doctor.md.
type Report struct {
	Version int    `json:"version"`
	Ready   bool   `json:"ready"` // no check failed
	Counts  Counts `json:"counts"`
	// Mended is what --fix did before these checks ran.
	Mended []Mended  `json:"mended,omitempty"`
	Checks []Finding `json:"checks"`
}

// Counts are how many checks ended how.
type Counts struct {
	OK   int `json:"ok"`
	Warn int `json:"warn"`
	Fail int `json:"fail"`
	Skip int `json:"skip"`
}

// Mended is one thing that --fix did or tried.
type Mended struct {
	ID    string `json:"id"`
	What  string `json:"what"`
	Error string `json:"error,omitempty"`
}

func (r *Report) add(f Finding) {
	r.Checks = append(r.Checks, f)
	switch f.Status {
	case OK:
		r.Counts.OK++
	case Warn:
		r.Counts.Warn++
	case Fail:
		r.Counts.Fail++
	case Skip:
		r.Counts.Skip++
	}
	r.Ready = r.Counts.Fail == 0
}

// Fixable are the findings that Mend can repair.
func (r Report) Fixable() []Finding {
	var list []Finding
	for _, f := range r.Checks {
		if f.mend != nil && (f.Status == Warn || f.Status == Fail) {
			list = append(list, f)
		}
	}
	return list
}

// Mend carries out the fixes of the findings one after the other, and continues after one that fails.
func Mend(ctx context.Context, findings []Finding) []Mended {
	var done []Mended
	for _, f := range findings {
		m := Mended{ID: f.ID, What: f.Fix}
		if err := f.mend(ctx); err != nil {
			m.Error = err.Error()
		}
		done = append(done, m)
	}
	return done
}
