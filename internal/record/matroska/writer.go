// SPDX-License-Identifier: Apache-2.0

// Package matroska writes Matroska files with H.264 and Opus (RFC 9559), so that a file is whole after each write: who stops
// at any moment, by a crash too, leaves a file that plays up to there. Finish adds what makes it quick to seek in.
//
// It decides nothing about time or files, reads nothing and knows no RTP. GStreamer's muxer is not used for this because it
// waits for each track: when a picture stops, it keeps the voice in memory and writes nothing.
package matroska

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// Track is the number of a track.
type Track byte

// The tracks of a file.
const (
	Video Track = 1
	Audio Track = 2
)

// tick is the unit of all times in a file.
const tick = time.Millisecond

// longestCluster is less than what a block can be later than its cluster, which 16 bits hold.
const longestCluster = 5 * time.Second

// File is where a Writer writes, such as an *os.File.
type File interface {
	io.WriterAt
	Truncate(size int64) error
}

// Header is what stands at the beginning of a file.
type Header struct {
	Title string
	// App is the program that writes.
	App  string
	Date time.Time
	// Video and Audio describe the tracks. One of them may be nil.
	Video *VideoTrack
	Audio *AudioTrack
}

// VideoTrack describes the picture.
type VideoTrack struct {
	Width, Height int
	// Config is the AVCDecoderConfigurationRecord (ISO/IEC 14496-15).
	Config []byte
}

// AudioTrack describes the sound.
type AudioTrack struct{ Channels int }

// Block is one picture, with the length of each NAL unit before it in four bytes, or one Opus packet.
type Block struct {
	Track Track
	At    time.Duration // from the beginning of the file
	Key   bool          // it needs no other block
	Data  []byte
}

// Writer writes one file. It is not safe for concurrent use.
type Writer struct {
	file    File
	size    int64 // of what was written completely
	segment int64 // where the content of the segment begins
	seeks   int64 // where the seek head is
	info    int64
	length  int64 // where the duration is, or room for it
	tracks  int64
	end     time.Duration // of the newest block
	cues    []cue
	buffer  []byte
}

// cue says in which cluster a key frame is.
type cue struct {
	at      time.Duration
	cluster int64 // in the segment
}

// NewWriter writes the beginning of a file.
func NewWriter(file File, h Header) (*Writer, error) {
	w := &Writer{file: file}
	var b []byte
	b = appendUint(b, idEBMLVersion, 1)
	b = appendUint(b, idEBMLReadVersion, 1)
	b = appendUint(b, idEBMLMaxIDLength, 4)
	b = appendUint(b, idEBMLMaxSizeLength, wideSize)
	b = appendText(b, idDocType, "matroska")
	b = appendUint(b, idDocTypeVersion, 4)
	b = appendUint(b, idDocTypeReadVersion, 2)
	b = appendBytes(nil, idEBML, b)
	b = appendWide(appendID(b, idSegment), unknownSize)
	w.segment = int64(len(b))

	w.seeks = int64(len(b))
	b = append(b, make([]byte, seekHeadSize)...)
	w.info = int64(len(b)) - w.segment
	info := appendUint(nil, idTimestampScale, uint64(tick))
	before := len(info)
	info = appendVoid(info, durationSize)
	info = appendBytes(info, idDateUTC, binary.BigEndian.AppendUint64(nil, uint64(h.Date.Sub(epoch))))
	info = appendText(info, idTitle, h.Title)
	info = appendText(info, idMuxingApp, h.App)
	info = appendText(info, idWritingApp, h.App)
	b = appendBytes(b, idInfo, info)
	w.length = int64(len(b) - len(info) + before)
	w.tracks = int64(len(b)) - w.segment
	var tracks []byte
	if h.Video != nil {
		tracks = appendBytes(tracks, idTrackEntry, h.Video.entry())
	}
	if h.Audio != nil {
		tracks = appendBytes(tracks, idTrackEntry, h.Audio.entry())
	}
	b = appendBytes(b, idTracks, tracks)
	copy(b[w.seeks:], w.seekHead(0))
	return w, w.append(b)
}

// epoch is the zero of Matroska's dates.
var epoch = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)

// durationSize is what a duration takes, with its name and size.
const durationSize = 2 + 1 + 8

func (v *VideoTrack) entry() []byte {
	b := entry(Video, 1, "V_MPEG4/ISO/AVC", v.Config)
	size := appendUint(nil, idPixelWidth, uint64(v.Width))
	size = appendUint(size, idPixelHeight, uint64(v.Height))
	return appendBytes(b, idVideo, size)
}

// opusRate is the rate of Opus's clock, and opusPreRoll how much must be decoded after a seek before it is right (RFC 7845).
const (
	opusRate    = 48000
	opusPreRoll = 80 * time.Millisecond
)

