// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
)

// TestSecureReadsLate has one side take in 80 ms after it arrived what the other one sends, as on a busy machine. That is
// not a queue on the path: the bitrate must not fall.
func TestSecureReadsLate(t *testing.T) {
	noGoroutines(t)
	ids := identities(t)
	at := testbed.FreeUDPPorts(t, 1)
	c := &camera{}
	c.key.Store(true)
	c.rate.Store(3_000_000)
	a := start(t, link.SecureOptions{
		Identity: ids[0], Listen: "127.0.0.1", Port: at,
		Handler: link.Handler{KeyFrameRequest: c.ask, Bitrate: func(bits int) { c.rate.Store(int64(bits)) }},
	})
	b := start(t, link.SecureOptions{
		Identity: ids[1], Listen: "127.0.0.1", Port: testbed.FreeUDPPorts(t, 1), Peers: []string{endpoint("127.0.0.1", at)},
	})
	awaitSession(t, a, b)
	c.shoot(t, a)
	received := func(bytes uint64) {
		t.Helper()
		began := b.Stats().In.Bytes
		testbed.Await(t, "packets", 3*patience, func() error {
			if b.Stats().In.Bytes-began < bytes {
				return errNotYet
			}
			return nil
		})
	}
	received(200_000) // The link learns how long the path is.
	before := a.Stats().Bitrate
	link.ReadLate(b.Secure, 80*time.Millisecond)
	received(800_000)
	if got := a.Stats().Bitrate; got < before {
		t.Errorf("the bitrate fell from %d to %d", before, got)
	}
}
