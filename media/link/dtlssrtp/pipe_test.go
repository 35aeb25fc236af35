// SPDX-License-Identifier: Apache-2.0

package dtlssrtp

import (
	"encoding/binary"
	"testing"
)

// FuzzPipe holds that after the handshake nothing passes that is not encrypted.
func FuzzPipe(f *testing.F) {
	f.Add([]byte{21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 2, 0})
	f.Add([]byte{22, 254, 253, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 7})
	f.Add([]byte{20, 254, 253, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		p := NewPipe(func([]byte) {})
		defer func() { _ = p.Close() }()
		p.Put(b)
		p.Seal()
		if p.Put(b) && len(b) > 0 {
			for rest := b; len(rest) >= recordHeader; rest = rest[recordHeader+int(binary.BigEndian.Uint16(rest[11:])):] {
				if binary.BigEndian.Uint16(rest[3:]) != 1 || rest[0] != recordAlert && rest[0] != recordHandshake {
					t.Errorf("% x passed", b)
				}
			}
		}
	})
}
