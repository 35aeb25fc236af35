// SPDX-License-Identifier: Apache-2.0

package pathcheck

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/media/link"
)

// TestNobodyAnswers: who asks nobody but the friend is told that others can help, and who asks them already is not.
func TestNobodyAnswers(t *testing.T) {
	report := link.ProbeReport{Asked: []netip.AddrPort{netip.MustParseAddrPort("198.51.100.7:5000")}}
	for _, auto := range []bool{false, true} {
		found, bad := Path(report, 5000, auto)
		if !bad || !found.Blocks || !strings.Contains(found.Next, "pass UDP port 5000 on to the machine") {
			t.Errorf("others are asked %t: got %+v", auto, found)
		}
		if got := strings.Contains(found.Next, "--reach auto"); got == auto {
			t.Errorf("others are asked %t: --reach auto is named %t: %s", auto, got, found.Next)
		}
	}
}
