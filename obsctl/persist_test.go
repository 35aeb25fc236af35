// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/andreykaipov/goobs/api/requests/config"
	"github.com/google/go-cmp/cmp"
)

func TestPersistentDataIsPacked(t *testing.T) {
	long := map[string]string{}
	for i := range 500 {
		long[fmt.Sprintf("Szene ü%d", i)] = "the same for all of them"
	}
	for _, tt := range []struct {
		name   string
		value  map[string]string
		packed bool
	}{
		{"short", map[string]string{"ü": "😀\"\\"}, false},
		{"long", long, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := setPersistentDataParams("slot", tt.value)
			if err != nil {
				t.Fatal(err)
			}
			text := p.SlotValue.(string)
			if strings.HasPrefix(text, packedPrefix) != tt.packed || strings.IndexFunc(text, func(r rune) bool { return r > unicode.MaxASCII }) >= 0 {
				t.Errorf("stored %.40q, want ASCII, packed: %t", text, tt.packed)
			}
			if tt.packed && len(text) > 10<<10 {
				t.Errorf("got %d bytes, want less than 10 KB", len(text))
			}
			var got map[string]string
			if found, err := readPersistentData(&config.GetPersistentDataResponse{SlotValue: text}, "slot", &got); !found || err != nil {
				t.Fatalf("read: found %t, %v", found, err)
			}
			if diff := cmp.Diff(tt.value, got); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
		})
	}
	// What an older costream-obs stored, and what is damaged.
	for stored, want := range map[string]error{
		`{"a":"b"}`:               nil,
		`{"a":`:                   ErrUndecodable,
		`[1]`:                     ErrUndecodable,
		packedPrefix + "?":        ErrUndecodable,
		packedPrefix + "AAAAAAAA": ErrUndecodable,
	} {
		var got map[string]string
		if _, err := readPersistentData(&config.GetPersistentDataResponse{SlotValue: stored}, "slot", &got); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", stored, err, want)
		}
	}
}
