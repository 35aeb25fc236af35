// SPDX-License-Identifier: Apache-2.0

package scene

import "math"

// Verdict is what a received picture is worth.
type Verdict struct {
	Number int // of the picture; valid if Stamped
	// Stamped tells that both stamps can be read and agree.
	Stamped bool
	// Wrong tells that the picture has no valid stamp, or that it has large damage.
	Wrong bool
	// PSNR of the luma in dB, at most 99. It is 0 without a valid stamp.
	PSNR float64
}

// A picture has large damage when as many areas differ that much from what they should be. Hard compression alone does
// not do that: the text of the other file in an area's place is at 2000 to 4000.
const (
	areaWidth, areaHeight = 64, 40
	damagedAreas          = 4
	damagedError          = 1500 // mean squared
	// coarseAfter is how many pictures after a change of file are not looked at for damage: a coder that has to send a whole
	// picture at once shows a coarse one first.
	coarseAfter = 3
	// everyRow is how many rows there are for each that is compared, to save time.
	everyRow = 4
)

// Judge compares received pictures with what was sent. It is for one goroutine.
type Judge struct {
	scene *Scene
	sent  []byte
}

// NewJudge returns a judge of the pictures of a scene.
func NewJudge(s *Scene) *Judge { return &Judge{scene: s, sent: make([]byte, FrameSize)} }

// Compare judges one I420 picture.
func (j *Judge) Compare(i420 []byte) Verdict {
	n, ok := ReadStamp(i420)
	if !ok {
		return Verdict{Wrong: true}
	}
	j.scene.Render(n, j.sent)
	var total, damaged int
	for top := 0; top < Height; top += areaHeight {
		var sums [Width / areaWidth]int
		for y := top; y < top+areaHeight; y += everyRow {
			for area := range sums {
				x := area * areaWidth
				sums[area] += rowError(i420[y*Width+x:][:areaWidth], j.sent[y*stride+2*x:][:2*areaWidth])
			}
		}
		for _, sum := range sums {
			total += sum
			if sum >= damagedError*areaWidth*areaHeight/everyRow {
				damaged++
			}
		}
	}
	return Verdict{Number: n, Stamped: true, Wrong: damaged >= damagedAreas && !justSwitched(n), PSNR: psnr(total)}
}

func justSwitched(n int) bool {
	at := n % Cycle
	return at >= switchAt && at < switchAt+coarseAfter
}

// rowError is the sum of squared differences of luma and YUY2 samples.
func rowError(luma, yuy2 []byte) int {
	sum := 0
	for i, got := range luma {
		d := int(got) - int(yuy2[2*i])
		sum += d * d
	}
	return sum
}

func psnr(squares int) float64 {
	if squares == 0 {
		return 99
	}
	mean := float64(squares) / (Width * Height / everyRow)
	return min(99, 10*math.Log10(255*255/mean))
}
