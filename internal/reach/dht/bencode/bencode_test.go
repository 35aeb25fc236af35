// SPDX-License-Identifier: Apache-2.0

package bencode

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecode(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("l", n) + strings.Repeat("e", n) }
	for _, tc := range []struct {
		name, text string
		want       Value // kind None: refused
	}{
		{"a string", "3:abc", Text("abc")},
		{"an empty string", "0:", Text("")},
		{"an integer", "i-42e", Number(-42)},
		{"zero", "i0e", Number(0)},
		{"the lowest integer", "i-9223372036854775808e", Number(-1 << 63)},
		{"a list", "l1:ai1ee", Value{Kind: List, Items: []Value{Text("a"), Number(1)}}},
		{"a dictionary", "d1:a1:b1:cdee", Value{Kind: Dictionary, Pairs: []Pair{{[]byte("a"), Text("b")}, {[]byte("c"), Value{Kind: Dictionary}}}}},
		{"unsorted keys", "d1:bi1e1:ai2ee", Value{Kind: Dictionary, Pairs: []Pair{{[]byte("b"), Number(1)}, {[]byte("a"), Number(2)}}}},
		{"a key twice", "d1:ai1e1:ai2ee", Value{}},
		{"nothing", "", Value{}},
		{"more than one value", "i1ei1e", Value{}},
		{"an integer too large", "i9223372036854775808e", Value{}},
		{"a leading zero", "i01e", Value{}},
		{"a negative zero", "i-0e", Value{}},
		{"a plus", "i+1e", Value{}},
		{"no digits", "ie", Value{}},
		{"no end of an integer", "i12", Value{}},
		{"a string too short", "4:abc", Value{}},
		{"a length with a zero", "03:abc", Value{}},
		{"a huge length", "9223372036854775807:a", Value{}},
		{"a length too long to be one", "99999999999999999999999:a", Value{}},
		{"a negative length", "-1:a", Value{}},
		{"a list without an end", "l1:a", Value{}},
		{"a dictionary without a value", "d1:ae", Value{}},
		{"a key that is no string", "di1ei2ee", Value{}},
		{"as deep as can be", deep(MaxDepth), nested(MaxDepth)},
		{"too deep", deep(MaxDepth + 1), Value{}},
		{"too many values", "l" + strings.Repeat("0:", MaxValues) + "e", Value{}},
		{"too many bytes", "2048:" + strings.Repeat("a", MaxSize), Value{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Decode([]byte(tc.text))
			if (err != nil) != (tc.want.Kind == None) {
				t.Fatalf("got error %v", err)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func nested(n int) Value {
	v := Value{Kind: List}
	if n > 1 {
		v.Items = []Value{nested(n - 1)}
	}
	return v
}

func TestAppendSortsKeys(t *testing.T) {
	got := Append(nil, Dict(map[string]Value{"y": Text("q"), "a": Number(-3), "t": {Kind: List, Items: []Value{Text("x")}}}))
	if want := "d1:ai-3e1:tl1:xe1:y1:qe"; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestGet(t *testing.T) {
	v, err := Decode([]byte("d1:ad1:bi7eee"))
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Get("a").Get("b").Int; got != 7 {
		t.Errorf("got %d, want 7", got)
	}
	for _, missing := range []Value{v.Get("x"), v.Get("a").Get("b").Get("c"), Text("a").Get("a")} {
		if missing.Kind != None {
			t.Errorf("got %+v, want nothing", missing)
		}
	}
}

// FuzzDecode holds that what was decoded is within the bounds, and is the same after it was written and read again.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"", "i1e", "i-0e", "0:", "le", "de", "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe", "d1:bi1e1:ai2ee",
		"99999999999:", strings.Repeat("l", 100), "d1:rd2:id20:aaaaaaaaaaaaaaaaaaaa5:nodes0:ee",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := Decode(b)
		if err != nil {
			return
		}
		if count(v) > MaxValues || depth(v) > MaxDepth {
			t.Errorf("%q: %d values, %d deep", b, count(v), depth(v))
		}
		written := Append(nil, v)
		if len(written) != len(b) {
			t.Errorf("%q became %q", b, written)
		}
		again, err := Decode(written)
		if err != nil {
			t.Fatalf("%q became %q: %v", b, written, err)
		}
		if !bytes.Equal(Append(nil, again), written) {
			t.Errorf("%q became %q and then %q", b, written, Append(nil, again))
		}
	})
}

func count(v Value) int {
	n := 1
	for _, item := range v.Items {
		n += count(item)
	}
	for _, p := range v.Pairs {
		n += count(p.Value)
	}
	return n
}

func depth(v Value) int {
	if v.Kind != List && v.Kind != Dictionary {
		return 0
	}
	deepest := 0
	for _, item := range v.Items {
		deepest = max(deepest, depth(item))
	}
	for _, p := range v.Pairs {
		deepest = max(deepest, depth(p.Value))
	}
	return deepest + 1
}
