// SPDX-License-Identifier: Apache-2.0

package call

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtp"
)

func TestOutgoingIsOneStream(t *testing.T) {
	began := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	o := newOutgoing(90000)
	type header struct {
		Seq   uint16
		Stamp uint32
	}
	send := func(ssrc uint32, seq uint16, stamp uint32, after time.Duration) header {
		t.Helper()
		p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, SSRC: ssrc, SequenceNumber: seq, Timestamp: stamp}, Payload: []byte{1}}
		raw, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		var got rtp.Packet
		if err := got.Unmarshal(o.next(raw, began.Add(after))); err != nil {
			t.Fatal(err)
		}
		if got.SSRC != o.ssrc {
			t.Errorf("SSRC %d, want the stream's own %d", got.SSRC, o.ssrc)
		}
		return header{got.SequenceNumber, got.Timestamp}
	}
	got := []header{
		send(7, 65534, 1000, 0),
		send(7, 65535, 4000, 33*time.Millisecond),
		// The pipeline was built again, half a second later.
		send(9, 100, 777, 533*time.Millisecond),
		send(9, 101, 3777, 566*time.Millisecond),
		send(9, 103, 9777, 633*time.Millisecond), // one was lost on the way
	}
	want := []header{{65534, 1000}, {65535, 4000}, {0, 49000}, {1, 52000}, {3, 58000}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("packets (-want +got):\n%s", diff)
	}

	if diff := cmp.Diff([]byte{1, 2, 3}, o.next([]byte{1, 2, 3}, began)); diff != "" {
		t.Errorf("what is no RTP packet was changed (-want +got):\n%s", diff)
	}
}
