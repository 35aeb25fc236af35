// SPDX-License-Identifier: Apache-2.0

package dht

import (
	"encoding/binary"
	"net/netip"

	"github.com/costream-obs/costream-obs/internal/reach/dht/bencode"
)

const (
	idBytes  = len(ID{})
	keyBytes = 32 // an Ed25519 key
	sigBytes = 64

	// maxToken is far above the tokens of today's programs, which have 4 to 20 bytes.
	maxToken = 64
	// maxNodes is how many contacts of one answer are looked at. Honest answers name 8 of each family.
	maxNodes = 16

	compact4 = 26 // ID, IPv4 address and port
	compact6 = 38
)

// appendHead appends a question up to its arguments after "id".
func appendHead(b []byte, id ID) []byte {
	b = append(b, "d1:ad2:id"...)
	return bencode.AppendString(b, id[:])
}

// appendTail appends what follows the arguments. "ro" says that we answer nothing (BEP 43).
func appendTail(b []byte, method string, transaction uint32) []byte {
	b = append(b, "e1:q"...)
	b = bencode.AppendString(b, method)
	b = append(b, "2:roi1e1:t"...)
	b = bencode.AppendString(b, binary.BigEndian.AppendUint32(nil, transaction))
	return append(b, "1:y1:qe"...)
}

// appendQuestion appends a question for what is near a target: "get" for the item and nodes, "find_node" for nodes. With
// both, contacts of both families are asked for.
func appendQuestion(b []byte, id ID, transaction uint32, method string, target ID, both bool) []byte {
	b = appendHead(b, id)
	b = append(b, "6:target"...)
	b = bencode.AppendString(b, target[:])
	if both {
		b = append(b, "4:wantl2:n42:n6e"...)
	}
	return appendTail(b, method, transaction)
}

// appendPut appends the request to store an item.
func appendPut(b []byte, id ID, transaction uint32, token []byte, item Item) []byte {
	b = appendHead(b, id)
	b = append(b, "1:k"...)
	b = bencode.AppendString(b, item.Key[:])
	b = append(b, "3:seq"...)
	b = bencode.AppendInt(b, item.Seq)
	b = append(b, "3:sig"...)
	b = bencode.AppendString(b, item.Signature[:])
	b = append(b, "5:token"...)
	b = bencode.AppendString(b, token)
	b = append(b, "1:v"...)
	b = bencode.AppendString(b, item.Value)
	return appendTail(b, "put", transaction)
}

// answer is what a node sent back. Its slices refer to the datagram.
type answer struct {
	transaction uint32
	code        int64 // of an error; 0 for none
	id          ID
	outer       netip.AddrPort // our address as the node sees it (BEP 42); invalid when it does not say
	nodes       []Node
	token       []byte
	item        bool // whether the rest is set
	seq         int64
	sig, value  []byte
}

// parseAnswer reads an answer. Questions, and what is malformed, are none.
func parseAnswer(b []byte) (answer, bool) {
	m, err := bencode.Decode(b)
	if err != nil {
		return answer{}, false
	}
	t := m.Get("t").Str
	if len(t) != 4 {
		return answer{}, false
	}
	a := answer{transaction: binary.BigEndian.Uint32(t), outer: addrPort(m.Get("ip").Str)}
	switch string(m.Get("y").Str) {
	case "e":
		e := m.Get("e").Items
		if len(e) == 0 || e[0].Int <= 0 {
			return answer{}, false
		}
		a.code = e[0].Int
		return a, true
	case "r":
	default:
		return answer{}, false
	}
	r := m.Get("r")
	id := r.Get("id").Str
	if len(id) != idBytes {
		return answer{}, false
	}
	a.id = ID(id)
	a.nodes = appendNodes(a.nodes, r.Get("nodes").Str, compact4)
	a.nodes = appendNodes(a.nodes, r.Get("nodes6").Str, compact6)
	if token := r.Get("token").Str; len(token) <= maxToken {
		a.token = token
	}
	seq, sig, value := r.Get("seq"), r.Get("sig").Str, r.Get("v")
	if seq.Kind == bencode.Integer && seq.Int >= 0 && len(sig) == sigBytes && value.Kind == bencode.String && len(value.Str) <= MaxValue {
		a.item, a.seq, a.sig, a.value = true, seq.Int, sig, value.Str
	}
	return a, true
}

// appendNodes reads a list of nodes of one size. A list with a remainder is not believed at all.
func appendNodes(nodes []Node, b []byte, size int) []Node {
	if len(b)%size != 0 {
		return nodes
	}
	for n := 0; len(b) > 0 && n < maxNodes; n++ {
		nodes = append(nodes, Node{ID(b[:idBytes]), addrPort(b[idBytes:size])})
		b = b[size:]
	}
	return nodes
}

// addrPort reads an address of 6 or 18 bytes.
func addrPort(b []byte) netip.AddrPort {
	n := len(b) - 2
	if n != 4 && n != 16 {
		return netip.AddrPort{}
	}
	addr, _ := netip.AddrFromSlice(b[:n])
	return netip.AddrPortFrom(addr.Unmap(), binary.BigEndian.Uint16(b[n:]))
}
