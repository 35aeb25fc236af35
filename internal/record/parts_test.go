// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFileName(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"Anna", "Anna"},
		{"Jörg & Søn", "Jörg & Søn"},
		{"", "peer"},
		{"..", "peer"},
		{"../../etc/passwd", "_.._etc_passwd"},
		{".hidden", "hidden"},
		{"-rf", "rf"},
		{"a/b\\c:d", "a_b_c_d"},
		{"bell\a\nline", "bell__line"},
		{"bad\xffutf8", "bad_utf8"},
		{"2001:db8::1", "2001_db8__1"},
		{"dots...", "dots"},
	} {
		if got := fileName(tt.name); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := fileName(strings.Repeat("ö", 500)); len(got) > longestName || strings.Trim(got, "ö") != "" {
		t.Errorf("a long name becomes %q", got)
	}
}

func TestCreateOverwritesNothing(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 11, 30, 21, 5, 9, 0, time.Local)
	var got []string
	for range 3 {
		f, err := create(dir, "Anna", now)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, filepath.Base(f.Name()))
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"Anna 2026-11-30 21.05.09.mkv", "Anna 2026-11-30 21.05.09 (2).mkv", "Anna 2026-11-30 21.05.09 (3).mkv"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestPrepare(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b")
	if err := Prepare(deep); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(deep); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v", info, err)
	}
	taken := filepath.Join(dir, "file")
	if err := os.WriteFile(taken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Prepare(taken); err == nil {
		t.Error("a file was taken for a directory")
	}
}

// spsOf are parameter sets of real encoders.
func TestParseSPS(t *testing.T) {
	for _, tt := range []struct {
		name, hex     string
		width, height int
	}{
		// x264 ultrafast, as costream-obs sends: 1920x1080, which is 1088 lines without the last eight.
		{"x264, constrained baseline, 1920x1080", "6742c028d900780227e5c044000003000400000300f03c60c920", 1920, 1080},
		{"x264, high, 1280x720", "6764001facd9405005bb011000000300100000030300f1831960", 1280, 720},
	} {
		nal, err := hex.DecodeString(tt.hex)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseSPS(nal)
		if err != nil || got.width != tt.width || got.height != tt.height {
			t.Errorf("%s: got %+v, %v", tt.name, got, err)
		}
	}
	if _, err := parseSPS([]byte{0x67, 0x64}); err == nil {
		t.Error("a cut parameter set was read")
	}
}

// FuzzPackets: a peer can send anything.
func FuzzPackets(f *testing.F) {
	f.Add([]byte{0x80, 0xE0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x28})
	f.Add([]byte{0x80, 0xE0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 24, 0, 1, 0x65, 0, 9})
	f.Add([]byte{0x90, 0x60, 0, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0xBE, 0xDE, 0, 0, 28, 0x85, 0x88, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		var o order
		var a assembler
		// A packet each, after its length.
		for at := time.Now(); len(data) > 1; at = at.Add(time.Millisecond) {
			n := min(int(data[0]), len(data)-1)
			p, ok := parse(data[1:1+n], at)
			data = data[1+n:]
			if !ok {
				continue
			}
			o.put(p, func(p packet, gap bool) {
				a.put(p, gap, func(shown picture) {
					if len(shown.data) == 0 {
						t.Error("an empty picture")
					}
				})
			})
		}
		if a.sps != nil {
			if s, err := parseSPS(a.sps); err == nil && a.pps != nil && len(s.config(a.sps, a.pps)) < 11 {
				t.Error("a short configuration")
			}
		}
	})
}

// TestAssembler puts packets together; each is a NAL unit's type with a letter, and + marks the last one of a picture.
func TestAssembler(t *testing.T) {
	sps, pps := []byte{0x67, 1, 2, 3}, []byte{0x68, 4}
	key, next := []byte{0x65, 0x88}, []byte{0x41, 0x9a}
	unit := func(nals ...[]byte) (b []byte) {
		for _, nal := range nals {
			b = appendUnit(b, nal)
		}
		return b
	}
	type in struct {
		payload []byte
		ticks   uint32
		marker  bool
		gap     bool
	}
	for _, tt := range []struct {
		name    string
		in      []in
		want    [][]byte
		skipped bool
	}{
		{"a key frame with its parameter sets", []in{{sps, 1, false, false}, {pps, 1, false, false}, {key, 1, true, false}}, [][]byte{unit(sps, pps, key)}, false},
		{"parameter sets long before", []in{{sps, 1, false, false}, {pps, 1, true, false}, {key, 2, true, false}}, [][]byte{unit(sps, pps, key)}, false},
		{"several in one packet", []in{{append([]byte{24, 0, 4}, append(sps, append([]byte{0, 2}, key...)...)...), 1, true, false}}, [][]byte{unit(sps, key)}, false},
		{"a unit in parts", []in{{[]byte{0x7c, 0x85, 0x88}, 1, false, false}, {[]byte{0x7c, 0x45, 7}, 1, true, false}}, [][]byte{unit([]byte{0x65, 0x88, 7})}, false},
		{"without marks", []in{{next, 1, false, false}, {next, 2, false, false}, {next, 3, true, false}}, [][]byte{unit(next), unit(next), unit(next)}, false},
		{"a part is lost", []in{{[]byte{0x7c, 0x85, 0x88}, 1, false, false}, {[]byte{0x7c, 0x45, 7}, 1, true, true}, {next, 2, true, false}}, [][]byte{unit(next)}, true},
		{"the end is lost", []in{{[]byte{0x7c, 0x85, 0x88}, 1, false, false}, {next, 2, true, true}}, [][]byte{unit(next)}, true},
		{"whole pictures are lost", []in{{next, 1, true, false}, {next, 5, true, true}}, [][]byte{unit(next), unit(next)}, true},
		{"the beginning is lost", []in{{next, 1, true, false}, {[]byte{0x41, 0x1a}, 2, true, true}}, [][]byte{unit(next)}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var a assembler
			var got [][]byte
			for _, i := range tt.in {
				a.put(packet{payload: i.payload, ticks: i.ticks, marker: i.marker}, i.gap, func(p picture) { got = append(got, bytes.Clone(p.data)) })
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("pictures (-want +got):\n%s", diff)
			}
			if a.skipped != tt.skipped {
				t.Errorf("skipped: got %v, want %v", a.skipped, tt.skipped)
			}
		})
	}
}

// TestClockSet: a peer whose clock is set keeps picture and voice together.
func TestClockSet(t *testing.T) {
	began := time.Now()
	c := clock{began: began}
	streams := []*stream{{clock: &c, rate: 90000}, {clock: &c, rate: 48000}}
	for second := range 40 {
		at := began.Add(time.Duration(second) * time.Second)
		peers := at
		if second >= 20 {
			peers = at.Add(90 * time.Minute)
		}
		for _, s := range streams {
			ticks := s.unwrap(uint32(second*s.rate), at)
			s.arrived(ticks, at.Add(50*time.Millisecond))
			s.report(ntpOf(peers), uint32(second*s.rate), at.Add(20*time.Millisecond))
		}
		for i, s := range streams {
			s.look(at)
			got := s.time(s.ticks)
			if want := at.Sub(began) + 20*time.Millisecond; second > 0 && (got-want).Abs() > 40*time.Millisecond {
				t.Fatalf("second %d of stream %d is at %v, want %v", second, i, got, want)
			}
		}
		if apart := streams[0].time(streams[0].ticks) - streams[1].time(streams[1].ticks); apart.Abs() > 30*time.Millisecond {
			t.Fatalf("second %d: %v apart", second, apart)
		}
	}
}
