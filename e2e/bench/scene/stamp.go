// SPDX-License-Identifier: Apache-2.0

package scene

// A stamp is the picture's number in black and white blocks of the size of a macroblock, at the upper left and once more
// at the lower right: a picture that was put together from two has stamps that differ.
const (
	block      = 16
	numberBits = 20
	checkBits  = 6
	stampBits  = numberBits + checkBits
	// Numbers is how many pictures have stamps of their own: nine hours' worth.
	Numbers = 1 << numberBits
)

// corners are where stamps begin.
var corners = [2]struct{ x, y int }{{0, 0}, {Width - stampBits*block, Height - block}}

// code returns the bits of a stamp, the number's first.
func code(n int) uint32 {
	return uint32(n)<<checkBits | check(n)
}

// check is the CRC-6 of ITU-T G.704 of a number. It begins with ones, so that a black picture has no valid stamp.
func check(n int) uint32 {
	crc := uint32(1<<checkBits - 1)
	for bit := numberBits - 1; bit >= 0; bit-- {
		top := crc>>(checkBits-1) ^ uint32(n)>>bit
		crc = crc << 1 & (1<<checkBits - 1)
		if top&1 != 0 {
			crc ^= 0b000011
		}
	}
	return crc
}

// putStamps writes the number into a YUY2 picture.
func putStamps(dst []byte, n int) {
	bits := code(n % Numbers)
	for _, corner := range corners {
		for i := range stampBits {
			colour := black
			if bits>>(stampBits-1-i)&1 != 0 {
				colour = white
			}
			fill(dst, corner.x+i*block, corner.y, block, block, colour)
		}
	}
}

// ReadStamp returns the number of an I420 picture, or false when it has none, or not the same in both places.
func ReadStamp(i420 []byte) (int, bool) {
	first, ok := readAt(i420, corners[0].x, corners[0].y)
	second, also := readAt(i420, corners[1].x, corners[1].y)
	return first, ok && also && first == second
}

// readAt reads one stamp from the luma of an I420 picture.
func readAt(luma []byte, x, y int) (int, bool) {
	// Coding blurs the edges of blocks.
	const edge = 4
	var bits uint32
	for i := range stampBits {
		sum := 0
		for row := y + edge; row < y+block-edge; row++ {
			from := row*Width + x + i*block
			for _, v := range luma[from+edge : from+block-edge] {
				sum += int(v)
			}
		}
		const samples = (block - 2*edge) * (block - 2*edge)
		mean, middle := sum/samples, (int(black.y)+int(white.y))/2
		if (mean-middle)*(mean-middle) < 30*30 {
			return 0, false
		}
		bits <<= 1
		if mean > middle {
			bits |= 1
		}
	}
	n := int(bits >> checkBits)
	return n, bits == code(n)
}
