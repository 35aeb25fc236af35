// SPDX-License-Identifier: Apache-2.0

package link

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/media/link/ice"
)

// FuzzSecureTake feeds datagrams to a link that has no session.
func FuzzSecureTake(f *testing.F) {
	s := &Secure{agent: ice.NewAgent(ice.Options{
		Credentials: ice.Credentials{Name: "own", Password: "own password of a test", PeerName: "peer", PeerPassword: "peer password of a test"},
		Send:        func(to ice.Way, b []byte) { panic(fmt.Sprintf("% x to %v", b, to)) },
	})}
	from := ice.Way{Addr: netip.MustParseAddrPort("192.0.2.1:5000")}
	f.Add([]byte{})
	f.Add([]byte{0x80})
	f.Add([]byte{0x80, 200, 0, 1, 0, 0, 0, 1})
	f.Add([]byte{22, 254, 253, 0, 0})
	f.Add([]byte("d1:q4:pinge"))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := s.refused.Load()
		s.take(time.Now(), from, b)
		if s.refused.Load() != before+1 || s.agent.Consents(from) {
			t.Errorf("% x was not refused", b)
		}
	})
}
