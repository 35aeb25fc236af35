// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/golden"
	"github.com/costream-obs/costream-obs/internal/terminal"
)

func check(id string, severity Severity, r Result, needs ...string) Check {
	group, _, _ := strings.Cut(id, ".")
	return Check{ID: id, Group: "Group " + group, Title: "title of " + id, Severity: severity, Needs: needs,
		Run: func(context.Context) Result { return r }}
}

var (
	bad = Result{Status: Fail, Detail: "The lamp is off, and has been so for as long as anybody can remember in this house.",
		Why: "It is dark.", Next: "Press the switch: `press --hard /dev/switch --until-it-clicks twice`, then look."}
	fixable = Result{Status: Warn, Detail: "The door is open.", Why: "It is cold.", Next: "Close it.",
		Fix: &Fix{What: "Close the door.", Do: func(context.Context) error { return nil }}}
)

// table has every kind of finding.
func table() []Check {
	return []Check{
		check("a.one", Error, Fine("all is well")),
		check("a.two", Error, Fine("")),
		check("a.command", Error, Fine("one may also press the other switch, which is done by `press --soft /dev/other`")),
		check("a.three", Error, bad, "a.one"),
		check("b.one", Error, Fine("never run"), "a.three"),
		check("b.two", Error, Fine("never run"), "b.one"),
		check("b.three", Error, Skipped("OBS does not run"), "a.two"),
		check("b.four", Error, Fine("never run"), "b.three"),
		check("c.one", Warning, bad),
		check("c.two", Error, fixable),
		check("c.three", Error, Fine("a mere warning stops nothing"), "c.two"),
	}
}

// onRequest is a check that nobody gets who has not asked for it.
func onRequest() Check {
	c := check("c.four", Error, Fine(""))
	c.OnRequest = true
	return c
}

// runAll runs all checks, with the times taken out.
func runAll(t *testing.T, checks []Check, observe Observer) Report {
	t.Helper()
	if err := Validate(checks); err != nil {
		t.Fatal(err)
	}
	all, err := Only(checks, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := Run(t.Context(), checks, all, observe)
	for i := range r.Checks {
		r.Checks[i].Milliseconds = 0
	}
	return r
}

func TestRun(t *testing.T) {
	var seen []string
	r := runAll(t, table(), func(f Finding) { seen = append(seen, f.ID) })
	type short struct {
		ID, Because string
		Status      Status
	}
	var got []short
	var order []string
	for _, f := range r.Checks {
		got = append(got, short{f.ID, f.Because, f.Status})
		order = append(order, f.ID)
	}
	want := []short{
		{"a.one", "", OK}, {"a.two", "", OK}, {"a.command", "", OK}, {"a.three", "", Fail},
		{"b.one", "a.three", Skip}, {"b.two", "a.three", Skip}, {"b.three", "", Skip}, {"b.four", "b.three", Skip},
		{"c.one", "", Warn}, {"c.two", "", Warn}, {"c.three", "", OK},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(order, seen); diff != "" {
		t.Errorf("the observer saw another order (-report +seen):\n%s", diff)
	}
	if want := (Counts{OK: 4, Warn: 2, Fail: 1, Skip: 4}); r.Counts != want || r.Ready {
		t.Errorf("got %+v, ready %t, want %+v and not ready", r.Counts, r.Ready, want)
	}
}

// Checks that stand alone run at the same time: each waits here for the other.
func TestParallel(t *testing.T) {
	met := make(chan struct{})
	run := func(ctx context.Context) Result {
		select {
		case met <- struct{}{}:
		case <-met:
		case <-ctx.Done():
			return bad
		}
		return Fine("")
	}
	a, b := check("a.one", Error, bad), check("a.two", Error, bad)
	a.Run, b.Run = run, run
	if r := runAll(t, []Check{a, b}, nil); !r.Ready {
		t.Errorf("got %+v, want both well", r.Checks)
	}
}

// A check that hangs costs its own deadline and nothing else.
func TestDeadline(t *testing.T) {
	free := make(chan struct{})
	defer close(free)
	hangs := check("a.one", Error, Fine(""))
	hangs.Timeout = 10 * time.Millisecond
	hangs.Run = func(context.Context) Result { <-free; return Fine("") }
	slow := check("a.two", Error, Fine(""))
	slow.Timeout = 10 * time.Millisecond
	slow.Run = func(ctx context.Context) Result { <-ctx.Done(); return Fine("noticed %v", ctx.Err()) }
	r := runAll(t, []Check{hangs, slow, check("b.one", Error, Fine(""))}, nil)
	if f := r.Checks[0]; f.Status != Fail || !strings.Contains(f.Detail, "no answer within 10ms") || !strings.Contains(f.Next, "--only a.one") {
		t.Errorf("got %+v, want a failure for want of an answer", f)
	}
	if f := r.Checks[1]; f.Status != OK {
		t.Errorf("got %+v, want what the check itself said at its deadline", f)
	}
	if f := r.Checks[2]; f.Status != OK {
		t.Errorf("got %+v, want it untouched", f)
	}
}

func TestOnly(t *testing.T) {
	for _, test := range []struct {
		names []string
		want  []string
		err   string
	}{
		{nil, []string{"a.one", "a.two", "a.command", "a.three", "b.one", "b.two", "b.three", "b.four", "c.one", "c.two", "c.three"}, ""},
		{[]string{"b.one", "c"}, []string{"b.one", "c.one", "c.two", "c.three"}, ""},
		{[]string{"c.four"}, []string{"c.four"}, ""},
		{[]string{"a.tow"}, nil, `there is no check "a.tow"; did you mean a.two?`},
		{[]string{""}, nil, `there is no check ""`},
	} {
		got, err := Only(append(table(), onRequest()), test.names)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.names, diff)
		}
		if (err == nil) != (test.err == "") || err != nil && !strings.HasPrefix(err.Error(), test.err) {
			t.Errorf("%q: got error %v, want %q", test.names, err, test.err)
		}
	}
}

