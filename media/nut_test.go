// SPDX-License-Identifier: Apache-2.0

package media

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Wires that BenchmarkRealMediaSource compares with rawVideo.

// rawVideoWallClock makes OBS's reader take the time of arrival instead of
// counting pictures.
func rawVideoWallClock() wire {
	w := rawVideo()
	options := w.options
	w.options = func(f VideoFormat) string { return options(f) + " use_wallclock_as_timestamps=1" }
	return w
}

// y4m is YUV4MPEG2.
func y4m(extra string) wire {
	return wire{
		inputFormat: "yuv4mpegpipe",
		options:     func(VideoFormat) string { return "fflags=nobuffer probesize=32 analyzeduration=0" + extra },
		header: func(f VideoFormat) []byte {
			return fmt.Appendf(nil, "YUV4MPEG2 W%d H%d F%d:%d Ip A1:1 C420mpeg2\n", f.W, f.H, f.FPSNum, f.FPSDen)
		},
		frameHeader: func(VideoFormat, time.Duration) []byte { return []byte("FRAME\n") },
	}
}

// nut is a NUT stream of one track of raw pictures, as the NUT specification
// (version 3) has it; only what ffmpeg's reader needs.
func nut() wire {
	return wire{
		inputFormat: "nut",
		options:     func(VideoFormat) string { return "fflags=nobuffer probesize=32 analyzeduration=0" },
		header:      nutHeader,
		frameHeader: nutFrameHeader,
	}
}

const (
	nutMain      = 0x4E4D7A561F5F04AD
	nutStream    = 0x4E5311405BF2F9DB
	nutSyncpoint = 0x4E4BE4ADEECA4569
	nutTimeBase  = 90000
)

func nutHeader(f VideoFormat) []byte {
	out := []byte("nut/multimedia container\x00")
	main := nutNumbers(3, 1, 65536, 1, 1, nutTimeBase,
		// Every frame code: "all fields are coded", with 6 fields of defaults.
		4096, 6, 0, 1, 0, 0, 0, 255,
		0)
	out = append(out, nutPacket(nutMain, main)...)
	stream := nutNumbers(0, 0, 4)
	stream = append(stream, "I420"...)
	stream = append(stream, nutNumbers(0, 7, nutTimeBase, 0, 0, 0, uint64(f.W), uint64(f.H), 1, 1, 0)...)
	return append(out, nutPacket(nutStream, stream)...)
}

func nutFrameHeader(f VideoFormat, at time.Duration) []byte {
	pts := uint64(at * nutTimeBase / time.Second)
	out := nutPacket(nutSyncpoint, nutNumbers(pts, 0))
	const key, codedPTS, streamID, sizeMSB, checksum, coded = 1, 8, 16, 32, 64, 4096
	header := []byte{0}
	// The flags are XORed with those of the frame code.
	header = append(header, nutNumbers(key|codedPTS|streamID|sizeMSB|checksum|coded^coded, 0, pts+1<<7, uint64(f.FrameSize()))...)
	return append(append(out, header...), nutSum(header)...)
}

// nutPacket wraps data with its start code, length and checksum.
func nutPacket(code uint64, data []byte) []byte {
	out := binary.BigEndian.AppendUint64(nil, code)
	out = append(out, nutNumbers(uint64(len(data)+4))...)
	out = append(out, data...)
	return append(out, nutSum(data)...)
}

// nutNumbers codes numbers in groups of 7 bits, highest first.
func nutNumbers(values ...uint64) []byte {
	var out []byte
	for _, v := range values {
		group := []byte{byte(v & 0x7f)}
		for v >>= 7; v > 0; v >>= 7 {
			group = append([]byte{byte(v&0x7f) | 0x80}, group...)
		}
		out = append(out, group...)
	}
	return out
}

// nutSum is CRC-32 with polynomial 0x04C11DB7, not reflected, from 0.
func nutSum(data []byte) []byte {
	var crc uint32
	for _, b := range data {
		crc ^= uint32(b) << 24
		for range 8 {
			carry := crc&(1<<31) != 0
			crc <<= 1
			if carry {
				crc ^= 0x04C11DB7
			}
		}
	}
	return binary.BigEndian.AppendUint32(nil, crc)
}
