// SPDX-License-Identifier: Apache-2.0

// Package problem is the table of what can be wrong with a co-stream. `costream-obs run`, its report, --json and `costream-obs
// doctor` report the same problems by the same codes. The package does not find problems and does not know what fixes them.
package problem

import (
	"slices"
	"strings"
)

// Code names a kind of problem for ever: a group, a dot, what is wrong.
type Code string

// Severity is what a problem means.
type Severity int

const (
	// Error: two people cannot co-stream like this.
	Error Severity = iota
	// Warning: they can, but not well, or not for long.
	Warning
	// ByRoute is Error where the devices route is the only one, else Warning: without the devices the portable route does.
	ByRoute
)

// String is the severity's name, as docs/doctor.md and --json have it.
func (s Severity) String() string {
	return map[Severity]string{Error: "error", Warning: "warning", ByRoute: "by route"}[s]
}

// On is the severity where the devices route is the only one, or is not.
func (s Severity) On(devicesOnly bool) Severity {
	switch {
	case s != ByRoute:
		return s
	case devicesOnly:
		return Error
	}
	return Warning
}

// Kind is a row of the table.
type Kind struct {
	Code Code
	// Name is what the report of run calls the part of the co-stream that has the problem; empty where only doctor looks.
	Name string
	// Title is what is so when all is well; empty where doctor does not look.
	Title    string
	Severity Severity
	// Needs are the kinds above this one that hide it: while one of them is there, this one adds nothing.
	Needs []Code
}

// Group is the heading that the kind stands under.
func (k Kind) Group() string {
	i := slices.IndexFunc(groups, func(g group) bool { return strings.HasPrefix(string(k.Code), g.prefix) })
	return groups[i].heading
}

type group struct{ prefix, heading string }

// groups are the headings, by how a code begins; the first that fits counts.
var groups = []group{
	{"svc.", "costream-obs"},
	{"host.", "This machine"},
	{"v4l2.module.", "Kernel module v4l2loopback"},
	{"v4l2.conf", "Kernel module v4l2loopback"},
	{"v4l2.dev.", "Video devices"},
	{"obs.", "OBS"},
	{"audio.", "Sound"},
	{"net.", "Network and peer"},
	{"media.", "Picture and voice"},
}

// Of is the row of a code. It panics where there is none: codes are constants.
func Of(code Code) Kind {
	i := slices.IndexFunc(table, func(k Kind) bool { return k.Code == code })
	if i < 0 {
		panic("no problem has the code " + string(code))
	}
	return table[i]
}

// Shown are the kinds that say something new when some problems are there: those of them that need none of the others,
// directly or through kinds in between.
func Shown(there func(Code) bool) []Kind {
	var shown []Kind
	hides := make(map[Code]bool)
	for _, k := range table {
		hidden := slices.ContainsFunc(k.Needs, func(need Code) bool { return hides[need] })
		hides[k.Code] = hidden || there(k.Code)
		if there(k.Code) && !hidden {
			shown = append(shown, k)
		}
	}
	return shown
}

// All are all kinds, each below those that it needs.
func All() []Kind { return slices.Clone(table) }
