// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/costream-obs/costream-obs/scenes"
)

type layout struct{ p *scenes.Layout }

func (l *layout) Type() string   { return "string" }
func (l *layout) String() string { return l.p.String() }

func (l *layout) Set(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("the layout is empty")
	}
	v, err := scenes.ParseLayout(s)
	if err == nil {
		*l.p = v
	}
	return err
}

func (l *layout) file(v any) error {
	s, ok := v.(string)
	if !ok {
		return errors.New(`must be a quoted string, such as "pip top-left"`)
	}
	return l.Set(s)
}

func (l *layout) example(s Setting) string { return strconv.Quote(s.Default) }

// rules collects the layouts of scenes. In the file they are a table, whose order counts.
type rules struct{ p *[]scenes.Rule }

func (r *rules) Type() string { return "strings" }

func (r *rules) String() string {
	out := make([]string, len(*r.p))
	for i, rule := range *r.p {
		out[i] = rule.Scenes + "=" + rule.Layout.String()
	}
	return strings.Join(out, ",")
}

// Set takes rules with commas between them. A layout has neither commas nor =, so the last = is the one that counts.
func (r *rules) Set(s string) error {
	parts := []string(nil)
	if err := (&list{p: &parts, check: checkFilled}).Set(s); err != nil {
		return err
	}
	for _, part := range parts {
		i := strings.LastIndex(part, "=")
		if i < 0 {
			return fmt.Errorf("%q is not a pattern and its layout, such as 'Game*=pip top-left'", part)
		}
		if err := r.add(part[:i], part[i+1:]); err != nil {
			return err
		}
	}
	return nil
}

func (r *rules) add(glob, words string) error {
	if err := checkFilled(glob); err != nil {
		return err
	}
	rule := scenes.Rule{Scenes: glob}
	if err := (&layout{p: &rule.Layout}).Set(words); err != nil {
		return err
	}
	*r.p = append(*r.p, rule)
	return nil
}

func (r *rules) file(v any) error {
	entries, ok := v.([]entry)
	if !ok {
		return errors.New(`must be a table of patterns and layouts: { "Game*" = "pip top-left" }`)
	}
	for _, e := range entries {
		words, ok := e.value.(string)
		err := errors.New("must be a layout in quotes")
		if ok {
			err = r.add(e.key, words)
		}
		if err != nil {
			return &entryError{entry: e, err: err}
		}
	}
	return nil
}

func (r *rules) example(Setting) string { return `{ "Game*" = "pip top-left 25%" }` }
