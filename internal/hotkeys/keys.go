// SPDX-License-Identifier: Apache-2.0

package hotkeys

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/costream-obs/costream-obs/internal/collection"
)

// prefix begins OBS's names for keys (libobs/obs-hotkeys.h).
const prefix = "OBS_KEY_"

// keyName is what people call a key: first as we write it, then as it is typed, too.
type keyName struct {
	obs   string // without the prefix
	names []string
}

// keyNames holds the keys that OBS can tell apart under X11 (libobs/obs-nix-x11.c) and that people have names for.
// Letters, digits, F1 to F35, the number pad's digits and mouse buttons follow from theirs.
var keyNames = []keyName{
	{"SPACE", []string{"Space", "spacebar"}}, {"RETURN", []string{"Return", "enter"}}, {"ESCAPE", []string{"Escape", "esc"}},
	{"TAB", []string{"Tab"}}, {"BACKSPACE", []string{"Backspace"}}, {"INSERT", []string{"Insert", "ins"}}, {"DELETE", []string{"Delete", "del"}},
	{"HOME", []string{"Home"}}, {"END", []string{"End"}},
	{"PAGEUP", []string{"PageUp", "pgup", "prior"}}, {"PAGEDOWN", []string{"PageDown", "pgdn", "pgdown", "next"}},
	{"LEFT", []string{"Left"}}, {"RIGHT", []string{"Right"}}, {"UP", []string{"Up"}}, {"DOWN", []string{"Down"}},
	{"PAUSE", []string{"Pause", "break"}}, {"PRINT", []string{"Print", "printscreen", "prtsc", "prtscr"}},
	{"SCROLLLOCK", []string{"ScrollLock", "scroll"}}, {"CAPSLOCK", []string{"CapsLock"}}, {"NUMLOCK", []string{"NumLock"}},
	{"MENU", []string{"Menu", "apps"}}, {"HELP", []string{"Help"}},
	{"MINUS", []string{"-", "minus"}}, {"PLUS", []string{"+", "plus"}}, {"EQUAL", []string{"=", "equal", "equals"}},
	{"COMMA", []string{",", "comma"}}, {"PERIOD", []string{".", "period", "dot"}}, {"SLASH", []string{"/", "slash"}},
	{"SEMICOLON", []string{";", "semicolon"}}, {"APOSTROPHE", []string{"'", "apostrophe", "quote"}}, {"BACKSLASH", []string{`\`, "backslash"}},
	{"BRACKETLEFT", []string{"[", "bracketleft"}}, {"BRACKETRIGHT", []string{"]", "bracketright"}}, {"QUOTELEFT", []string{"`", "grave", "backtick"}},
	{"ASTERISK", []string{"*", "asterisk"}}, {"NUMBERSIGN", []string{"#", "numbersign"}}, {"LESS", []string{"<", "less"}},
	{"NUMPLUS", []string{"Num +", "numplus", "numadd"}}, {"NUMMINUS", []string{"Num -", "numminus", "numsubtract"}},
	{"NUMASTERISK", []string{"Num *", "numasterisk", "nummultiply"}}, {"NUMSLASH", []string{"Num /", "numslash", "numdivide"}},
	{"NUMPERIOD", []string{"Num .", "numperiod", "numdecimal"}}, {"NUMEQUAL", []string{"Num =", "numequal"}},
}

// modifiers are in the order in which they are written.
var modifiers = []struct {
	names []string
	field func(*collection.Key) *bool
}{
	{[]string{"Ctrl", "control"}, func(k *collection.Key) *bool { return &k.Control }},
	{[]string{"Alt"}, func(k *collection.Key) *bool { return &k.Alt }},
	{[]string{"Shift"}, func(k *collection.Key) *bool { return &k.Shift }},
	{[]string{"Super", "meta", "win", "windows", "cmd", "command"}, func(k *collection.Key) *bool { return &k.Command }},
}

// ParseKey reads a key as people type it, F9, Ctrl+Alt+P, num 5 or super+space, or as OBS calls it, OBS_KEY_F9.
func ParseKey(text string) (collection.Key, error) {
	var key collection.Key
	rest := strings.TrimSpace(text)
	for {
		// The sign itself may be the key, as in Ctrl++ and Num +.
		i := strings.IndexByte(rest, '+')
		if i <= 0 || i == len(rest)-1 {
			break
		}
		field := modifier(rest[:i])
		if field == nil {
			return key, fmt.Errorf("%q: %q is not a modifier; there are Ctrl, Alt, Shift and Super", text, strings.TrimSpace(rest[:i]))
		}
		*field(&key) = true
		rest = rest[i+1:]
	}
	name, ok := obsKey(rest)
	switch {
	case ok:
		key.Key = prefix + name
		return key, nil
	case modifier(rest) != nil:
		return key, fmt.Errorf("%q: a key must follow, such as %s+F9", text, strings.TrimSpace(rest))
	}
	return key, fmt.Errorf("%q is not a key that costream-obs knows: type F9, Ctrl+Alt+P, Num 5, Super+Space or similar; "+
		"for any other key, type one of these and change it in OBS, Settings, Hotkeys", text)
}

func modifier(name string) func(*collection.Key) *bool {
	for _, m := range modifiers {
		if slices.ContainsFunc(m.names, func(n string) bool { return strings.EqualFold(n, strings.TrimSpace(name)) }) {
			return m.field
		}
	}
	return nil
}

// obsKey returns OBS's name for a key, without the prefix.
func obsKey(text string) (string, bool) {
	// Spaces, dashes and underlines within a name are a matter of taste.
	plain := strings.ToUpper(strings.TrimSpace(text))
	if name, ok := strings.CutPrefix(plain, prefix); ok && name != "" && name != "NONE" {
		return name, true
	}
	if len(plain) > 1 {
		for _, pad := range []string{"NUMPAD", "KEYPAD", "KP"} {
			if rest, ok := strings.CutPrefix(plain, pad); ok {
				plain = "NUM" + rest
			}
		}
	}
	squeeze := strings.NewReplacer(" ", "", "_", "")
	for _, k := range keyNames {
		for _, name := range k.names {
			if strings.EqualFold(squeeze.Replace(name), squeeze.Replace(plain)) && plain != "" {
				return k.obs, true
			}
		}
	}
	plain = strings.ReplaceAll(squeeze.Replace(plain), "-", "")
	if len(plain) == 1 && (plain[0] >= 'A' && plain[0] <= 'Z' || plain[0] >= '0' && plain[0] <= '9') {
		return plain, true
	}
	for family, last := range map[string]int{"F": 35, "NUM": 9, "MOUSE": 5} {
		number, ok := strings.CutPrefix(plain, family)
		n, err := strconv.Atoi(number)
		if ok && err == nil && n <= last && (n >= 1 || n == 0 && family == "NUM") && strconv.Itoa(n) == number {
			return plain, true
		}
	}
	return "", false
}

// KeyText writes a key as people do.
func KeyText(k collection.Key) string {
	var b strings.Builder
	for _, m := range modifiers {
		if *m.field(&k) {
			b.WriteString(m.names[0] + "+")
		}
	}
	name := strings.TrimPrefix(k.Key, prefix)
	if i := slices.IndexFunc(keyNames, func(n keyName) bool { return n.obs == name }); i >= 0 {
		name = keyNames[i].names[0]
	} else if digit, ok := strings.CutPrefix(name, "NUM"); ok && len(digit) == 1 {
		name = "Num " + digit
	}
	return b.String() + name
}
