// SPDX-License-Identifier: Apache-2.0

package portmap

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"
)

// The codec of PCP, the Port Control Protocol (RFC 6887).

const (
	pcpVersion = 2
	pcpPort    = 5351 // NAT-PMP's, too

	pcpHeader = 24
	pcpMap    = 36 // the payload of opcode MAP

	opAnnounce = 0
	opMap      = 1
	opAnswer   = 0x80 // set in answers

	protocolUDP = 17
)

// pcpNonce tells whose mapping it is. Renewal and deletion need the same.
type pcpNonce [12]byte

// pcpRequest is a question with opcode MAP.
type pcpRequest struct {
	own       netip.Addr
	nonce     pcpNonce
	port      uint16
	suggested netip.AddrPort // what the router gave before, or the address of its kind that says nothing
	lifetime  time.Duration  // 0 deletes
}

func (r pcpRequest) marshal() []byte {
	b := make([]byte, pcpHeader+pcpMap)
	b[0], b[1] = pcpVersion, opMap
	binary.BigEndian.PutUint32(b[4:], uint32(r.lifetime/time.Second))
	own := r.own.As16()
	copy(b[8:], own[:])
	copy(b[24:], r.nonce[:])
	b[36] = protocolUDP
	binary.BigEndian.PutUint16(b[40:], r.port)
	binary.BigEndian.PutUint16(b[42:], r.suggested.Port())
	external := r.suggested.Addr().As16()
	copy(b[44:], external[:])
	return b
}

// announceRequest is the question for the epoch.
func announceRequest(own netip.Addr) []byte {
	b := make([]byte, pcpHeader)
	b[0], b[1] = pcpVersion, opAnnounce
	addr := own.As16()
	copy(b[8:], addr[:])
	return b
}

// pcpAnswer is an answer to either question.
type pcpAnswer struct {
	opcode   byte
	result   byte // 0 is success
	lifetime time.Duration
	epoch    uint32

	// With opcode MAP alone.
	nonce    pcpNonce
	protocol byte
	port     uint16
	external netip.AddrPort
}

// errVersion says that the router speaks another version: NAT-PMP perhaps.
var errVersion = errors.New("the router does not speak PCP")

func parsePCP(b []byte) (pcpAnswer, error) {
	const most = 1100
	switch {
	case len(b) >= 2 && b[0] != pcpVersion && b[1]&opAnswer != 0:
		return pcpAnswer{}, errVersion
	case len(b) < pcpHeader || len(b) > most || b[0] != pcpVersion || b[1]&opAnswer == 0:
		return pcpAnswer{}, errors.New("no PCP answer")
	}
	a := pcpAnswer{
		opcode: b[1] &^ opAnswer, result: b[3],
		lifetime: seconds(binary.BigEndian.Uint32(b[4:])), epoch: binary.BigEndian.Uint32(b[8:]),
	}
	if a.opcode != opMap {
		return a, nil
	}
	if len(b) < pcpHeader+pcpMap {
		return pcpAnswer{}, errors.New("a short PCP answer")
	}
	copy(a.nonce[:], b[24:])
	a.protocol = b[36]
	a.port = binary.BigEndian.Uint16(b[40:])
	a.external = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[44:60])).Unmap(), binary.BigEndian.Uint16(b[42:]))
	return a, nil
}

func seconds(n uint32) time.Duration { return time.Duration(n) * time.Second }

// pcpResults names the results of RFC 6887, section 7.4.
var pcpResults = []string{
	1: "unsupported version", 2: "not authorized", 3: "malformed request", 4: "unsupported opcode", 5: "unsupported option",
	6: "malformed option", 7: "network failure", 8: "no resources", 9: "unsupported protocol", 10: "quota exceeded",
	11: "cannot provide the external address", 12: "address mismatch", 13: "too many remote peers",
}

func pcpRefusal(result byte) error { return refusalOf(PCP, pcpResults, int(result)) }
