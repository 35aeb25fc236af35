// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/costream-obs/costream-obs/internal/nearest"
)

// A line is what the configuration file says about one setting.
type line struct {
	number int
	value  any // of a setting that is a table: []entry
}

// An entry is one key of a setting that is a table in the file.
type entry struct {
	number int
	key    string
	value  any
}

// An entryError is what is wrong with an entry.
type entryError struct {
	entry entry
	err   error
}

func (e *entryError) Error() string { return fmt.Sprintf("%q: %v", e.entry.key, e.err) }

func (e *entryError) Unwrap() error { return e.err }

// parse reads a configuration file: TOML whose keys are those of the table. Errors begin with path and line.
func parse(path string, data []byte) (map[string]line, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // Some editors write a byte order mark, which TOML does not know.
	var values map[string]any
	if err := toml.Unmarshal(data, &values); err != nil {
		var at *toml.DecodeError
		if errors.As(err, &at) {
			row, _ := at.Position()
			return nil, fmt.Errorf("%s:%d: %s", path, row, strings.TrimPrefix(at.Error(), "toml: "))
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}

	known := make([]string, 0, len(values))
	tables := make(map[string]bool)
	for _, s := range Table() {
		known = append(known, s.Key)
		_, tables[s.Key] = s.bind(new(Config)).(*rules)
	}
	lines := make(map[string]line, len(values))
	// The decoder knows where a key stands only when it refuses it, so the numbers come from a second, shallow pass.
	var p unstable.Parser
	p.Reset(data)
	section := ""
	for p.NextExpression() {
		e := p.Expression()
		name, number := nameOf(&p, e)
		key := strings.Join(name, ".")
		switch {
		case e.Kind == unstable.Table && tables[key]:
			section = key
			lines[key] = line{number: number, value: []entry(nil)}
			continue
		case e.Kind != unstable.KeyValue:
			return nil, fmt.Errorf("%s:%d: unknown section [%s]; put settings above all sections", path, number, key)
		case section != "" && slices.Contains(known, key):
			return nil, fmt.Errorf("%s:%d: %s is in the section [%s]; move it above all sections", path, number, key, section)
		case section != "":
			name = append([]string{section}, name...)
		case !tables[name[0]] && !slices.Contains(known, key):
			return nil, fmt.Errorf("%s:%d: unknown setting %q%s", path, number, key, nearest.Hint(key, known))
		}
		table, isTable := values[name[0]].(map[string]any)
		if !tables[name[0]] || !isTable {
			lines[key] = line{number: number, value: values[key]}
			continue
		}
		l, ok := lines[name[0]]
		if !ok {
			l = line{number: number, value: []entry(nil)}
		}
		l.value = append(l.value.([]entry), entriesOf(&p, e, name[1:], number, table)...)
		lines[name[0]] = l
	}
	return lines, nil
}

// nameOf returns the parts of an expression's key, and its line.
func nameOf(p *unstable.Parser, e *unstable.Node) (name []string, number int) {
	for key := e.Key(); key.Next(); {
		number = p.Shape(key.Node().Raw).Start.Line
		name = append(name, string(key.Node().Data))
	}
	return name, number
}

// entriesOf returns the entries of a table that an expression holds: one, or those of an inline table.
func entriesOf(p *unstable.Parser, e *unstable.Node, name []string, number int, table map[string]any) []entry {
	if len(name) > 0 {
		value, ok := table[name[0]]
		if !ok || len(name) > 1 {
			value = nil // As an unquoted key with a dot in it.
		}
		return []entry{{number, strings.Join(name, "."), value}}
	}
	var entries []entry
	for it := e.Value().Children(); it.Next(); {
		inner, at := nameOf(p, it.Node())
		entries = append(entries, entriesOf(p, it.Node(), inner, at, table)...)
	}
	return entries
}
