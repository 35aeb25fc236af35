// SPDX-License-Identifier: Apache-2.0

package collection

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Doc is the text of a collection. A path names a value in it: strings are keys of objects, ints are places in arrays.
// Of a key that an object has twice the last counts, as in OBS.
type Doc struct{ text []byte }

// parse returns ErrInvalid unless text is one JSON object.
func parse(text []byte) (*Doc, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return &Doc{text: bytes.Clone(text)}, nil
}

// Get returns the JSON of a value, nil when there is none.
func (d *Doc) Get(path ...any) json.RawMessage {
	at, found := d.find(path)
	if found < len(path) {
		return nil
	}
	return bytes.Clone(d.text[at.start:at.end])
}

// Set gives a value to the path's last key or place. Objects on the way are made where they are missing; a place in an
// array must be there.
func (d *Doc) Set(value any, path ...any) error {
	raw, err := encode(value)
	if err != nil {
		return err
	}
	at, found := d.find(path)
	if found == len(path) {
		d.replace(at, raw)
		return nil
	}
	for i := len(path) - 1; i > found; i-- {
		key, ok := path[i].(string)
		if !ok {
			return fmt.Errorf("%w: there is nothing at %v", ErrInvalid, path)
		}
		raw = []byte("{" + quote(key) + ":" + string(raw) + "}")
	}
	key, ok := path[found].(string)
	if !ok || d.text[at.start] != '{' {
		return fmt.Errorf("%w: there is no object at %v", ErrInvalid, path[:found])
	}
	d.insert(at, quote(key), raw)
	return nil
}

// Append puts a value at the end of the array at path, which is made where it is missing.
func (d *Doc) Append(value any, path ...any) error {
	at, found := d.find(path)
	if found < len(path) {
		return d.Set([]any{value}, path...)
	}
	raw, err := encode(value)
	if err != nil {
		return err
	}
	if d.text[at.start] != '[' {
		return fmt.Errorf("%w: there is no array at %v", ErrInvalid, path)
	}
	d.insert(at, "", raw)
	return nil
}

// Delete takes away the value at path, with its key and its comma. A value that is not there is no error.
func (d *Doc) Delete(path ...any) {
	at, found := d.find(path)
	if found < len(path) || len(path) == 0 {
		return
	}
	parent, _ := d.find(path[:len(path)-1])
	all := d.members(parent)
	for i, m := range all {
		if m.value != at {
			continue
		}
		cut := span{m.start, m.value.end}
		switch {
		case i > 0: // Back to the end of the one before, with the comma between.
			cut.start = all[i-1].value.end
		case len(all) > 1: // On to the next one, so that it stands where this one stood.
			cut.end = all[1].start
		default:
			cut = span{parent.start + 1, parent.end - 1}
		}
		d.replace(cut, nil)
		return
	}
}

// span is a range of bytes.
type span struct{ start, end int }

// member is a key with its value, or an element of an array.
type member struct {
	start int // of the key, or of the element
	key   string
	value span
}

func (d *Doc) replace(at span, with []byte) {
	text := make([]byte, 0, len(d.text)+len(with))
	text = append(text, d.text[:at.start]...)
	text = append(text, with...)
	d.text = append(text, d.text[at.end:]...)
}

// insert adds a last member to an object, or a last element to an array when key is empty, with the white space that
// the last one there has.
func (d *Doc) insert(at span, key string, raw []byte) {
	before, colon, place := "", ":", at.start+1
	if all := d.members(at); len(all) > 0 {
		last := all[len(all)-1]
		place = last.value.end
		from := at.start + 1
		if len(all) > 1 {
			from = d.space(all[len(all)-2].value.end) + 1
		}
		before = "," + string(d.text[from:last.start])
		if key != "" {
			colon = string(d.text[d.value(last.start):last.value.start])
		}
	}
	if key == "" {
		colon = ""
	}
	d.replace(span{place, place}, []byte(before+key+colon+string(raw)))
}

// find returns the value at the longest part of path that there is, and how long that is.
func (d *Doc) find(path []any) (at span, found int) {
	at.start = d.space(0)
	at.end = d.value(at.start)
	for found < len(path) {
		next, ok := d.child(at, path[found])
		if !ok {
			break
		}
		at = next
		found++
	}
	return at, found
}

func (d *Doc) child(at span, name any) (value span, ok bool) {
	switch name := name.(type) {
	case string:
		if d.text[at.start] != '{' {
			return span{}, false
		}
		for _, m := range d.members(at) {
			if m.key == name {
				value, ok = m.value, true
			}
		}
	case int:
		if all := d.members(at); d.text[at.start] == '[' && name >= 0 && name < len(all) {
			return all[name].value, true
		}
	}
	return value, ok
}

// members lists what an object or an array holds; anything else holds nothing.
func (d *Doc) members(at span) []member {
	var all []member
	object := d.text[at.start] == '{'
	if !object && d.text[at.start] != '[' {
		return nil
	}
	for i := d.space(at.start + 1); i < at.end-1; i = d.space(i) {
		if d.text[i] == ',' {
			i++
			continue
		}
		m := member{start: i}
		if object {
			end := d.value(i)
			_ = json.Unmarshal(d.text[i:end], &m.key) // A string, since the text was parsed.
			i = d.space(d.space(end) + 1)
		}
		m.value = span{i, d.value(i)}
		all = append(all, m)
		i = m.value.end
	}
	return all
}

// space returns where the white space at i ends.
func (d *Doc) space(i int) int {
	for i < len(d.text) && bytes.IndexByte([]byte(" \t\r\n"), d.text[i]) >= 0 {
		i++
	}
	return i
}

// value returns where the value at i ends.
func (d *Doc) value(i int) int {
	depth := 0
	for {
		switch d.text[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			for i++; d.text[i] != '"'; i++ {
				if d.text[i] == '\\' {
					i++
				}
			}
		default:
			if depth == 0 { // A number or a word.
				for i < len(d.text) && bytes.IndexByte([]byte(" \t\r\n,:]}"), d.text[i]) < 0 {
					i++
				}
				return i
			}
		}
		i++
		if depth == 0 {
			return i
		}
	}
}

// encode writes JSON as OBS does: <, > and & stand for themselves. What is JSON already stays byte for byte.
func encode(value any) ([]byte, error) {
	if raw, is := value.(json.RawMessage); is && json.Valid(raw) {
		return raw, nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

func quote(key string) string {
	raw, _ := encode(key) // A string always can.
	return string(raw)
}
