// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"bufio"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestClockSet(t *testing.T) {
	now := time.Now()
	for _, by := range []time.Duration{-1000 * time.Hour, -100 * time.Millisecond, 0, time.Nanosecond, 3 * time.Hour} {
		ClockSet(t, now, by) // checks itself
	}
}

// wallClock is what makes a number of the time of day. Such numbers must not be subtracted: somebody may set the clock.
var wallClock = regexp.MustCompile(`\.Unix(Nano|Micro|Milli)?\(\)|\btime\.Unix(Micro|Milli)?\(|\.Round\(0\)`)

// TestWallClock holds that nothing is worked out of the time of day.
func TestWallClock(t *testing.T) {
	allowed := map[string]int{ // lines
		"internal/companion/companion.go": 2, // a name
		"media/internal/pipe/wake.go":     1, // long past
		"obsctl/screenshots.go":           1, // long past
		"internal/reach/meet/schedule.go": 1, // a number that rises over restarts
		"media/link/rtpsession/rtcp.go":   1, // NTP time
		"media/link/ice/probemessage.go":  2, // tells how far the two clocks are apart
		"media/link/udp/arrival.go":       3, // the kernel stamps by it; only how long ago that was counts, and a clock that was set does not
	}
	const root = "../.."
	got := make(map[string]int)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "e2e" || name == "internal/testbed" || strings.HasPrefix(d.Name(), ".") && name != "."):
			return fs.SkipDir // the tests' own
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		lines := bufio.NewScanner(file)
		for lines.Scan() {
			if wallClock.MatchString(lines.Text()) {
				got[name]++
			}
		}
		return lines.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(allowed, got); diff != "" {
		t.Errorf("lines that work with the time of day (-want +got):\n%s", diff)
	}
}
