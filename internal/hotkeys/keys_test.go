// SPDX-License-Identifier: Apache-2.0

package hotkeys

import (
	"testing"

	"github.com/costream-obs/costream-obs/internal/collection"
)

func TestParseKey(t *testing.T) {
	for _, test := range []struct {
		text string
		want collection.Key
		back string
	}{
		{"F9", collection.Key{Key: "OBS_KEY_F9"}, "F9"},
		{"f24", collection.Key{Key: "OBS_KEY_F24"}, "F24"},
		{"p", collection.Key{Key: "OBS_KEY_P"}, "P"},
		{"Ctrl+Alt+P", collection.Key{Control: true, Alt: true, Key: "OBS_KEY_P"}, "Ctrl+Alt+P"},
		{"shift + control + Page Up", collection.Key{Control: true, Shift: true, Key: "OBS_KEY_PAGEUP"}, "Ctrl+Shift+PageUp"},
		{"Super+space", collection.Key{Command: true, Key: "OBS_KEY_SPACE"}, "Super+Space"},
		{"win+1", collection.Key{Command: true, Key: "OBS_KEY_1"}, "Super+1"},
		{"Num 5", collection.Key{Key: "OBS_KEY_NUM5"}, "Num 5"},
		{"numpad5", collection.Key{Key: "OBS_KEY_NUM5"}, "Num 5"},
		{"KP_0", collection.Key{Key: "OBS_KEY_NUM0"}, "Num 0"},
		{"Num +", collection.Key{Key: "OBS_KEY_NUMPLUS"}, "Num +"},
		{"ctrl+num +", collection.Key{Control: true, Key: "OBS_KEY_NUMPLUS"}, "Ctrl+Num +"},
		{"+", collection.Key{Key: "OBS_KEY_PLUS"}, "+"},
		{"Ctrl++", collection.Key{Control: true, Key: "OBS_KEY_PLUS"}, "Ctrl++"},
		{"-", collection.Key{Key: "OBS_KEY_MINUS"}, "-"},
		{"alt+-", collection.Key{Alt: true, Key: "OBS_KEY_MINUS"}, "Alt+-"},
		{"num lock", collection.Key{Key: "OBS_KEY_NUMLOCK"}, "NumLock"},
		{"esc", collection.Key{Key: "OBS_KEY_ESCAPE"}, "Escape"},
		{"Mouse 4", collection.Key{Key: "OBS_KEY_MOUSE4"}, "MOUSE4"},
		{"OBS_KEY_VOLUMEMUTE", collection.Key{Key: "OBS_KEY_VOLUMEMUTE"}, "VOLUMEMUTE"},
	} {
		got, err := ParseKey(test.text)
		if got != test.want || err != nil {
			t.Errorf("%q: got %+v, %v; want %+v", test.text, got, err, test.want)
		}
		if back := KeyText(test.want); back != test.back {
			t.Errorf("KeyText(%+v): got %q, want %q", test.want, back, test.back)
		}
	}
	for _, text := range []string{"", " ", "F0", "F36", "F09", "Num 10", "Hyper+F9", "Ctrl", "Ctrl+Alt", "F9+Ctrl", "AltGr+P", "NONE", "OBS_KEY_NONE", "OBS_KEY_", "é", "Mouse 0"} {
		if got, err := ParseKey(text); err == nil {
			t.Errorf("%q: got %+v, want an error", text, got)
		}
	}
}
