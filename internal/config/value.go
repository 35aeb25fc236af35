// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/obsctl"
)

// A value is one field of a Config with its grammar: the same for a flag, a variable and the file.
type value interface {
	pflag.Value // Set takes the text of a flag or of a variable.
	// file takes what stands in the configuration file.
	file(v any) error
	// example is a value as the configuration file writes it.
	example(s Setting) string
}

type text struct {
	p     *string
	check func(string) error
}

func (t *text) Type() string   { return "string" }
func (t *text) String() string { return *t.p }

func (t *text) Set(s string) error {
	if t.check != nil {
		if err := t.check(s); err != nil {
			return err
		}
	}
	*t.p = s
	return nil
}

func (t *text) file(v any) error {
	s, ok := v.(string)
	if !ok {
		return errors.New("must be a quoted string")
	}
	return t.Set(s)
}

func (t *text) example(s Setting) string {
	if s.Default != "" {
		return strconv.Quote(s.Default)
	}
	return strconv.Quote(s.Arg)
}

type number struct {
	p        *int
	min, max int
	sample   int // for the example of a setting without a default
}

func (n *number) Type() string   { return "int" }
func (n *number) String() string { return strconv.Itoa(*n.p) }

func (n *number) Set(s string) error {
	i, err := strconv.Atoi(s)
	if err != nil || i < n.min || i > n.max {
		return fmt.Errorf("%q is not a number from %d to %d", s, n.min, n.max)
	}
	*n.p = i
	return nil
}

func (n *number) file(v any) error {
	i, ok := v.(int64)
	if !ok {
		return fmt.Errorf("must be a number from %d to %d, without quotes", n.min, n.max)
	}
	return n.Set(strconv.FormatInt(i, 10))
}

func (n *number) example(s Setting) string {
	if s.Default != "" {
		return s.Default
	}
	return strconv.Itoa(n.sample)
}

type choice struct {
	p     *string
	words []string
}

func (c *choice) Type() string   { return "string" }
func (c *choice) String() string { return *c.p }

func (c *choice) Set(s string) error {
	for _, w := range c.words {
		if s == w {
			*c.p = s
			return nil
		}
	}
	return fmt.Errorf("%q is not one of: %s", s, strings.Join(c.words, ", "))
}

func (c *choice) file(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("must be one of these, in quotes: %s", strings.Join(c.words, ", "))
	}
	return c.Set(s)
}

func (c *choice) example(s Setting) string {
	if s.Default != "" {
		return strconv.Quote(s.Default)
	}
	return strconv.Quote(c.words[len(c.words)-1])
}

// list collects the values of a flag that may be repeated.
type list struct {
	p     *[]string
	check func(string) error
}

func (l *list) Type() string   { return "strings" }
func (l *list) String() string { return strings.Join(*l.p, ",") }

func (l *list) Set(s string) error {
	names, err := splitNames(s)
	if err != nil {
		return err
	}
	return l.add(names)
}

// splitNames takes names with commas between them. A name may stand in double quotes, with "" for each of those in it;
// other quotes are as good as letters. Blanks around the commas do not count, and where there is no comma all of them do,
// so that most names of scenes can be given as they are.
func splitNames(s string) ([]string, error) {
	var names []string
	for rest, more := s, true; more; {
		name, after, found := "", "", false
		if inner, quoted := strings.CutPrefix(strings.TrimLeft(rest, " \t"), `"`); quoted {
			if name, after, found = cutQuoted(inner); !found {
				return nil, fmt.Errorf(`%q is not a comma-separated list of names: put a name in double quotes if it contains a comma or begins with a double quote, and double each double quote in it`, s)
			}
			_, rest, more = strings.Cut(after, ",")
		} else {
			name, rest, more = strings.Cut(rest, ",")
			if len(names) > 0 || more {
				name = strings.TrimSpace(name)
			}
		}
		names = append(names, name)
	}
	return names, nil
}

// cutQuoted takes a name up to the quote that ends it. A comma or nothing must follow.
func cutQuoted(s string) (name, after string, found bool) {
	var b strings.Builder
	for {
		part, rest, found := strings.Cut(s, `"`)
		if !found {
			return "", "", false
		}
		b.WriteString(part)
		if s, found = strings.CutPrefix(rest, `"`); !found {
			after = strings.TrimSpace(rest)
			return b.String(), after, after == "" || after[0] == ','
		}
		b.WriteString(`"`)
	}
}

func (l *list) add(names []string) error {
	for _, name := range names {
		if err := l.check(name); err != nil {
			return err
		}
	}
	*l.p = append(*l.p, names...)
	return nil
}

func (l *list) file(v any) error {
	wrong := errors.New(`must be a list of quoted strings: ["one", "two"]`)
	items, ok := v.([]any)
	if !ok {
		return wrong
	}
	names := make([]string, 0, len(items))
	for _, item := range items {
		name, ok := item.(string)
		if !ok {
			return wrong
		}
		names = append(names, name)
	}
	return l.add(names)
}

func (l *list) example(s Setting) string {
	switch s.Group {
	case GroupScenes:
		return `["Game*", "Chat"]`
	case GroupPeer:
		return `["dht.example.org:6881"]`
	}
	if s.Key == "share" {
		return `["Music", "Game*"]`
	}
	return `["Mic/Aux"]`
}

type toggle struct{ p *bool }

func (t *toggle) Type() string   { return "bool" }
func (t *toggle) String() string { return strconv.FormatBool(*t.p) }

func (t *toggle) Set(s string) error {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return fmt.Errorf("%q is neither true nor false", s)
	}
	*t.p = b
	return nil
}

func (t *toggle) file(v any) error {
	b, ok := v.(bool)
	if !ok {
		return errors.New("must be true or false, without quotes")
	}
	*t.p = b
	return nil
}

func (t *toggle) example(s Setting) string { return strconv.FormatBool(!s.OnByDefault()) }

// opposite is what turns a switch off: the flag --no-KEY.
type opposite struct{ of *toggle }

func (o *opposite) Type() string   { return "bool" }
func (o *opposite) String() string { return strconv.FormatBool(!*o.of.p) }

func (o *opposite) Set(s string) error {
	if err := o.of.Set(s); err != nil {
		return err
	}
	*o.of.p = !*o.of.p
	return nil
}

// secret never repeats in an error what it was given.
type secret struct{ p **obsctl.Secret }

func (s *secret) Type() string   { return "secret" }
func (s *secret) String() string { return "" }

func (s *secret) Set(v string) error {
	password := obsctl.Secret(v)
	*s.p = &password
	return nil
}

func (s *secret) file(v any) error {
	password, ok := v.(string)
	if !ok {
		return errors.New("must be a quoted string")
	}
	return s.Set(password)
}

func (s *secret) example(Setting) string { return `"..."` }