func (a *AudioTrack) entry() []byte {
	// Nothing is skipped at the beginning, because a live stream has none.
	head := append([]byte("OpusHead"), 1, byte(a.Channels), 0, 0)
	head = binary.LittleEndian.AppendUint32(head, opusRate)
	head = append(head, 0, 0, 0)
	b := entry(Audio, 2, "A_OPUS", head)
	b = appendUint(b, idSeekPreRoll, uint64(opusPreRoll))
	sound := appendFloat(nil, idSampleRate, opusRate)
	sound = appendUint(sound, idChannels, uint64(a.Channels))
	return appendBytes(b, idAudio, sound)
}

func entry(number Track, kind uint64, codec string, private []byte) []byte {
	b := appendUint(nil, idTrackNumber, uint64(number))
	b = appendUint(b, idTrackUID, uint64(number))
	b = appendUint(b, idTrackType, kind)
	b = appendUint(b, idFlagLacing, 0)
	b = appendText(b, idCodecID, codec)
	return appendBytes(b, idCodecPrivate, private)
}

// Write writes blocks, which are in the order of their times, in clusters of their own.
func (w *Writer) Write(blocks []Block) error {
	for len(blocks) > 0 {
		first := blocks[0].At
		n := slices.IndexFunc(blocks, func(b Block) bool { return b.At < first || b.At-first > longestCluster })
		if n < 0 {
			n = len(blocks)
		}
		if err := w.cluster(first, blocks[:n]); err != nil {
			return err
		}
		blocks = blocks[n:]
	}
	return nil
}

// cluster writes one cluster at once.
func (w *Writer) cluster(first time.Duration, blocks []Block) error {
	w.buffer = appendWide(appendID(w.buffer[:0], idCluster), 0)
	begin := len(w.buffer)
	w.buffer = appendUint(w.buffer, idTimestamp, uint64(first/tick))
	var cues []cue
	end := w.end
	for _, b := range blocks {
		const header = 4
		w.buffer = appendSize(appendID(w.buffer, idSimpleBlock), header+len(b.Data))
		var flags byte
		if b.Key {
			flags = 0x80
		}
		at := int16(b.At/tick - first/tick)
		w.buffer = append(w.buffer, 0x80|byte(b.Track), byte(at>>8), byte(at), flags)
		w.buffer = append(w.buffer, b.Data...)
		if b.Key && b.Track == Video {
			cues = append(cues, cue{b.At, w.size - w.segment})
		}
		end = max(end, b.At)
	}
	appendWide(w.buffer[:begin-wideSize], uint64(len(w.buffer)-begin))
	if err := w.append(w.buffer); err != nil {
		return err
	}
	w.cues, w.end = append(w.cues, cues...), end
	return nil
}

// append writes at the end of the file. What was written in part is taken back, so that the file stays whole.
func (w *Writer) append(b []byte) error {
	n, err := w.file.WriteAt(b, w.size)
	if err == nil {
		w.size += int64(n)
		return nil
	}
	if cut := w.file.Truncate(w.size); cut != nil {
		return fmt.Errorf("%w; what was written in part cannot be removed: %w", err, cut)
	}
	return err
}

// Finish writes an index at the end, and at the beginning where it is and how long all takes. After an error the file still
// plays.
func (w *Writer) Finish() error {
	if _, err := w.file.WriteAt(appendFloat(nil, idDuration, math.Round(float64(w.end)/float64(tick))), w.length); err != nil {
		return err
	}
	var points []byte
	for _, c := range w.cues {
		at := appendUint(nil, idCueTrack, uint64(Video))
		at = appendUint(at, idCueClusterPosition, uint64(c.cluster))
		point := appendUint(nil, idCueTime, uint64(c.at/tick))
		points = appendBytes(points, idCuePoint, appendBytes(point, idCueTrackPositions, at))
	}
	if len(points) > 0 {
		at := w.size - w.segment
		if err := w.append(appendBytes(nil, idCues, points)); err != nil {
			return err
		}
		if _, err := w.file.WriteAt(w.seekHead(at), w.seeks); err != nil {
			return err
		}
	}
	_, err := w.file.WriteAt(appendWide(nil, uint64(w.size-w.segment)), w.segment-wideSize)
	return err
}

// seekHeadSize is what the seek head takes with all its entries, and a void one.
const seekHeadSize = 4 + 1 + 3*seekSize + 2

// seekSize is what one entry takes.
const seekSize = 2 + 1 + (2 + 1 + 4) + (2 + 1 + 8)

// seekHead says where the other elements are; cues may be 0 for unknown. It has always the same size.
func (w *Writer) seekHead(cues int64) []byte {
	var seeks []byte
	for _, to := range []struct {
		id uint32
		at int64
	}{{idInfo, w.info}, {idTracks, w.tracks}, {idCues, cues}} {
		if to.at > 0 {
			seek := appendBytes(nil, idSeekID, binary.BigEndian.AppendUint32(nil, to.id))
			seeks = appendBytes(seeks, idSeek, appendUint8(seek, idSeekPosition, uint64(to.at)))
		}
	}
	b := appendBytes(nil, idSeekHead, seeks)
	return appendVoid(b, seekHeadSize-len(b))
}
