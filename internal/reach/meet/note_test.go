// SPDX-License-Identifier: Apache-2.0

package meet

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/costream-obs/costream-obs/internal/reach/dht"
)

var plain = cmpopts.EquateComparable(netip.AddrPort{})

const today = "2026-11-30"

func fixedSecret() Secret {
	var s Secret
	for i := range s {
		s[i] = byte(i)
	}
	return s
}

func candidate(kind Kind, addr string) Candidate {
	return Candidate{netip.MustParseAddrPort(addr), kind}
}

func write(t *testing.T, k keys, seq int64, c []Candidate) dht.Item {
	t.Helper()
	item, err := k.write(seq, c)
	if err != nil {
		t.Fatal(err)
	}
	return item
}

const goldenPublic = "5240a91fb16ae013766d324e64e226ae8a161129ce29b8abf94948020d1794b8"

// TestDerivationIsStable holds the keys and the form of a note, without which two versions would not find each other.
func TestDerivationIsStable(t *testing.T) {
	k := newKeys(fixedSecret(), today)
	public := k.public()
	if got := hex.EncodeToString(public[:]); got != goldenPublic {
		t.Errorf("public key: got %s, want %s", got, goldenPublic)
	}
	want := []Candidate{candidate(Outer, "198.51.100.7:5000")}
	text, err := os.ReadFile("testdata/note.hex") // sealed once, with a random nonce
	if err != nil {
		t.Fatal(err)
	}
	value, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	got, ok := k.read(dht.Item{Key: public, Seq: 42, Value: value})
	if diff := cmp.Diff(want, got, plain); diff != "" || !ok {
		t.Errorf("read: %v (-want +got):\n%s\na note of today: %x", ok, diff, write(t, k, 42, want).Value)
	}
}

func TestKeysDiffer(t *testing.T) {
	other := fixedSecret()
	other[0]++
	seen := make(map[[32]byte]string)
	for name, k := range map[string]keys{
		"today": newKeys(fixedSecret(), today), "tomorrow": newKeys(fixedSecret(), "2026-12-01"), "the other role": newKeys(other, today),
	} {
		if before := seen[k.public()]; before != "" {
			t.Errorf("%s has the key of %s", name, before)
		}
		seen[k.public()] = name
	}
}

func TestNote(t *testing.T) {
	k := newKeys(fixedSecret(), today)
	good := []Candidate{
		candidate(Host, "[2001:db8::1]:5000"), candidate(Outer, "198.51.100.7:40000"), candidate(Mapped, "198.51.100.7:5000"),
		candidate(Relayed, "203.0.113.9:49152"), candidate(LAN, "192.168.1.2:5000"), candidate(LAN, "[fd00::2]:5000"),
		candidate(LAN, "100.64.3.4:5000"), candidate(LAN, "10.1.2.3:5000"),
	}
	var many []Candidate
	for i := range 30 {
		many = append(many, candidate(LAN, fmt.Sprintf("192.168.1.2:%d", 5000+i)))
	}
	bad := func(addr string) []Candidate { return []Candidate{candidate(Host, addr)} }
	for _, tc := range []struct {
		name     string
		in, want []Candidate
	}{
		{"all kinds", good, good},
		{"none", nil, nil},
		{"too many", many, many[:MaxCandidates]},
		{"twice the same", []Candidate{good[1], {good[1].Addr, Mapped}}, good[1:2]},
		{"IPv4 in IPv6", bad("[::ffff:198.51.100.7]:5000"), bad("198.51.100.7:5000")},
		{"an unknown kind", []Candidate{{good[0].Addr, 7}, {good[0].Addr, 0}}, nil},
		{"loopback", append(bad("127.0.0.1:5000"), bad("[::1]:5000")...), nil},
		{"multicast", append(bad("224.0.0.1:5000"), bad("[ff02::1]:5000")...), nil},
		{"broadcast", bad("255.255.255.255:5000"), nil},
		{"reserved", append(bad("240.0.0.1:5000"), bad("0.1.2.3:5000")...), nil},
		{"unspecified", append(bad("0.0.0.0:5000"), bad("[::]:5000")...), nil},
		{"link-local", append(bad("169.254.1.1:5000"), bad("[fe80::1]:5000")...), nil},
		{"with a zone", bad("[fe80::1%eth0]:5000"), nil},
		{"port 0", bad("198.51.100.7:0"), nil},
		{"no address", []Candidate{{Kind: Host}}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			item := write(t, k, 3, tc.in)
			if len(item.Value) != noteBytes || noteBytes >= 1000 {
				t.Errorf("the note has %d bytes, want %d whatever it says", len(item.Value), noteBytes)
			}
			got, ok := k.read(item)
			if diff := cmp.Diff(tc.want, got, plain); diff != "" || !ok {
				t.Errorf("read: %v (-want +got):\n%s", ok, diff)
			}
		})
	}
}