// What a chosen check needs is run, and shown only where it failed.
func TestOnlyWithNeeds(t *testing.T) {
	r := Run(t.Context(), table(), []string{"b.two", "b.four"}, nil)
	var got []string
	for _, f := range r.Checks {
		got = append(got, f.ID)
	}
	if want := []string{"a.three", "b.two", "b.four"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		name   string
		checks []Check
		want   string
	}{
		{"good", table(), ""},
		{"twice", []Check{check("a.one", Error, bad), check("a.one", Error, bad)}, "twice"},
		{"needs what is below", []Check{check("a.one", Error, bad, "a.two"), check("a.two", Error, bad)}, "not above"},
		{"incomplete", []Check{{ID: "a.one"}}, "incomplete"},
	} {
		err := Validate(test.checks)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
}

func TestMend(t *testing.T) {
	door := errors.New("the door is stuck")
	stuck := fixable
	stuck.Fix = &Fix{What: "Close the other door.", Do: func(context.Context) error { return door }}
	r := runAll(t, append(table(), check("d.one", Error, stuck)), nil)
	got := Mend(t.Context(), r.Fixable())
	want := []Mended{{ID: "c.two", What: "Close the door."}, {ID: "d.one", What: "Close the other door.", Error: "the door is stuck"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mended (-want +got):\n%s", diff)
	}
}

func TestGoldenText(t *testing.T) {
	for name, style := range map[string]terminal.Style{
		"plain.golden":    {},
		"terminal.golden": {Terminal: true, Width: 60},
		"colour.golden":   {Terminal: true, Colour: true, Width: 60},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			p := NewPrinter(&b, style)
			r := runAll(t, table(), p.Print)
			p.Plan(r.Fixable())
			p.Done([]Mended{{ID: "c.two", What: "Close the door."}, {ID: "d.one", What: "x", Error: "the door is stuck"}})
			for _, f := range r.Checks[:2] {
				p.Print(f)
			}
			p.Sum(r)
			golden.Check(t, filepath.Join("testdata", name), b.String())
			for line := range strings.Lines(b.String()) {
				long := strings.Contains(line, "`") || strings.Contains(line, "(a.three)") // commands stay whole
				if style.Terminal && !style.Colour && !long && utf8.RuneCountInString(line) > 61 {
					t.Errorf("line is longer than 60 letters: %s", line)
				}
			}
		})
	}
}

func TestGoldenSums(t *testing.T) {
	var b bytes.Buffer
	for _, checks := range [][]Check{
		{check("a.one", Error, Fine(""))},
		{check("a.one", Warning, bad)},
		{check("a.one", Error, bad), check("a.two", Error, bad), check("a.three", Error, fixable)},
		{check("a.one", Error, Skipped("OBS does not run")), check("a.two", Error, Fine(""), "a.one")},
	} {
		NewPrinter(&b, terminal.Style{}).Sum(runAll(t, checks, nil))
	}
	golden.Check(t, filepath.Join("testdata", "sums.golden"), b.String())
}

func TestGoldenJSON(t *testing.T) {
	r := runAll(t, table(), nil)
	r.Mended = []Mended{{ID: "c.two", What: "Close the door."}}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, filepath.Join("testdata", "report.golden.json"), string(text)+"\n")
}

func TestGoldenList(t *testing.T) {
	var b bytes.Buffer
	NewPrinter(&b, terminal.Style{}).List(table())
	golden.Check(t, filepath.Join("testdata", "list.golden"), b.String())
}

// TestDetailOfSeveralLines: what was found is one line, also where it is several errors.
func TestDetailOfSeveralLines(t *testing.T) {
	two := Check{ID: "a.b", Group: "A", Title: "fine", Run: func(context.Context) Result {
		return Result{Status: Fail, Detail: errors.Join(errors.New("one is missing"), errors.New("two is missing")).Error()}
	}}
	report := Run(t.Context(), []Check{two}, []string{"a.b"}, nil)
	if got, want := report.Checks[0].Detail, "one is missing; two is missing"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
