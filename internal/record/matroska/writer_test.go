// SPDX-License-Identifier: Apache-2.0

package matroska

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAppendSize(t *testing.T) {
	for _, tt := range []struct {
		size int
		want []byte
	}{
		{0, []byte{0x80}},
		{126, []byte{0xFE}},
		{127, []byte{0x40, 0x7F}}, // All ones in one byte would mean an unknown size.
		{16382, []byte{0x7F, 0xFE}},
		{16383, []byte{0x20, 0x3F, 0xFF}},
		{1 << 20, []byte{0x30, 0, 0}},
	} {
		if diff := cmp.Diff(tt.want, appendSize(nil, tt.size)); diff != "" {
			t.Errorf("%d (-want +got):\n%s", tt.size, diff)
		}
	}
}

var errNoRoom = errors.New("no room")

// smallFile has room for so many bytes, and takes as much of a write as fits.
type smallFile struct {
	data []byte
	room int
}

func (f *smallFile) WriteAt(b []byte, at int64) (n int, err error) {
	if n = min(len(b), f.room-int(at)); n < len(b) {
		err = errNoRoom
	}
	f.data = append(f.data, make([]byte, max(0, int(at)+n-len(f.data)))...)
	copy(f.data[at:], b[:n])
	return n, err
}

func (f *smallFile) Truncate(size int64) error {
	f.data = f.data[:size]
	return nil
}

// TestNoRoom: what fits in part is taken back, and neither that nor an index that does not fit spoils the file.
func TestNoRoom(t *testing.T) {
	f := &smallFile{room: 10_000}
	w, err := NewWriter(f, Header{Title: "Bob", App: "test", Video: &VideoTrack{Width: 64, Height: 64}, Audio: &AudioTrack{Channels: 1}})
	if err != nil {
		t.Fatal(err)
	}
	block := []Block{{Track: Video, Key: true, Data: make([]byte, 1000)}}
	for ; err == nil; block[0].At += time.Second {
		err = w.Write(block)
	}
	if !errors.Is(err, errNoRoom) {
		t.Fatalf("got %v, want %v", err, errNoRoom)
	}
	whole := bytes.Clone(f.data)
	f.room = len(whole)
	if err := w.Finish(); !errors.Is(err, errNoRoom) {
		t.Errorf("finish: got %v, want %v", err, errNoRoom)
	}
	if len(f.data) != len(whole) || bytes.Count(f.data, appendID(nil, idCluster)) != 9 {
		t.Errorf("%d bytes with %d clusters are left, want %d with 9", len(f.data), bytes.Count(f.data, appendID(nil, idCluster)), len(whole))
	}
}

// TestLongPause: a block that is too late for its cluster begins another one.
func TestLongPause(t *testing.T) {
	f := &smallFile{room: 1 << 20}
	w, err := NewWriter(f, Header{Audio: &AudioTrack{Channels: 2}})
	if err != nil {
		t.Fatal(err)
	}
	var blocks []Block
	for _, at := range []time.Duration{0, time.Second, time.Hour, time.Hour + time.Second} {
		blocks = append(blocks, Block{Track: Audio, At: at, Key: true, Data: []byte{1}})
	}
	if err := w.Write(blocks); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(f.data, appendID(nil, idCluster)); n != 2 {
		t.Errorf("got %d clusters, want 2", n)
	}
}
