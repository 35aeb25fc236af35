// SPDX-License-Identifier: Apache-2.0

package portmap

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"
)

// The codec of NAT-PMP, the NAT Port Mapping Protocol (RFC 6886).

const (
	opExternal = 0 // asks for the router's address
	opMapUDP   = 1
)

func natpmpExternalRequest() []byte { return []byte{0, opExternal} }

// natpmpMapRequest asks for a mapping; a lifetime of 0 deletes it.
func natpmpMapRequest(port, external uint16, lifetime time.Duration) []byte {
	b := make([]byte, 12)
	b[1] = opMapUDP
	binary.BigEndian.PutUint16(b[4:], port)
	binary.BigEndian.PutUint16(b[6:], external)
	binary.BigEndian.PutUint32(b[8:], uint32(lifetime/time.Second))
	return b
}

// natpmpAnswer is an answer to either question.
type natpmpAnswer struct {
	opcode byte
	result uint16 // 0 is success
	epoch  uint32

	address netip.Addr // with opExternal alone

	// With opMapUDP alone.
	port, external uint16
	lifetime       time.Duration
}

func parseNATPMP(b []byte) (natpmpAnswer, error) {
	// Routers with an old version may leave out what follows the result of a failure.
	if len(b) < 8 || len(b) > 1100 || b[0] != 0 || b[1]&opAnswer == 0 {
		return natpmpAnswer{}, errors.New("no NAT-PMP answer")
	}
	a := natpmpAnswer{opcode: b[1] &^ opAnswer, result: binary.BigEndian.Uint16(b[2:]), epoch: binary.BigEndian.Uint32(b[4:])}
	switch {
	case a.opcode == opExternal && len(b) >= 12:
		a.address = netip.AddrFrom4([4]byte(b[8:12]))
	case a.opcode == opMapUDP && len(b) >= 16:
		a.port, a.external = binary.BigEndian.Uint16(b[8:]), binary.BigEndian.Uint16(b[10:])
		a.lifetime = seconds(binary.BigEndian.Uint32(b[12:]))
	case a.result == 0:
		return natpmpAnswer{}, errors.New("a short NAT-PMP answer")
	}
	return a, nil
}

// natpmpResults names the results of RFC 6886, section 3.5.
var natpmpResults = []string{
	1: "unsupported version", 2: "not authorized", 3: "network failure", 4: "no resources", 5: "unsupported opcode",
}

func natpmpRefusal(result uint16) error {
	const networkFailure = 3
	if result == networkFailure {
		return &sharedError{} // it has no address, or miniupnpd does not use the one that it has
	}
	return refusalOf(NATPMP, natpmpResults, int(result))
}
