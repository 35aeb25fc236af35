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

type format struct{ p *Format }

func (f *format) Type() string { return "string" }

func (f *format) String() string {
	if *f.p == (Format{}) {
		return ""
	}
	return fmt.Sprintf("%dx%d@%d/%d", f.p.W, f.p.H, f.p.FPSNum, f.p.FPSDen)
}

func (f *format) Set(s string) error {
	parts := regexp.MustCompile(`^(\d{1,5})x(\d{1,5})@(\d{1,7})(?:/(\d{1,5}))?$`).FindStringSubmatch(s)
	if parts == nil {
		return fmt.Errorf("%q is not a size with a rate, such as 1920x1080@30", s)
	}
	var n [4]int
	for i, part := range parts[1:] {
		n[i], _ = strconv.Atoi(part) // Only digits, and few: what is missing is 0.
	}
	if parts[4] == "" {
		n[3] = 1
	}
	v := Format{n[0], n[1], n[2], n[3]}
	if v.W < 16 || v.H < 16 || v.W > 8192 || v.H > 8192 {
		return fmt.Errorf("%q: pictures have 16 to 8192 pixels each way", s)
	}
	if v.FPSDen == 0 || v.FPSNum < v.FPSDen || v.FPSNum > 240*v.FPSDen {
		return fmt.Errorf("%q: the rate is 1 to 240 pictures per second", s)
	}
	*f.p = v
	return nil
}

func (f *format) file(v any) error {
	s, ok := v.(string)
	if !ok {
		return errors.New(`wants a text in quotes, such as "1920x1080@30"`)
	}
	return f.Set(s)
}

func (f *format) example(Setting) string { return `"1920x1080@30"` }
