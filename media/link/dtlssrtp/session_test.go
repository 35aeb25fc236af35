// SPDX-License-Identifier: Apache-2.0

package dtlssrtp

import (
	"encoding/binary"
	"testing"

	"github.com/pion/srtp/v3"

	"github.com/costream-obs/costream-obs/media/link/internal/linktest"
)

// BenchmarkSession encrypts packets and decrypts them again.
func BenchmarkSession(b *testing.B) {
	key, salt := make([]byte, 16), make([]byte, 12)
	s, err := newSession(srtp.SessionKeys{LocalMasterKey: key, LocalMasterSalt: salt, RemoteMasterKey: key, RemoteMasterSalt: salt})
	if err != nil {
		b.Fatal(err)
	}
	p := linktest.Packet(b, 1, 0, make([]byte, 1188))
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		binary.BigEndian.PutUint16(p[2:], uint16(n))
		if err := s.SealRTP(p, func(c []byte) {
			if _, ok := s.OpenRTP(c); !ok {
				b.Fatal("what was encrypted cannot be decrypted")
			}
		}); err != nil {
			b.Fatal(err)
		}
	}
}
