// SPDX-License-Identifier: Apache-2.0

package scene

import (
	"bytes"
	"testing"
)

// i420 converts a picture as a receiver would give it, without loss in luma.
func i420(yuy2 []byte) []byte {
	out := make([]byte, I420Size)
	for i := range Width * Height {
		out[i] = yuy2[2*i]
	}
	return out
}

func TestSceneIsTheSameEachTime(t *testing.T) {
	a, b := New(), New()
	first, second := make([]byte, FrameSize), make([]byte, FrameSize)
	for _, n := range []int{0, 61, scrollAt + 7, switchAt, rushAt + 3, 40 * Cycle, Numbers - 1} {
		a.Render(n, first)
		// What the buffer held before must not show.
		for i := range second {
			second[i] = byte(i)
		}
		b.Render(n, second)
		if !bytes.Equal(first, second) {
			t.Errorf("picture %d differs between two scenes", n)
		}
	}
}

func TestStampsAreRead(t *testing.T) {
	s, picture := New(), make([]byte, FrameSize)
	for _, n := range []int{0, 1, 2, 255, 4096, 65535, Numbers - 1} {
		s.Render(n, picture)
		if got, ok := ReadStamp(i420(picture)); !ok || got != n {
			t.Errorf("picture %d: got %d, %t", n, got, ok)
		}
	}
	if n, ok := ReadStamp(make([]byte, I420Size)); ok {
		t.Errorf("black picture: got number %d, want none", n)
	}
	if n, ok := ReadStamp(bytes.Repeat([]byte{255}, I420Size)); ok {
		t.Errorf("white picture: got number %d, want none", n)
	}
}

func TestJudge(t *testing.T) {
	s := New()
	picture := func(n int) []byte {
		p := make([]byte, FrameSize)
		s.Render(n, p)
		return i420(p)
	}
	// join puts a picture together from the upper part of one and the lower part of another.
	join := func(upper, lower, row int) []byte {
		return append(picture(upper)[:row*Width:row*Width], picture(lower)[row*Width:]...)
	}
	noisy := picture(30)
	for i := range noisy[:Width*Height] {
		noisy[i] ^= byte(i*7>>3) & 3
	}
	// The middle of an earlier picture under the stamps of a later one, as a lost packet leaves it.
	stale := picture(rushAt + 10)
	copy(stale[400*Width:600*Width], picture(rushAt)[400*Width:])
	// So is the other file, unless the change is so new that a coder may not have been able to show it.
	halfSwitched := func(n int) []byte {
		p := picture(n)
		copy(p[block*Width:300*Width], picture(switchAt - 1)[block*Width:])
		return p
	}
	tests := []struct {
		name    string
		picture []byte
		want    Verdict
	}{
		{"as sent", picture(30), Verdict{Number: 30, Stamped: true, PSNR: 99}},
		{"a little noise", noisy, Verdict{Number: 30, Stamped: true, PSNR: 42}},
		{"two pictures in one", join(30, 31, 500), Verdict{Wrong: true}},
		{"no scene", make([]byte, I420Size), Verdict{Wrong: true}},
		{"a part from before", stale, Verdict{Number: rushAt + 10, Stamped: true, Wrong: true, PSNR: 28}},
		{"a part of the other file", halfSwitched(switchAt + 3), Verdict{Number: switchAt + 3, Stamped: true, Wrong: true, PSNR: 24}},
		{"the same just after the change", halfSwitched(switchAt), Verdict{Number: switchAt, Stamped: true, PSNR: 24}},
	}
	judge := NewJudge(s)
	for _, tt := range tests {
		got := judge.Compare(tt.picture)
		if got.PSNR < tt.want.PSNR-2 || got.PSNR > tt.want.PSNR+4 {
			t.Errorf("%s: got %.1f dB, want about %.0f", tt.name, got.PSNR, tt.want.PSNR)
		}
		got.PSNR = tt.want.PSNR
		if got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	s, picture := New(), make([]byte, FrameSize)
	for i := range b.N {
		s.Render(i, picture)
	}
}

func BenchmarkCompare(b *testing.B) {
	s, picture := New(), make([]byte, FrameSize)
	s.Render(5, picture)
	judge, got := NewJudge(s), i420(picture)
	for b.Loop() {
		judge.Compare(got)
	}
}
