// SPDX-License-Identifier: Apache-2.0

package config

import (
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
	value  any
}

// parse reads a configuration file: flat TOML whose keys are those of the table. Errors begin with path and line.
func parse(path string, data []byte) (map[string]line, error) {
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
	for _, s := range Table() {
		known = append(known, s.Key)
	}
	lines := make(map[string]line, len(values))
	// The decoder knows where a key stands only when it refuses it, so the numbers come from a second, shallow pass.
	var p unstable.Parser
	p.Reset(data)
	for p.NextExpression() {
		e := p.Expression()
		var name []string
		number := 0
		for key := e.Key(); key.Next(); {
			number = p.Shape(key.Node().Raw).Start.Line
			name = append(name, string(key.Node().Data))
		}
		key := strings.Join(name, ".")
		switch {
		case e.Kind != unstable.KeyValue:
			return nil, fmt.Errorf("%s:%d: there are no sections here; remove [%s]", path, number, key)
		case !slices.Contains(known, key):
			return nil, fmt.Errorf("%s:%d: there is no setting %q%s", path, number, key, nearest.Hint(key, known))
		}
		lines[key] = line{number: number, value: values[key]}
	}
	return lines, nil
}
