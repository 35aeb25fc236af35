// SPDX-License-Identifier: Apache-2.0

package pairing

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"unicode"
)

// Invite is what the line holds.
type Invite struct {
	Secret    Secret
	Addresses []string // where the inviter may be found, as host:port
	// Auto is the inviter's answer: more than the peer may be asked, so that the two machines find each other. Invites of
	// before there was a question say no.
	Auto bool
}

// What is wrong with a line that is no valid invite.
var (
	ErrNotInvite = errors.New("this is not an invite; an invite begins with " + prefix + " or " + prefix2 + " and is printed by: costream-obs pair new")
	ErrVersion   = errors.New("the invite was made by a newer costream-obs; install the same version on both machines")
	ErrTruncated = errors.New("the end of the invite is missing; copy the whole line")
	ErrDamaged   = errors.New("the invite was changed on the way: its checksum is wrong; copy it again")
)

// A line begins with the version of its format. A costream-obs that knows only the first one cannot read an invite with such
// an answer, and says that it is too old.
const (
	family     = "costream"
	version    = "1" // also of what follows from the secret
	prefix     = family + version + "-"
	version2   = "2" // one more byte, before the secret: flags
	prefix2    = family + version2 + "-"
	flagAuto   = 1
	knownFlags = flagAuto

	// maxLine is far above the longest line that New makes, and bounds the work on what is no line at all.
	maxLine = 4096

	maxAddresses = 8
	maxAddress   = 255 // one byte holds the length
	lengthBytes  = 2
	sumBytes     = 4
	leastBytes   = lengthBytes + len(Secret{}) + sumBytes
)

// alphabet is base32 because it has no case to lose and no characters that end a word when it is selected.
var alphabet = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewInvite returns an invite with a new secret.
func NewInvite(addresses []string) (Invite, error) {
	if len(addresses) > maxAddresses {
		return Invite{}, fmt.Errorf("%d addresses are too many: an invite has room for %d", len(addresses), maxAddresses)
	}
	for _, a := range addresses {
		if err := checkAddress(a); err != nil {
			return Invite{}, err
		}
	}
	return Invite{Secret: NewSecret(), Addresses: addresses}, nil
}

// Line is the invite as one word to copy and paste. It gives the secret away.
func (i Invite) Line() string {
	b, begins, format := make([]byte, lengthBytes, 128), prefix, version
	if i.Auto {
		b, begins, format = append(b, flagAuto), prefix2, version2
	}
	b = append(b, i.Secret[:]...)
	for _, a := range i.Addresses {
		b = append(append(b, byte(len(a))), a...)
	}
	binary.BigEndian.PutUint16(b, uint16(len(b)+sumBytes))
	return begins + strings.ToLower(alphabet.EncodeToString(append(b, sum(format, b)...)))
}

// ParseInvite reads a line. White space, quotes and upper case that it picked up on its way do no harm. Errors match
// ErrNotInvite, ErrVersion, ErrTruncated or ErrDamaged and do not repeat the line, which holds a secret.
func ParseInvite(line string) (Invite, error) {
	if len(line) > maxLine {
		return Invite{}, ErrNotInvite
	}
	text := strings.ToLower(strip(line))
	format := version
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok {
		if rest, ok = strings.CutPrefix(text, prefix2); !ok {
			return Invite{}, notOurs(text)
		}
		format = version2
	}
	b, err := alphabet.DecodeString(strings.ToUpper(rest))
	if err != nil {
		// A line that was cut in the middle of a byte is no base32 any more.
		if b, err = alphabet.DecodeString(strings.ToUpper(rest[:len(rest)/8*8])); err != nil {
			return Invite{}, ErrDamaged
		}
	}
	if len(b) < leastBytes {
		return Invite{}, ErrTruncated
	}
	body := b[:len(b)-sumBytes]
	if length := int(binary.BigEndian.Uint16(b)); string(sum(format, body)) != string(b[len(body):]) || length != len(b) {
		if length > len(b) && length <= maxLine {
			return Invite{}, ErrTruncated
		}
		return Invite{}, ErrDamaged
	}
	var i Invite
	body = body[lengthBytes:]
	if format == version2 {
		flags := body[0]
		if body = body[1:]; flags&^knownFlags != 0 {
			return Invite{}, ErrVersion
		}
		i.Auto = flags&flagAuto != 0
		if len(body) < len(i.Secret) {
			return Invite{}, ErrDamaged
		}
	}
	copy(i.Secret[:], body)
	if i.Addresses, err = addresses(body[len(i.Secret):]); err != nil {
		return Invite{}, err
	}
	return i, nil
}

// notOurs tells a newer version's line, and the beginning of ours, from something else.
func notOurs(text string) error {
	if text != "" && (strings.HasPrefix(prefix, text) || strings.HasPrefix(prefix2, text)) {
		return ErrTruncated
	}
	rest, ok := strings.CutPrefix(text, family)
	number, _, dash := strings.Cut(rest, "-")
	if _, err := strconv.ParseUint(number, 10, 16); ok && dash && err == nil {
		return ErrVersion
	}
	return ErrNotInvite
}

// addresses reads the rest of an invite whose checksum is right.
func addresses(b []byte) ([]string, error) {
	var found []string
	for len(b) > 0 {
		n := int(b[0])
		if b = b[1:]; n > len(b) || len(found) == maxAddresses {
			return nil, ErrDamaged
		}
		if checkAddress(string(b[:n])) != nil {
			return nil, ErrDamaged
		}
		found = append(found, string(b[:n]))
		b = b[n:]
	}
	return found, nil
}

func checkAddress(s string) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" {
		return fmt.Errorf("%q is not an address with a port, such as example.org:5000 or [2001:db8::1]:5000", s)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("%q: the port must be from 1 to 65535", s)
	}
	if len(s) > maxAddress {
		return fmt.Errorf("%q: the address is longer than %d letters", s, maxAddress)
	}
	for _, r := range s {
		if r > unicode.MaxASCII || !unicode.IsPrint(r) || r == ' ' {
			return fmt.Errorf("%q: %q cannot be in an address", s, r)
		}
	}
	return nil
}

func sum(format string, b []byte) []byte {
	h := sha256.Sum256(append([]byte("costream-obs invite "+format+"\x00"), b...))
	return h[:sumBytes]
}

// strip removes what mail and chat programs put into and around a line.
func strip(line string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune("`'\"<>*“”‘’«»", r) {
			return -1
		}
		return r
	}, line)
}
