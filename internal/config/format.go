// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
)

// Format is a size of pictures in pixels and a rate in pictures per second, the rate as a fraction.
type Format struct{ W, H, FPSNum, FPSDen int }

var formatPattern = regexp.MustCompile(`^(\d{1,5})x(\d{1,5})@(\d{1,7})(?:/(\d{1,5}))?$`)

// ParseFormat reads a Format from a text such as 1920x1080@30 or 1920x1080@30000/1001.
func ParseFormat(s string) (Format, error) {
	parts := formatPattern.FindStringSubmatch(s)
	if parts == nil {
		return Format{}, fmt.Errorf("%q is not a size with a frame rate, such as 1920x1080@30", s)
	}
	var n [4]int
	for i, part := range parts[1:] {
		n[i], _ = strconv.Atoi(part) // Only digits, and few: what is missing is 0.
	}
	if parts[4] == "" {
		n[3] = 1
	}
	f := Format{n[0], n[1], n[2], n[3]}
	if f.W < 16 || f.H < 16 || f.W > 8192 || f.H > 8192 {
		return Format{}, fmt.Errorf("%q: width and height must be from 16 to 8192", s)
	}
	if f.FPSDen == 0 || f.FPSNum < f.FPSDen || f.FPSNum > 240*f.FPSDen {
		return Format{}, fmt.Errorf("%q: the frame rate must be from 1 to 240", s)
	}
	return f, nil
}

type format struct{ p *Format }

func (f *format) Type() string { return "string" }

func (f *format) String() string {
	if *f.p == (Format{}) {
		return ""
	}
	return fmt.Sprintf("%dx%d@%d/%d", f.p.W, f.p.H, f.p.FPSNum, f.p.FPSDen)
}

func (f *format) Set(s string) error {
	v, err := ParseFormat(s)
	if err == nil {
		*f.p = v
	}
	return err
}

func (f *format) file(v any) error {
	s, ok := v.(string)
	if !ok {
		return errors.New(`must be a quoted string, such as "1920x1080@30"`)
	}
	return f.Set(s)
}

func (f *format) example(Setting) string { return `"1920x1080@30"` }
