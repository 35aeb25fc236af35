// SPDX-License-Identifier: Apache-2.0

package pairing

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func fixedInvite() Invite {
	i := Invite{Addresses: []string{"192.0.2.7:5000", "[2001:db8::7]:5000", "alice.example.org:5010"}}
	for n := range i.Secret {
		i.Secret[n] = byte(n)
	}
	return i
}

func TestInviteThereAndBack(t *testing.T) {
	for n, addresses := range [][]string{nil, {"192.0.2.7:5000"}, fixedInvite().Addresses, {strings.Repeat("a", 249) + ":65535"}, nil, {"192.0.2.7:5000"}, fixedInvite().Addresses} {
		want, err := NewInvite(addresses)
		if err != nil {
			t.Fatal(err)
		}
		want.Auto = n > 3
		line := want.Line()
		for _, seen := range []string{line, line + "\n", "  `" + line + "`", strings.ToUpper(line), line[:30] + "\r\n" + line[30:], "“" + line + "”", line[:20] + "\u200b" + line[20:]} {
			got, err := ParseInvite(seen)
			if err != nil {
				t.Errorf("%d addresses, seen as %q: %v", len(addresses), seen, err)
				continue
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q (-want +got):\n%s", seen, diff)
			}
		}
	}
}

// goldenLine is the line of fixedInvite.
const goldenLine = "costream1-abpqaaicamcakbqhbaequcymbuha6earcijrifiwc4mbsgq3dqor4hyoge4telrqfyzc4nz2guydamaslmzdambrhjsgeob2hi3v2orvgaydaftbnruwgzjomv4gc3lqnrss433sm45dkmbrgbsscgun"

// goldenAutoLine is the same with the answer auto.
const goldenAutoLine = "costream2-abqacaabaibqibiga4eascqlbqgq4dyqcejbgfavcylrqgi2dmob2hq7byytsmrogaxdelrxhi2tambqcjntembqge5giyryhi5doxj2guydamawmfwgsy3ffzsxqylnobwgkltpojttunjqgeyosx4kzu"

// TestInviteLine holds the format: lines of older versions must stay good.
func TestInviteLine(t *testing.T) {
	auto := fixedInvite()
	auto.Auto = true
	for _, test := range []struct {
		invite Invite
		want   string
	}{{fixedInvite(), goldenLine}, {auto, goldenAutoLine}} {
		if got := test.invite.Line(); got != test.want {
			t.Errorf("auto %t: got %s, want %s", test.invite.Auto, got, test.want)
		}
		got, err := ParseInvite(test.want)
		if err != nil {
			t.Errorf("auto %t: %v", test.invite.Auto, err)
		}
		if diff := cmp.Diff(test.invite, got); diff != "" {
			t.Errorf("auto %t (-want +got):\n%s", test.invite.Auto, diff)
		}
	}
}

// withFlags makes a line that only a newer version could.
func withFlags(flags byte) string {
	b := append([]byte{0, 0, flags}, make([]byte, 32)...)
	binary.BigEndian.PutUint16(b, uint16(len(b)+sumBytes))
	return prefix2 + strings.ToLower(alphabet.EncodeToString(append(b, sum(version2, b)...)))
}

func TestInviteRefused(t *testing.T) {
	line := fixedInvite().Line()
	middle := []byte(line)
	middle[len(line)/2] ^= 'a' ^ 'b'
	if middle[len(line)/2] == line[len(line)/2] || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz234567", rune(middle[len(line)/2])) {
		middle[len(line)/2] = 'q'
	}
	for _, test := range []struct {
		name, line string
		want       error
	}{
		{"empty", "", ErrNotInvite},
		{"something else", "hello there", ErrNotInvite},
		{"something long", strings.Repeat("x", 1<<20), ErrNotInvite},
		{"the program's name", "costream-obs pair new", ErrNotInvite},
		{"a newer version", "costream3-abcdefgh", ErrVersion},
		{"flags of a newer version", withFlags(2), ErrVersion},
		{"only the second prefix", prefix2, ErrTruncated},
		{"the second version, cut", goldenAutoLine[:60], ErrTruncated},
		{"the first version's line as the second's", prefix2 + line[len(prefix):], ErrDamaged},
		{"the beginning of the prefix", "costr", ErrTruncated},
		{"only the prefix", prefix, ErrTruncated},
		{"a half", line[:len(line)/2], ErrTruncated},
		{"all but one letter", line[:len(line)-1], ErrTruncated},
		{"a letter changed", string(middle), ErrDamaged},
		{"something after it", line + "abcdefgh", ErrDamaged},
		{"a letter that is none", line[:20] + "1" + line[21:], ErrDamaged},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseInvite(test.line)
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

// TestInviteEveryLetterCounts cuts the line everywhere and changes each letter.
func TestInviteEveryLetterCounts(t *testing.T) {
	line := fixedInvite().Line()
	for n := range line {
		if _, err := ParseInvite(line[:n]); err == nil {
			t.Errorf("cut after %d letters: got no error, want one", n)
		} else if n > 0 && !errors.Is(err, ErrTruncated) {
			t.Errorf("cut after %d letters: got %v, want %v", n, err, ErrTruncated)
		}
		changed := []byte(line)
		changed[n] = 'z'
		if line[n] == 'z' {
			changed[n] = 'y'
		}
		if i, err := ParseInvite(string(changed)); err == nil && i.Secret != fixedInvite().Secret {
			t.Errorf("letter %d changed: got another secret, want an error", n)
		}
	}
}

func TestNewInviteRefuses(t *testing.T) {
	for _, addresses := range [][]string{
		{"192.0.2.7"}, {":5000"}, {"host:0"}, {"host:65536"}, {"ho st:5000"}, {"höst:5000"},
		{strings.Repeat("a", 300) + ":5000"}, strings.Fields(strings.Repeat("a:1 ", 9)),
	} {
		if _, err := NewInvite(addresses); err == nil {
			t.Errorf("%q: got no error, want one", addresses)
		}
	}
}

func TestSecretIsNotPrinted(t *testing.T) {
	i := fixedInvite()
	var log strings.Builder
	timeless := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: timeless})).Info("test", "secret", i.Secret)
	for _, got := range []string{fmt.Sprint(i), fmt.Sprintf("%+v %#v %s", i, i.Secret, i.Secret), log.String()} {
		if !strings.Contains(got, "[secret]") || strings.Contains(got, "0x1f") || strings.Contains(got, "31") {
			t.Errorf("got %q, want the secret hidden", got)
		}
	}
}

func FuzzParseInvite(f *testing.F) {
	for _, line := range []string{"", prefix, fixedInvite().Line(), strings.ToUpper(fixedInvite().Line()), "costream2-aaaa", "costream3-aaaa", goldenLine, goldenAutoLine} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		i, err := ParseInvite(line)
		if err != nil {
			if len(line) > 20 && strings.Contains(err.Error(), line) {
				t.Errorf("the error repeats the line: %v", err)
			}
			return
		}
		again, err := ParseInvite(i.Line())
		if err != nil {
			t.Fatalf("%q was taken, but not what it says: %v", line, err)
		}
		if diff := cmp.Diff(i, again); diff != "" {
			t.Errorf("%q (-first +again):\n%s", line, diff)
		}
	})
}

// FuzzAddresses tries what only one who can make a checksum can send.
func FuzzAddresses(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x04h:50"))
	f.Add([]byte("\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		found, err := addresses(b)
		if err == nil && len(found) > maxAddresses {
			t.Errorf("got %d addresses, want at most %d", len(found), maxAddresses)
		}
	})
}
