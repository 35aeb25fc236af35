// SPDX-License-Identifier: Apache-2.0

// Package scene is the programme that the benchmarks send: a code editor in which somebody types, scrolls and changes
// files, with a noisy camera in a corner, the same pictures each time. Each picture carries its number in a stamp that
// survives lossy coding, so that whoever receives it can tell which one it is and what it should look like.
//
// It measures no time and starts no programs.
package scene

import "math/rand/v2"

// The pictures are YUY2 of 1920x1080, as OBS's virtual camera writes them, in BT.709 and video range.
const (
	Width     = 1920
	Height    = 1080
	FrameSize = Width * Height * 2
	// I420Size is the size of a picture as receivers give it, in bytes.
	I420Size = Width * Height * 3 / 2

	FPS = 30
	// Cycle is the number of pictures after which the same is done again, elsewhere in the text.
	Cycle = 240

	stride = Width * 2
)

// What happens in a cycle, by the number of the picture in it.
const (
	scrollAt  = 120 // after typing
	switchAt  = 165 // to the other file, where typing goes on
	rushAt    = 210
	scrollBy  = 6 // rows for each picture
	rushBy    = 24
	cycleRows = (switchAt-scrollAt)*scrollBy + (Cycle-rushAt)*rushBy

	typedLine     = 30 // of those on screen
	picturesAChar = 2
	charsALine    = 45
)

// Scene renders pictures. It may be used by several goroutines at once.
type Scene struct {
	files  [2][]byte // the text of two files as YUY2 rows, as long as they are
	camera [][]byte
}

const seed = 2020

// New draws what the pictures are put together from, which takes a second.
func New() *Scene {
	rng := rand.New(rand.NewPCG(seed, 0))
	s := &Scene{camera: drawCamera(rng)}
	for i := range s.files {
		s.files[i] = drawFile(rng, i)
	}
	return s
}

// view is where picture n looks.
type view struct {
	file, row int // of the first row on screen
	typed     int // characters of the text that has been typed in this cycle; negative while nobody types
}

func viewOf(n int) view {
	cycle, at := n/Cycle, n%Cycle
	v := view{file: cycle % 2, row: cycle * cycleRows, typed: -1}
	v.row += min(max(at-scrollAt, 0), switchAt-scrollAt)*scrollBy + max(at-rushAt, 0)*rushBy
	switch {
	case at < scrollAt:
		v.typed = at / picturesAChar
	case at >= switchAt:
		v.file = 1 - v.file
		if at < rushAt {
			v.typed = (at - switchAt) / picturesAChar
		}
	}
	return v
}

// Render writes picture n to dst, which has FrameSize bytes.
func (s *Scene) Render(n int, dst []byte) {
	v := viewOf(n)
	file := s.files[v.file]
	from := v.row * stride % len(file)
	copied := copy(dst[:FrameSize], file[from:])
	copy(dst[copied:FrameSize], file)
	if v.typed >= 0 {
		line := typedLine + v.typed/charsALine
		// The line that is being typed ends at the cursor.
		end := textLeft + v.typed%charsALine*charWidth
		top := line*lineHeight - v.row%lineHeight
		fill(dst, end, top, Width-end-cameraWidth-cameraMargin, lineHeight, background)
		fill(dst, end, top, charWidth, lineHeight, ink)
	}
	camera := s.camera[n%len(s.camera)]
	for y := range cameraHeight {
		at := (cameraTop+y)*stride + cameraLeft*2
		copy(dst[at:at+cameraWidth*2], camera[y*cameraWidth*2:])
	}
	putStamps(dst, n)
}
