// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	old = "system\t12\ndate\t2026-11-30\nmachine\t2 processors\nstep\tPASS\t55\tmake demo\nversions\tOBS 29.0.2\n" +
		"test\tPASS\t1.20\tobsctl TestRealB\t\ntest\tSKIP\t0.00\te2e TestRealA\tneeds root\n"
	young = "system\t13\ndate\t2026-12-01\nmachine\t4 processors\nstep\tFAIL\t5\tmake demo\nversions\tOBS 30.2.3\n" +
		"test\tFAIL\t9.00\tobsctl TestRealB\t\ntest\tPASS\t0.50\tsetup TestRealC\t\n"
)

func TestMarkdown(t *testing.T) {
	var all []result
	for _, text := range []string{old, young} {
		r, err := parse(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	want := `- Debian 12, 2026-11-30, 2 processors: OBS 29.0.2
- Debian 13, 2026-12-01, 4 processors: OBS 30.2.3

|  | 12 | 13 |
| --- | --- | --- |
| make demo | 55 s | **FAILED** after 5 s |
| e2e TestRealA | skipped |  |
| obsctl TestRealB | 1.20 s | **FAILED** after 9.00 s |
| setup TestRealC |  | 0.50 s |
| **all tests** | 1 passed, 1 skipped | 1 passed, **1 failed** |

Skipped:

- e2e TestRealA: needs root
`
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(markdown(all), "\n")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestParseRefuses(t *testing.T) {
	if _, err := parse("test\tPASS\n\n"); err == nil {
		t.Error("a line that is no result was read")
	}
}
