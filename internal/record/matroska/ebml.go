// SPDX-License-Identifier: Apache-2.0

package matroska

import (
	"encoding/binary"
	"math"
)

// The elements that are written (RFC 8794, RFC 9559).
const (
	idEBML               = 0x1A45DFA3
	idEBMLVersion        = 0x4286
	idEBMLReadVersion    = 0x42F7
	idEBMLMaxIDLength    = 0x42F2
	idEBMLMaxSizeLength  = 0x42F3
	idDocType            = 0x4282
	idDocTypeVersion     = 0x4287
	idDocTypeReadVersion = 0x4285
	idVoid               = 0xEC

	idSegment      = 0x18538067
	idSeekHead     = 0x114D9B74
	idSeek         = 0x4DBB
	idSeekID       = 0x53AB
	idSeekPosition = 0x53AC

	idInfo           = 0x1549A966
	idTimestampScale = 0x2AD7B1
	idDuration       = 0x4489
	idDateUTC        = 0x4461
	idTitle          = 0x7BA9
	idMuxingApp      = 0x4D80
	idWritingApp     = 0x5741

	idTracks       = 0x1654AE6B
	idTrackEntry   = 0xAE
	idTrackNumber  = 0xD7
	idTrackUID     = 0x73C5
	idTrackType    = 0x83
	idFlagLacing   = 0x9C
	idCodecID      = 0x86
	idCodecPrivate = 0x63A2
	idSeekPreRoll  = 0x56BB
	idVideo        = 0xE0
	idPixelWidth   = 0xB0
	idPixelHeight  = 0xBA
	idAudio        = 0xE1
	idSampleRate   = 0xB5
	idChannels     = 0x9F

	idCluster     = 0x1F43B675
	idTimestamp   = 0xE7
	idSimpleBlock = 0xA3

	idCues               = 0x1C53BB6B
	idCuePoint           = 0xBB
	idCueTime            = 0xB3
	idCueTrackPositions  = 0xB7
	idCueTrack           = 0xF7
	idCueClusterPosition = 0xF1
)

// wideSize is how many bytes the size of an element takes that is written before its content is known.
const wideSize = 8

// unknownSize says that an element goes on to the end of the file.
const unknownSize = 1<<56 - 1

// appendID appends the name of an element, whose length is in its first bits.
func appendID(b []byte, id uint32) []byte {
	switch {
	case id > 0xFFFFFF:
		return append(b, byte(id>>24), byte(id>>16), byte(id>>8), byte(id))
	case id > 0xFFFF:
		return append(b, byte(id>>16), byte(id>>8), byte(id))
	case id > 0xFF:
		return append(b, byte(id>>8), byte(id))
	}
	return append(b, byte(id))
}

// appendWide appends a size in eight bytes.
func appendWide(b []byte, size uint64) []byte { return binary.BigEndian.AppendUint64(b, 1<<56|size) }

// appendSize appends a size in as few bytes as it takes.
func appendSize(b []byte, size int) []byte {
	for n := 1; n < wideSize; n++ {
		// All ones means an unknown size.
		if size < 1<<(7*n)-1 {
			v := uint64(size) | 1<<(7*n)
			for i := n - 1; i >= 0; i-- {
				b = append(b, byte(v>>(8*i)))
			}
			return b
		}
	}
	return appendWide(b, uint64(size))
}

func appendBytes(b []byte, id uint32, content []byte) []byte {
	return append(appendSize(appendID(b, id), len(content)), content...)
}

func appendText(b []byte, id uint32, text string) []byte { return appendBytes(b, id, []byte(text)) }

// appendUint appends a number in as few bytes as it takes.
func appendUint(b []byte, id uint32, v uint64) []byte {
	content := binary.BigEndian.AppendUint64(nil, v)
	for len(content) > 1 && content[0] == 0 {
		content = content[1:]
	}
	return appendBytes(b, id, content)
}

// appendUint8 appends a number in eight bytes, which can be written again with another number.
func appendUint8(b []byte, id uint32, v uint64) []byte {
	return appendBytes(b, id, binary.BigEndian.AppendUint64(nil, v))
}

func appendFloat(b []byte, id uint32, v float64) []byte {
	return appendBytes(b, id, binary.BigEndian.AppendUint64(nil, math.Float64bits(v)))
}

// appendVoid appends an element without a meaning that takes size bytes, at least 2 and at most 127.
func appendVoid(b []byte, size int) []byte {
	return appendBytes(b, idVoid, make([]byte, size-2))
}
