// SPDX-License-Identifier: Apache-2.0

package collection

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustParse(t testing.TB, text string) *Doc {
	t.Helper()
	doc, err := parse([]byte(text))
	if err != nil {
		t.Fatalf("parse(%s): %v", text, err)
	}
	return doc
}

func TestSetAndDelete(t *testing.T) {
	pretty := "{\n    \"name\": \"A\",\n    \"modules\": {\n        \"scripts-tool\": []\n    }\n}\n"
	for _, test := range []struct {
		name, text string
		path       []any
		value      any
		want       string
	}{
		{"new key", `{"a":1}`, []any{"b"}, 2, `{"a":1,"b":2}`},
		{"new key in an empty object", `{}`, []any{"b"}, "x", `{"b":"x"}`},
		{"new key below new ones", `{"a":1}`, []any{"b", "c"}, 2, `{"a":1,"b":{"c":2}}`},
		{"text that needs quoting", `{"a":1}`, []any{`"<é`}, "\\\"&>", `{"a":1,"\"<é":"\\\"&>"}`},
		{"white space as before", pretty, []any{"virtual-camera"}, map[string]int{"type": 1},
			"{\n    \"name\": \"A\",\n    \"modules\": {\n        \"scripts-tool\": []\n    },\n    \"virtual-camera\": {\"type\":1}\n}\n"},
		{"one member", "{ \"a\" : 1 }", []any{"b"}, 2, "{ \"a\" : 1, \"b\" : 2 }"},
		{"values that look like ends", `{"a":"}],{[\"","c":[{"x":"]"}]}`, []any{"c", 0, "y"}, true, `{"a":"}],{[\"","c":[{"x":"]","y":true}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc := mustParse(t, test.text)
			if err := doc.Set(test.value, test.path...); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(doc.text)); diff != "" {
				t.Errorf("Set(%v) (-want +got):\n%s", test.path, diff)
			}
			mustParse(t, string(doc.text))
			doc.Delete(test.path...)
			if got := string(doc.Get("b")); got == "{}" {
				doc.Delete("b") // It was made for what is gone now.
			}
			if diff := cmp.Diff(test.text, string(doc.text)); diff != "" {
				t.Errorf("Delete(%v) after it (-want +got):\n%s", test.path, diff)
			}
		})
	}
}

func TestReplace(t *testing.T) {
	doc := mustParse(t, `{"a":1, "b" : [1, {"c":null} ,3], "a":2}`)
	for _, edit := range []struct {
		value any
		path  []any
	}{{3, []any{"a"}}, {"x", []any{"b", 1, "c"}}, {-1.5, []any{"b", 2}}} {
		if err := doc.Set(edit.value, edit.path...); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := string(doc.text), `{"a":1, "b" : [1, {"c":"x"} ,-1.5], "a":3}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := string(doc.Get("b", 1)), `{"c":"x"}`; got != want {
		t.Errorf("Get: got %s, want %s", got, want)
	}
	if got := doc.Get("b", 3); got != nil {
		t.Errorf("Get of nothing: got %s", got)
	}
	if got := doc.Get("a", "b"); got != nil {
		t.Errorf("Get below a number: got %s", got)
	}
}

func TestDelete(t *testing.T) {
	for _, test := range []struct {
		text string
		path []any
		want string
	}{
		{`{"a":1, "b":2, "c":3}`, []any{"a"}, `{"b":2, "c":3}`},
		{`{"a":1, "b":2, "c":3}`, []any{"b"}, `{"a":1, "c":3}`},
		{`{"a":1, "b":2, "c":3}`, []any{"c"}, `{"a":1, "b":2}`},
		{`{"a":[ 1 , 2 ]}`, []any{"a", 0}, `{"a":[ 2 ]}`},
		{`{"a":[1]}`, []any{"a", 0}, `{"a":[]}`},
		{`{"a":[1]}`, []any{"a", 1}, `{"a":[1]}`},
		{`{"a":[1]}`, []any{"b"}, `{"a":[1]}`},
	} {
		doc := mustParse(t, test.text)
		doc.Delete(test.path...)
		if got := string(doc.text); got != test.want {
			t.Errorf("Delete(%v) of %s: got %s, want %s", test.path, test.text, got, test.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "{", `{"a":1`, `{"a":1}x`, "[]", "null x", `"a"`, `{"a":1,}`, "\ufeff{}"} {
		if _, err := parse([]byte(text)); !errors.Is(err, ErrInvalid) {
			t.Errorf("parse(%q): got %v, want ErrInvalid", text, err)
		}
	}
}

func TestSetRefuses(t *testing.T) {
	for _, path := range [][]any{{"a", "b"}, {"l", 7}, {"l", "x"}, {0}} {
		doc := mustParse(t, `{"a":1,"l":[1]}`)
		if err := doc.Set(1, path...); !errors.Is(err, ErrInvalid) {
			t.Errorf("Set(%v): got %v, want ErrInvalid", path, err)
		}
	}
}

// What is added and taken away again leaves every text as it was.
func FuzzSetThenDelete(f *testing.F) {
	f.Add(`{"a": {"b" : [ 1, "x\\\"" ] } , "c":null}`)
	f.Add("{\n \"modules\" : {}\n}")
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := parse([]byte(text))
		if err != nil || doc.Get("new") != nil {
			return
		}
		if _, found := doc.find([]any{"new"}); found == 0 && len(doc.members(span{doc.space(0), doc.value(doc.space(0))})) == 0 {
			return // White space in an empty object is not kept.
		}
		if err := doc.Set([]int{1}, "new"); err != nil {
			t.Fatalf("Set in %q: %v", text, err)
		}
		if _, err := parse(doc.text); err != nil {
			t.Fatalf("%q became %q: %v", text, doc.text, err)
		}
		doc.Delete("new")
		if string(doc.text) != text {
			t.Errorf("got %q, want %q", doc.text, text)
		}
	})
}
