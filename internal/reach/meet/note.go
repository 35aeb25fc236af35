// SPDX-License-Identifier: Apache-2.0

package meet

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"

	"github.com/costream-obs/costream-obs/internal/reach/dht"
)

// Secret is what the keys of one side's notes follow from. Both sides know both. It prints as "[secret]".
type Secret [32]byte

func (Secret) String() string               { return "[secret]" }
func (Secret) GoString() string             { return "[secret]" }
func (Secret) LogValue() slog.Value         { return slog.StringValue("[secret]") }
func (Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

const (
	noteVersion = 1

	// A note is always of the same size, so that its length says nothing: 2 bytes, the candidates and room for what a
	// later version adds.
	candidateBytes = 1 + 16 + 2
	plainBytes     = 384
	sealBytes      = 12 + 16 // nonce and tag
	noteBytes      = plainBytes + sealBytes
)

// keys are those of one side for one day.
type keys struct {
	day  string // as 2006-01-02, UTC
	sign ed25519.PrivateKey
	seal cipher.AEAD
}

func newKeys(s Secret, day string) keys {
	seed := derive(s, day, "sign", ed25519.SeedSize)
	block, err := aes.NewCipher(derive(s, day, "seal", 32))
	if err != nil {
		panic("meet: " + err.Error()) // only for keys of another length
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("meet: " + err.Error()) // only for ciphers with other blocks
	}
	return keys{day, ed25519.NewKeyFromSeed(seed), seal}
}

func derive(s Secret, day, purpose string, n int) []byte {
	key, err := hkdf.Key(sha256.New, s[:], nil, fmt.Sprintf("costream-obs/meeting/%d/%s/%s", noteVersion, day, purpose), n)
	if err != nil {
		panic("meet: " + err.Error()) // only for lengths beyond 8160 bytes
	}
	return key
}

// public is the key under which the notes are stored.
func (k keys) public() [32]byte { return [32]byte(k.sign.Public().(ed25519.PublicKey)) }

// bound is what a sealed note is tied to beside its keys.
func (k keys) bound(seq int64) []byte {
	return binary.BigEndian.AppendUint64([]byte(k.day+"/"), uint64(seq))
}

// write makes the item of a note.
func (k keys) write(seq int64, candidates []Candidate) (dht.Item, error) {
	chosen := choose(candidates)
	plain := append(make([]byte, 0, plainBytes), noteVersion, byte(len(chosen)))
	for _, c := range chosen {
		addr := c.Addr.Addr().As16()
		plain = append(append(plain, byte(c.Kind)), addr[:]...)
		plain = binary.BigEndian.AppendUint16(plain, c.Addr.Port())
	}
	return dht.NewItem(k.sign, seq, k.seal.Seal(nil, nil, plain[:plainBytes], k.bound(seq)))
}

// read returns what is in a note whose signature was checked. A note that our friend's program did not seal for this day
// and seq is none. Addresses that may not be in a note are left out, and so are kinds that this version does not know.
func (k keys) read(item dht.Item) ([]Candidate, bool) {
	if len(item.Value) != noteBytes || item.Key != k.public() {
		return nil, false
	}
	plain, err := k.seal.Open(nil, nil, item.Value, k.bound(item.Seq))
	if err != nil || plain[0] != noteVersion || plain[1] > MaxCandidates {
		return nil, false
	}
	var all []Candidate
	for b := plain[2:][:int(plain[1])*candidateBytes]; len(b) > 0; b = b[candidateBytes:] {
		addr := netip.AddrFrom16([16]byte(b[1:17])).Unmap()
		all = append(all, Candidate{netip.AddrPortFrom(addr, binary.BigEndian.Uint16(b[17:])), Kind(b[0])})
	}
	return choose(all), true
}
