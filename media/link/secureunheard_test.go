// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/relay"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
)

// TestSecureOutlivesBacklogs gives up pictures again and again, which a session must outlive, since the peer gets packets
// in between. It must end when the peer misses as many packets in a row.
func TestSecureOutlivesBacklogs(t *testing.T) {
	noGoroutines(t)
	path := relay.Path{Delay: time.Millisecond}
	a, _, network := lossy(t, path)
	awaitSession(t, a)
	session := link.SessionOf(a.Secure)
	payload := make([]byte, 1150)
	number := uint16(0)
	write := func() {
		if err := a.WriteRTP(link.Video, rtpPacket(1, number, payload)); err != nil {
			t.Fatal(err)
		}
		number++
	}
	dropped := func() uint64 { return a.Stats().Video.Send.Dropped }
	heard := func() error {
		write()
		if n := link.UnacknowledgedOf(a.Secure); n > 300 {
			return fmt.Errorf("%d packets unheard", n)
		}
		return nil
	}
	backlogs := 0
	for ; dropped() < 2*link.MaxUnacknowledged; backlogs++ {
		for before := dropped(); dropped() == before; {
			write()
		}
		testbed.Await(t, "a packet to be heard", patience, heard)
	}
	// Twice the time between two looks at the session.
	for until := time.Now().Add(2 * time.Second); time.Now().Before(until); {
		testbed.Await(t, "a packet to be heard", patience, heard)
		<-time.After(10 * time.Millisecond)
	}
	if link.SessionOf(a.Secure) != session {
		t.Fatalf("the session ended after %d backlogs of %d packets", backlogs, dropped())
	}
	t.Logf("the session stands after %d backlogs of %d packets", backlogs, dropped())

	began := time.Now()
	network.SetPath(relay.AToB, relay.Path{Loss: 1})
	network.SetPath(relay.BToA, relay.Path{Loss: 1})
	testbed.Await(t, "too many packets to be missed", patience, func() error {
		for range link.MaxUnacknowledged / 10 {
			write()
		}
		if link.UnacknowledgedOf(a.Secure) <= link.MaxUnacknowledged {
			return errNotYet
		}
		return nil
	})
	testbed.Await(t, "the end of the session", patience, func() error {
		if link.SessionOf(a.Secure) == session {
			return errNotYet
		}
		return nil
	})
	// Sooner than the silence alone would have it end.
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("the session ended after %v", took)
	}
	network.SetPath(relay.AToB, path)
	network.SetPath(relay.BToA, path)
	testbed.Await(t, "another session", patience, heard)
}
