// SPDX-License-Identifier: Apache-2.0

package jitter

import (
	"testing"

	"github.com/costream-obs/costream-obs/media/link/internal/linktest"
)

func TestKeyFrame(t *testing.T) {
	tests := []struct {
		name     string
		payload  []byte
		sps, idr bool
	}{
		{"empty", nil, false, false},
		{"one byte", []byte{0x65}, false, false},
		{"delta", linktest.DeltaUnit, false, false},
		{"sps", linktest.SPSUnit, true, false},
		{"idr", linktest.IDRUnit, false, true},
		{"second slice of an idr", linktest.IDRSecond, false, false},
		{"first fragment", linktest.IDRFUStart, false, true},
		{"first fragment of the second slice", []byte{0x7c, 0x85, 0x08}, false, false},
		{"first fragment without a body", []byte{0x7c, 0x85}, false, false},
		{"later fragment", []byte{0x7c, 0x05, 0x88}, false, false},
		{"sps, pps and idr in one packet", []byte{0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xce, 0, 2, 0x65, 0x88}, true, true},
		{"aggregate cut short", []byte{0x78, 0, 2, 0x67, 0x42, 0, 9, 0x65}, true, false},
		{"aggregate of nothing", []byte{0x78, 0, 0, 0, 0}, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if sps, idr := KeyFrame(tt.payload); sps != tt.sps || idr != tt.idr {
				t.Errorf("got sps %t, idr %t, want %t, %t", sps, idr, tt.sps, tt.idr)
			}
		})
	}
}
