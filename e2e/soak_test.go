// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

var soak = flag.Duration("soak", 0, "how long TestRealSoak co-streams, at least 3m; 0 skips it")

// TestRealSoak co-streams for long and holds both costream-obs to the memory that they have after
// the first minute: a picture of these leaks at 10 MB/s when a buffer is forgotten.
func TestRealSoak(t *testing.T) {
	testbed.Need(t)
	if *soak == 0 {
		t.Skip("run it with make soak")
	}
	const settled = time.Minute
	p := newPair(t)
	p.goOnAir(t)
	began := time.Now()
	first := map[*e2e.Companion]int{}
	tick := time.NewTicker(30 * time.Second)
	defer tick.Stop()
	for time.Since(began) < *soak {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
		for name, c := range map[string]*e2e.Companion{"Alice's": p.aliceC, "Bob's": p.bobC} {
			kb, err := residentKB(c.PID())
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%4.0f s: %s costream-obs has %.1f MB", time.Since(began).Seconds(), name, float64(kb)/1024)
			if time.Since(began) < settled {
				continue
			}
			if first[c] == 0 {
				first[c] = kb
			}
			if limit := first[c] + 16*1024; kb > limit {
				t.Errorf("%s costream-obs: got %d kB, want at most %d kB", name, kb, limit)
			}
		}
	}
	p.awaitPictures(t)
	p.awaitVoices(t)
}

// residentKB is the resident memory of a process, in units of 1024 bytes.
func residentKB(pid int) (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		var kb int
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kb); n == 1 {
			return kb, nil
		}
	}
	return 0, fmt.Errorf("process %d has no VmRSS", pid)
}
