// SPDX-License-Identifier: Apache-2.0

package tally

import (
	"bytes"
	"encoding/binary"
)

// A Word is one message. On the wire it is an RTCP packet of the kind APP (RFC 3550, 6.7), which a peer that does not know it
// skips: a header with the sender's SSRC and the name, the flags of the state, Number and Heard, 32 bits each.
type Word struct {
	State
	// Number counts the states of one side, from 1 on.
	Number uint32
	// Heard is the number of the other side's newest state that has arrived; 0 while there is none.
	Heard uint32
	// Answer says that this word answers another one and needs no answer itself.
	Answer bool
}

const (
	packetType = 204
	name       = "tlly"
	wordSize   = 24

	// The subtypes, in the low bits of the first byte.
	tells   = 0
	answers = 1
)

// The flags.
const (
	onAir uint32 = 1 << iota
	peerShown
	muted
	away
)

// Append appends a word to a buffer. Its SSRC is one that the sender uses for RTCP.
func (w Word) Append(b []byte, ssrc uint32) []byte {
	subtype := byte(tells)
	if w.Answer {
		subtype = answers
	}
	b = append(b, 2<<6|subtype, packetType)
	b = binary.BigEndian.AppendUint16(b, wordSize/4-1)
	b = binary.BigEndian.AppendUint32(b, ssrc)
	b = append(b, name...)
	b = binary.BigEndian.AppendUint32(b, w.flags())
	b = binary.BigEndian.AppendUint32(b, w.Number)
	return binary.BigEndian.AppendUint32(b, w.Heard)
}

func (w Word) flags() (all uint32) {
	for flag, set := range map[uint32]bool{onAir: w.OnAir, peerShown: w.PeerShown, muted: w.Muted, away: w.Away} {
		if set {
			all |= flag
		}
	}
	return all
}

// IsWord tells whether an RTCP packet is a word, of whatever version.
func IsWord(packet []byte) bool {
	return len(packet) >= 12 && packet[0]>>6 == 2 && packet[1] == packetType && bytes.Equal(packet[8:12], []byte(name))
}

// Parse reads a word. A later version may have more flags, and more after Heard: both are skipped.
func Parse(packet []byte) (w Word, ok bool) {
	if !IsWord(packet) || len(packet) < wordSize || len(packet) != 4*(int(binary.BigEndian.Uint16(packet[2:]))+1) {
		return Word{}, false
	}
	subtype := packet[0] & 0x3f // with the bit for padding, which a word does not have
	if subtype != tells && subtype != answers {
		return Word{}, false
	}
	flags := binary.BigEndian.Uint32(packet[12:])
	w = Word{
		State:  State{OnAir: flags&onAir != 0, PeerShown: flags&peerShown != 0, Muted: flags&muted != 0, Away: flags&away != 0},
		Number: binary.BigEndian.Uint32(packet[16:]), Heard: binary.BigEndian.Uint32(packet[20:]), Answer: subtype == answers,
	}
	return w, w.Number != 0
}
