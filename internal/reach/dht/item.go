// SPDX-License-Identifier: Apache-2.0

package dht

import (
	"crypto/ed25519"
	"crypto/sha1" // BEP 44 names items so; nothing rests on it
	"fmt"

	"github.com/costream-obs/costream-obs/internal/reach/dht/bencode"
)

// MaxValue is how long the value of an item may be, with room for the length in front of it: BEP 44 allows 1000 bytes in
// encoded form.
const MaxValue = 996

// Item is a mutable item without salt: the newest value that the owner of a key has signed.
type Item struct {
	Key       [keyBytes]byte
	Seq       int64 // rises with each value
	Value     []byte
	Signature [sigBytes]byte
}

// NewItem signs a value. It fails for one longer than MaxValue and for a negative seq.
func NewItem(key ed25519.PrivateKey, seq int64, value []byte) (Item, error) {
	if len(value) > MaxValue || seq < 0 {
		return Item{}, fmt.Errorf("dht: an item of %d bytes with seq %d: at most %d bytes and a seq from 0 can be stored", len(value), seq, MaxValue)
	}
	item := Item{Key: [keyBytes]byte(key.Public().(ed25519.PublicKey)), Seq: seq, Value: value}
	item.Signature = [sigBytes]byte(ed25519.Sign(key, signed(seq, value)))
	return item, nil
}

// valid tells whether the owner of the key has signed the item.
func (i Item) valid() bool {
	return ed25519.Verify(i.Key[:], signed(i.Seq, i.Value), i.Signature[:])
}

// signed is what the signature of an item covers.
func signed(seq int64, value []byte) []byte {
	b := append(make([]byte, 0, 40+len(value)), "3:seq"...)
	b = bencode.AppendInt(b, seq)
	b = append(b, "1:v"...)
	return bencode.AppendString(b, value)
}

// target is where the items of a key are stored.
func target(key [keyBytes]byte) ID { return sha1.Sum(key[:]) }