// TestSealedNonsense has a note that only our friend's program can have sealed say what it may not.
func TestSealedNonsense(t *testing.T) {
	k := newKeys(fixedSecret(), today)
	seal := func(text []byte) dht.Item {
		return dht.Item{Key: k.public(), Seq: 1, Value: k.seal.Seal(nil, nil, text, k.bound(1))}
	}
	text := func(change func(b []byte)) []byte {
		b := make([]byte, plainBytes)
		b[0] = noteVersion
		change(b)
		return b
	}
	for name, b := range map[string][]byte{
		"another version":     text(func(b []byte) { b[0] = 2 }),
		"too many candidates": text(func(b []byte) { b[1] = MaxCandidates + 1 }),
		"short":               text(func([]byte) {})[:10],
		"empty":               {},
	} {
		if got, ok := k.read(seal(b)); ok {
			t.Errorf("%s: got %v", name, got)
		}
	}
	loopback := text(func(b []byte) {
		b[1], b[2] = 1, byte(Host)
		copy(b[3:], netip.IPv6Loopback().AsSlice())
		b[20] = 1
	})
	if got, ok := k.read(seal(loopback)); !ok || len(got) != 0 {
		t.Errorf("loopback: got %v %v, want a note without addresses", got, ok)
	}
}

// TestForeignNotes changes each byte of a note, and puts it where it does not belong.
func TestForeignNotes(t *testing.T) {
	k := newKeys(fixedSecret(), today)
	good := write(t, k, 3, []Candidate{candidate(Outer, "198.51.100.7:5000")})
	for i := range good.Value {
		item := good
		item.Value = slices.Clone(good.Value)
		item.Value[i] ^= 1
		if _, ok := k.read(item); ok {
			t.Errorf("a note with byte %d changed was read", i)
		}
	}
	other := fixedSecret()
	other[0]++
	tomorrow, role := newKeys(fixedSecret(), "2026-12-01"), newKeys(other, today)
	item := func(change func(*dht.Item)) dht.Item {
		i := good
		change(&i)
		return i
	}
	for name, tc := range map[string]struct {
		k keys
		i dht.Item
	}{
		"of another day":    {tomorrow, item(func(i *dht.Item) { i.Key = tomorrow.public() })},
		"of the other role": {role, item(func(i *dht.Item) { i.Key = role.public() })},
		"under another key": {role, good},
		"with another seq":  {k, item(func(i *dht.Item) { i.Seq++ })},
		"too short":         {k, item(func(i *dht.Item) { i.Value = i.Value[:len(i.Value)-1] })},
		"too long":          {k, item(func(i *dht.Item) { i.Value = append(slices.Clone(i.Value), 0) })},
		"empty":             {k, item(func(i *dht.Item) { i.Value = nil })},
	} {
		if got, ok := tc.k.read(tc.i); ok {
			t.Errorf("a note %s was read: %v", name, got)
		}
	}
}

func TestSecretIsHidden(t *testing.T) {
	s := fixedSecret()
	text, err := s.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []string{fmt.Sprintf("%v %+v %#v %s", s, s, s, s), string(text), s.LogValue().String()} {
		if !strings.Contains(got, "[secret]") || strings.Contains(got, "1f") {
			t.Errorf("got %q, want the secret hidden", got)
		}
	}
}

func TestKindString(t *testing.T) {
	var got []string
	for k := range Kind(8) {
		got = append(got, k.String())
	}
	if diff := cmp.Diff([]string{"unknown", "host", "outer", "mapped", "relayed", "LAN", "changing", "unknown"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzRead reads values of strangers, and texts that were sealed properly.
func FuzzRead(f *testing.F) {
	k := newKeys(fixedSecret(), today)
	f.Add([]byte{}, int64(0))
	f.Add(make([]byte, noteBytes), int64(1))
	f.Add(slices.Concat([]byte{1, 1, 1}, make([]byte, plainBytes-3)), int64(2))
	f.Add(slices.Concat([]byte{1, 16}, slices.Repeat([]byte{2, 0x20, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 19, 136}, 16), make([]byte, plainBytes-2-16*19)), int64(3))
	f.Fuzz(func(t *testing.T, b []byte, seq int64) {
		if got, ok := k.read(dht.Item{Key: k.public(), Seq: seq, Value: b}); ok {
			t.Errorf("%x was read: %v", b, got)
		}
		got, _ := k.read(dht.Item{Key: k.public(), Seq: seq, Value: k.seal.Seal(nil, nil, b, k.bound(seq))})
		if len(got) > MaxCandidates {
			t.Errorf("%x: got %d candidates", b, len(got))
		}
		for _, c := range got {
			a := c.Addr.Addr()
			if c.Addr.Port() == 0 || a.IsLoopback() || a.IsMulticast() || a.IsUnspecified() || a.IsLinkLocalUnicast() || a.Is4In6() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
				t.Errorf("%x: got %v", b, c)
			}
		}
	})
}
