// SPDX-License-Identifier: Apache-2.0

package ice

import (
	"crypto/rand"
	"encoding/binary"
	"net/netip"

	"github.com/pion/stun/v3"
)

// maxCheck bounds the length of a datagram that is taken for a check; ours have 128 bytes at most.
const maxCheck = 256

// attrInstances carries the sender's instance and the one that the sender knows of the receiver. Its type is of those
// that others ignore (RFC 8489, 14).
const attrInstances stun.AttrType = 0xc0b5

// attrRelayed is in responses that leave through a relay of the sender's.
const attrRelayed stun.AttrType = 0xc0b7

// checkPriority is what ICE has for a peer-reflexive candidate of the only component (RFC 8445, 5.1.2.1).
const checkPriority = 110<<24 | 65535<<8 | 255

// instance is one offer of a side to start a DTLS session. It is random, never 0, and new when the side was restarted or
// has given up a session: so the peer knows that the session which it still has is worth nothing any more.
type instance uint64

func newInstance() instance {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return instance(binary.BigEndian.Uint64(b[:]) | 1)
}

// transaction ties a response to the request that it answers. Nobody but the peer could make one for a transaction of
// ours, and none can be used twice.
type transaction = [stun.TransactionIDSize]byte

func newTransaction() (t transaction) {
	_, _ = rand.Read(t[:]) // never fails
	return t
}

// check is a STUN binding request or response as ICE has it: it asks whether the peer is at an address, or says so.
type check struct {
	response    bool
	transaction transaction
	from        instance // of who sends it
	knows       instance // of the receiver, as far as the sender knows; 0 when not at all
	relayed     bool     // of a response: it comes from the sender's address at a relay
}

// checker writes and reads checks. Its methods are for one goroutine, except encode.
type checker struct {
	id      *Credentials
	scratch stun.Message
}

// encode returns a check as a datagram. A response tells the peer which address its request came from.
func (c *checker) encode(k check, seen netip.AddrPort) ([]byte, error) {
	instances := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(k.from)), uint64(k.knows))
	attributes := []stun.Setter{stun.NewTransactionIDSetter(k.transaction)}
	password := c.id.PeerPassword
	if k.response {
		password = c.id.Password
		attributes = append(attributes, stun.BindingSuccess,
			&stun.XORMappedAddress{IP: seen.Addr().AsSlice(), Port: int(seen.Port())})
		if k.relayed {
			attributes = append(attributes, stun.RawAttribute{Type: attrRelayed})
		}
	} else {
		role := stun.AttrICEControlled
		if c.id.Controlling {
			role = stun.AttrICEControlling
		}
		attributes = append(attributes, stun.BindingRequest,
			stun.NewUsername(c.id.PeerName+":"+c.id.Name),
			stun.RawAttribute{Type: stun.AttrPriority, Value: binary.BigEndian.AppendUint32(nil, checkPriority)},
			stun.RawAttribute{Type: role, Value: instances[:8]}) // the tie-breaker, which nothing depends on
	}
	attributes = append(attributes, stun.RawAttribute{Type: attrInstances, Value: instances},
		stun.NewShortTermIntegrity(password), stun.Fingerprint)
	m, err := stun.Build(attributes...)
	if err != nil {
		return nil, err
	}
	return m.Raw, nil
}

// decode reads a datagram and tells whether it is a check that the peer made. It may be a repeated one.
func (c *checker) decode(datagram []byte) (check, bool) {
	m := &c.scratch
	if len(datagram) > maxCheck || !stun.IsMessage(datagram) {
		return check{}, false
	}
	if _, err := m.Write(datagram); err != nil {
		return check{}, false
	}
	k := check{transaction: m.TransactionID}
	password := c.id.Password
	switch m.Type {
	case stun.BindingRequest:
		if name, err := m.Get(stun.AttrUsername); err != nil || string(name) != c.id.Name+":"+c.id.PeerName {
			return check{}, false
		}
	case stun.BindingSuccess:
		k.response, password = true, c.id.PeerPassword
		k.relayed = m.Contains(attrRelayed)
	default:
		return check{}, false
	}
	// What follows the integrity attribute is not covered by it, so it must stand at its place.
	n := len(m.Attributes)
	if n < 3 || m.Attributes[n-1].Type != stun.AttrFingerprint || m.Attributes[n-2].Type != stun.AttrMessageIntegrity ||
		m.Attributes[n-3].Type != attrInstances || len(m.Attributes[n-3].Value) != 16 {
		return check{}, false
	}
	instances := m.Attributes[n-3].Value
	k.from = instance(binary.BigEndian.Uint64(instances))
	k.knows = instance(binary.BigEndian.Uint64(instances[8:]))
	if k.from == 0 || stun.NewShortTermIntegrity(password).Check(m) != nil {
		return check{}, false
	}
	return k, true
}
