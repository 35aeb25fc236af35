// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// table is what the tries have shown.
type table struct {
	mu      sync.Mutex
	results map[string][]result // by the trial's name
}

func (b *table) add(name string, r result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.results == nil {
		b.results = make(map[string][]result)
	}
	b.results[name] = append(b.results[name], r)
}

// times are the shortest, the median and the longest of a trial's tries.
func (b *table) times(name string) (least, median, most time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []time.Duration
	for _, r := range b.results[name] {
		all = append(all, r.took)
	}
	if len(all) == 0 {
		return 0, 0, 0, false
	}
	slices.Sort(all)
	return all[0], all[len(all)/2], all[len(all)-1], true
}

// ways are those that a trial's tries have taken.
func (b *table) ways(name string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make(map[string]bool)
	for _, r := range b.results[name] {
		all[r.way] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(all)), "; ")
}

// missed says which goals the tries of a trial have missed.
func (b *table) missed(r trial) (missed []string) {
	_, median, most, ok := b.times(r.name)
	switch {
	case !ok:
		return []string{"no try has come to its end"}
	case r.never:
		return nil
	}
	if most > r.goal {
		missed = append(missed, fmt.Sprintf("%v, want %v at most", rounded(most), r.goal))
	}
	if r.median > 0 && median > r.median {
		missed = append(missed, fmt.Sprintf("%v in the median, want %v at most", rounded(median), r.median))
	}
	return missed
}

// markdown is the table as docs/reach.md has it.
func (b *table) markdown(header string, all []trial) string {
	var text strings.Builder
	text.WriteString(header)
	for _, s := range sections() {
		fmt.Fprintf(&text, "\n| %s | way | %s | longest | goal |\n|---|---|---|---|---|\n", s.title, s.what)
		for _, r := range all {
			if r.section != s.key {
				continue
			}
			cells := []string{r.name, b.ways(r.name), "", "", ""}
			if _, median, most, ok := b.times(r.name); !ok {
				cells[1] = "**no try has come to its end**"
			} else if !r.never {
				goal := fmt.Sprintf("%.0f s", r.goal.Seconds())
				if r.median > 0 {
					goal += fmt.Sprintf(", half of them %.0f s", r.median.Seconds())
				}
				if len(b.missed(r)) > 0 {
					goal += " (**missed**)"
				}
				cells[2], cells[3], cells[4] = rounded(median), rounded(most), goal
			}
			fmt.Fprintf(&text, "| %s |\n", strings.Join(cells, " | "))
		}
	}
	fmt.Fprintf(&text, "\n| what is sent while nobody is there, in bytes a second | to the internet | in the own network | goal |\n|---|---|---|---|\n")
	for _, r := range all {
		if r.section != alone {
			continue
		}
		beyond, within := "**not measured**", ""
		for _, got := range b.results[r.name] {
			beyond, within = fmt.Sprintf("%.0f", got.beyond), fmt.Sprintf("%.0f", got.within)
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %d |\n", r.name, beyond, within, goalBytesRate)
	}
	return text.String()
}

func rounded(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// section is one of the tables.
type section struct{ key, title, what string }

const (
	together = "together"
	changing = "changing"
	singly   = "singly"
	alone    = "alone"
)

func sections() []section {
	return []section{
		{together, "two friends start at the same time", "first picture"},
		{singly, "one friend after the other", "it took"},
		{changing, "what happens in mid-call", "no picture for"},
	}
}

// header says what was measured where and how.
func header(rounds int) string {
	return fmt.Sprintf("Measured in network namespaces on %s, %s, %s;\n"+
		"miniupnpd %s, coturn %s. Median and longest of %d tries. Each packet takes %v from one home's router to the other's.\n"+
		"A picture is a canned one in one packet; coding it is not part of the times. A change in mid-call takes no time itself.\n",
		osName(), time.Now().Format(time.DateOnly), machine(), version("miniupnpd", "--version"), version("turnserver", "--version"), rounds, transit)
}

// osName is the system's name.
func osName() string {
	text, _ := os.ReadFile("/etc/os-release")
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME="); ok {
			return strings.Trim(name, `"`)
		}
	}
	return runtime.GOOS
}

// machine is how many processors of what kind there are.
func machine() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	model := ""
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			model = " (" + strings.TrimSpace(value) + ")"
		}
	}
	return fmt.Sprintf("%d processors%s", runtime.NumCPU(), model)
}

// version is what a server says of its version.
func version(program, question string) string {
	out, _ := exec.Command(os.Getenv(envServer+"_"+program), question).CombinedOutput()
	lines := bufio.NewScanner(strings.NewReader(string(out)))
	for lines.Scan() {
		if found := regexp.MustCompile(`\d+\.\d+\.\d+`).FindString(lines.Text()); found != "" {
			return found
		}
	}
	return "of an unknown version"
}

const sectionBegin, sectionEnd = "<!-- cases: written by the tests in e2e/reach -->\n", "<!-- end of cases -->"

// replaceSection puts text between the marks of a document.
func replaceSection(document, text string) (string, error) {
	before, rest, ok := strings.Cut(document, sectionBegin)
	_, after, also := strings.Cut(rest, sectionEnd)
	if !ok || !also {
		return "", fmt.Errorf("there is no section between %q and %q", strings.TrimSpace(sectionBegin), sectionEnd)
	}
	return before + sectionBegin + "\n" + text + "\n" + sectionEnd + after, nil
}

func TestTable(t *testing.T) {
	var b table
	for _, took := range []time.Duration{time.Second, 4 * time.Second, 2 * time.Second} {
		b.add("fast", result{took: took, way: "directly"})
	}
	b.add("never", result{way: "never"})
	b.add("quiet", result{beyond: 12.3, within: 345})
	all := []trial{
		{section: together, name: "fast", goal: 3 * time.Second, median: 2 * time.Second},
		{section: together, name: "never", never: true},
		{section: singly, name: "failed", goal: time.Second},
		{section: alone, name: "quiet", never: true},
		{section: alone, name: "gone", never: true},
	}
	got, err := replaceSection("before\n"+sectionBegin+"old\n"+sectionEnd+"\nafter\n", b.markdown("Header.\n", all))
	want := "before\n" + sectionBegin + `
Header.

| two friends start at the same time | way | first picture | longest | goal |
|---|---|---|---|---|
| fast | directly | 2.00 s | 4.00 s | 3 s, half of them 2 s (**missed**) |
| never | never |  |  |  |

| one friend after the other | way | it took | longest | goal |
|---|---|---|---|---|
| failed | **no try has come to its end** |  |  |  |

| what happens in mid-call | way | no picture for | longest | goal |
|---|---|---|---|---|

| what is sent while nobody is there, in bytes a second | to the internet | in the own network | goal |
|---|---|---|---|
| quiet | 12 | 345 | 100 |
| gone | **not measured** |  | 100 |

` + sectionEnd + "\nafter\n"
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"4.00 s, want 3s at most"}, b.missed(all[0])); diff != "" {
		t.Errorf("missed (-want +got):\n%s", diff)
	}
	if _, err := replaceSection("nothing", ""); err == nil {
		t.Error("a document without the marks was taken")
	}
}
