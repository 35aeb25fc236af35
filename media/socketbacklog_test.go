// SPDX-License-Identifier: Apache-2.0

package media

import (
	"io"
	"net"
	"testing"
	"time"
)

// TestSocketScreenBacklog has a reader that stops reading, as an OBS does that is kept from its work, while pictures go on. When
// it reads again, only one older picture has waited.
func TestSocketScreenBacklog(t *testing.T) {
	d, err := openDiag()
	if err != nil {
		t.Skipf("nobody tells what waits in a socket: %v", err)
	}
	d.close()
	for _, f := range []VideoFormat{{480, 270, 30, 1}, {1280, 720, 30, 1}, {1920, 1080, 30, 1}} {
		t.Run(f.String(), func(t *testing.T) {
			s := newSocket(t, f, violet)
			s.Placeholder(false)
			c, err := net.Dial("tcp", s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
			size := s.canvas.format.FrameSize()
			picture := solid(f, violet)
			next := make([]byte, size)
			// numbered shows a picture whose every byte tells its number.
			numbered := func(n int) {
				for i := range picture.Data {
					picture.Data[i] = byte(n)
				}
				s.Show(picture)
			}
			// A reader that keeps up, for whose speed the kernel makes its buffers larger.
			for n := range 60 {
				numbered(n % 10)
				for next[0] = 255; next[0] != byte(n%10); {
					if _, err := io.ReadFull(c, next); err != nil {
						t.Fatal(err)
					}
				}
			}
			const first, last = 100, 160
			for n := first; n <= last; n++ {
				numbered(n)
				time.Sleep(5 * time.Millisecond)
			}
			old := 0
			for next[0] = 0; next[0] != last; {
				if _, err := io.ReadFull(c, next); err != nil {
					t.Fatal(err)
				}
				if next[0] >= first && next[0] != last {
					old++
				}
			}
			if old > 1 {
				t.Errorf("read %d old pictures before the newest, want 1 at most", old)
			}
		})
	}
}
