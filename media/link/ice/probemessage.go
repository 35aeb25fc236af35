// SPDX-License-Identifier: Apache-2.0

package ice

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
)

// ProbeVersion is that of what peers say to each other on a secure link. It changes when an older version would not
// understand a newer one any more.
const ProbeVersion = 1

// attrProbe makes a binding request a probe, or tells the answer to one. Like attrInstances its type is of those that
// others ignore.
const attrProbe stun.AttrType = 0xc0b6

// Sizes of the headers of UDP and IP, in bytes.
const (
	headers4 = 28
	headers6 = 48
)

// maxProbe bounds the length of a datagram that is taken for a probe: the largest of sizesTried.
const maxProbe = 1500 - headers4

// probe is a question whether and how well datagrams get to the peer and back, or the answer to one. Unlike a check it
// begins nothing, so it is answered on air and off air alike.
type probe struct {
	response    bool
	transaction transaction
	version     uint8
	size        int  // of the datagram; a response is as long as its request, so nobody can make us send more than he does
	padded      bool // it is longer than need be

	// Of responses alone:
	heard uint32         // requests without padding that the sender has taken in so far, this one among them
	clock time.Time      // the sender's
	seen  netip.AddrPort // where the request came from
}

// probeValue is the least length of the attribute: version, three bytes of nothing, heard, clock as Unix time in
// nanoseconds. What follows pads.
const probeValue = 16

// encodeProbe returns a probe as a datagram of the size that it names, or of the smallest one that there is for a request
// where it names none. It returns nil when there is no message of that size.
func (id *Credentials) encodeProbe(p probe) []byte {
	value := make([]byte, probeValue)
	value[0] = p.version
	head := []stun.Setter{stun.NewTransactionIDSetter(p.transaction)}
	password := id.PeerPassword
	if p.response {
		binary.BigEndian.PutUint32(value[4:], p.heard)
		binary.BigEndian.PutUint64(value[8:], uint64(p.clock.UnixNano()))
		password = id.Password
		head = append(head, stun.BindingSuccess, &stun.XORMappedAddress{IP: p.seen.Addr().AsSlice(), Port: int(p.seen.Port())})
	} else {
		head = append(head, stun.BindingRequest, stun.NewUsername(id.PeerName+":"+id.Name))
	}
	build := func() []byte {
		m, err := stun.Build(append(head, stun.RawAttribute{Type: attrProbe, Value: value},
			stun.NewShortTermIntegrity(password), stun.Fingerprint)...)
		if err != nil {
			return nil
		}
		return m.Raw
	}
	b := build()
	if missing := p.size - len(b); b != nil && p.size > 0 && missing != 0 {
		if missing < 0 || missing%4 != 0 {
			return nil
		}
		value = append(value, make([]byte, missing)...)
		b = build()
	}
	return b
}

// origin tells who made a message.
type origin int

const (
	unknown    origin = iota
	ofPeer            // it was made with the peer's key
	ofStranger        // it is of a costream-obs that has another key
	ofOwnSide         // it was made with our own key: this machine hears itself, or another one has our side of the pair
)

// decodeProbe reads a datagram. It returns a probe only where that is the peer's.
func (id *Credentials) decodeProbe(datagram []byte, m *stun.Message) (probe, origin) {
	if len(datagram) > maxProbe || !stun.IsMessage(datagram) {
		return probe{}, unknown
	}
	if _, err := m.Write(datagram); err != nil {
		return probe{}, unknown
	}
	// As in checks, nothing stands behind the integrity attribute but the fingerprint.
	n := len(m.Attributes)
	if n < 3 || m.Attributes[n-1].Type != stun.AttrFingerprint || m.Attributes[n-2].Type != stun.AttrMessageIntegrity {
		return probe{}, unknown
	}
	last := m.Attributes[n-3]
	p := probe{transaction: m.TransactionID, size: len(datagram)}
	password := id.Password
	switch m.Type {
	case stun.BindingRequest:
		name, err := m.Get(stun.AttrUsername)
		switch {
		case err != nil || last.Type != attrProbe && last.Type != attrInstances || stun.Fingerprint.Check(m) != nil:
			return probe{}, unknown
		case string(name) == id.PeerName+":"+id.Name:
			return probe{}, ofOwnSide
		case string(name) != id.Name+":"+id.PeerName:
			return probe{}, ofStranger
		}
	case stun.BindingSuccess:
		var at stun.XORMappedAddress
		if at.GetFrom(m) != nil {
			return probe{}, unknown
		}
		addr, _ := netip.AddrFromSlice(at.IP)
		p.response, p.seen, password = true, netip.AddrPortFrom(addr.Unmap(), uint16(at.Port)), id.PeerPassword
	default:
		return probe{}, unknown
	}
	if last.Type != attrProbe || len(last.Value) < probeValue || stun.NewShortTermIntegrity(password).Check(m) != nil {
		return probe{}, unknown
	}
	p.version, p.padded = last.Value[0], len(last.Value) > probeValue
	p.heard = binary.BigEndian.Uint32(last.Value[4:])
	p.clock = time.Unix(0, int64(binary.BigEndian.Uint64(last.Value[8:])))
	return p, ofPeer
}
