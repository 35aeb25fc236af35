// SPDX-License-Identifier: Apache-2.0

// Package bencode reads and writes the encoding of BitTorrent's messages (BEP 3). It is made for datagrams of strangers:
// the depth, the size and the number of values are bounded, and nothing is copied while reading. It maps no Go structs and
// knows no message.
package bencode

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
)

// Bounds on what Decode takes. Messages of the DHT stay far below them.
const (
	MaxSize   = 2048 // bytes
	MaxDepth  = 8    // lists and dictionaries inside each other
	MaxValues = 512  // values, keys not counted
)

var errMalformed = errors.New("bencode: malformed or beyond the bounds")

// Kind is the type of a value.
type Kind uint8

// The kinds of values. The zero Kind belongs to what is not there.
const (
	None Kind = iota
	String
	Integer
	List
	Dictionary
)

// Value is one decoded value. Only the field of its kind is set.
type Value struct {
	Kind  Kind
	Str   []byte // a part of the decoded bytes
	Int   int64
	Items []Value
	Pairs []Pair
}

// Pair is one entry of a dictionary.
type Pair struct {
	Key   []byte // a part of the decoded bytes
	Value Value
}

// Get returns the value of a key. It returns a value of kind None where there is none, and where v is no dictionary.
func (v Value) Get(key string) Value {
	for _, p := range v.Pairs {
		if string(p.Key) == key {
			return p.Value
		}
	}
	return Value{}
}

// Decode reads one value that takes up all of b. The result refers to b.
func Decode(b []byte) (Value, error) {
	if len(b) > MaxSize {
		return Value{}, errMalformed
	}
	d := decoder{rest: b, left: MaxValues}
	v, ok := d.value(MaxDepth)
	if !ok || len(d.rest) > 0 {
		return Value{}, errMalformed
	}
	return v, nil
}

type decoder struct {
	rest []byte
	left int // how many values may come
}

func (d *decoder) value(depth int) (Value, bool) {
	if len(d.rest) == 0 || d.left == 0 {
		return Value{}, false
	}
	d.left--
	switch first := d.rest[0]; {
	case first >= '0' && first <= '9':
		s, ok := d.str()
		return Value{Kind: String, Str: s}, ok
	case first == 'i':
		d.rest = d.rest[1:]
		n, ok := d.number('e')
		return Value{Kind: Integer, Int: n}, ok
	case first == 'l' && depth > 0:
		return d.list(depth - 1)
	case first == 'd' && depth > 0:
		return d.dictionary(depth - 1)
	}
	return Value{}, false
}

// end takes the end of a list or dictionary.
func (d *decoder) end() bool {
	if len(d.rest) == 0 || d.rest[0] != 'e' {
		return false
	}
	d.rest = d.rest[1:]
	return true
}

func (d *decoder) list(depth int) (Value, bool) {
	d.rest = d.rest[1:]
	v := Value{Kind: List}
	for !d.end() {
		item, ok := d.value(depth)
		if !ok {
			return Value{}, false
		}
		v.Items = append(v.Items, item)
	}
	return v, true
}

// dictionary takes keys in any order, since not all programs sort them, but each only once.
func (d *decoder) dictionary(depth int) (Value, bool) {
	d.rest = d.rest[1:]
	v := Value{Kind: Dictionary}
	for !d.end() {
		key, ok := d.str()
		if !ok || slices.ContainsFunc(v.Pairs, func(p Pair) bool { return bytes.Equal(p.Key, key) }) {
			return Value{}, false
		}
		item, ok := d.value(depth)
		if !ok {
			return Value{}, false
		}
		v.Pairs = append(v.Pairs, Pair{key, item})
	}
	return v, true
}

func (d *decoder) str() ([]byte, bool) {
	n, ok := d.number(':')
	if !ok || n < 0 || n > int64(len(d.rest)) {
		return nil, false
	}
	s := d.rest[:n:n]
	d.rest = d.rest[n:]
	return s, true
}

// number takes digits up to a mark. It refuses leading zeros and a negative zero, as the specification does.
func (d *decoder) number(mark byte) (int64, bool) {
	const longest = len("-9223372036854775808")
	n := bytes.IndexByte(d.rest[:min(len(d.rest), longest+1)], mark)
	if n < 0 {
		return 0, false
	}
	text := d.rest[:n]
	d.rest = d.rest[n+1:]
	digits := bytes.TrimPrefix(text, []byte("-"))
	if len(digits) == 0 || digits[0] < '0' || digits[0] > '9' || digits[0] == '0' && len(text) > 1 {
		return 0, false
	}
	v, err := strconv.ParseInt(string(text), 10, 64)
	return v, err == nil
}

// AppendString appends a string.
func AppendString[S string | []byte](b []byte, s S) []byte {
	b = strconv.AppendInt(b, int64(len(s)), 10)
	b = append(b, ':')
	return append(b, s...)
}

// AppendInt appends an integer.
func AppendInt(b []byte, n int64) []byte {
	b = append(b, 'i')
	b = strconv.AppendInt(b, n, 10)
	return append(b, 'e')
}

// Append appends a value, with the keys of dictionaries sorted as the specification demands. A value of kind None is
// written as an empty string.
func Append(b []byte, v Value) []byte {
	switch v.Kind {
	case Integer:
		return AppendInt(b, v.Int)
	case List:
		b = append(b, 'l')
		for _, item := range v.Items {
			b = Append(b, item)
		}
		return append(b, 'e')
	case Dictionary:
		pairs := slices.SortedFunc(slices.Values(v.Pairs), func(x, y Pair) int { return bytes.Compare(x.Key, y.Key) })
		b = append(b, 'd')
		for _, p := range pairs {
			b = Append(AppendString(b, p.Key), p.Value)
		}
		return append(b, 'e')
	}
	return AppendString(b, v.Str)
}

// Text is a string as a value.
func Text[S string | []byte](s S) Value { return Value{Kind: String, Str: []byte(s)} }

// Number is an integer as a value.
func Number(n int64) Value { return Value{Kind: Integer, Int: n} }

// Dict is a dictionary of keys and values.
func Dict(pairs map[string]Value) Value {
	v := Value{Kind: Dictionary}
	for key, value := range pairs {
		v.Pairs = append(v.Pairs, Pair{[]byte(key), value})
	}
	return v
}
