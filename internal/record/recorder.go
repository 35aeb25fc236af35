// SPDX-License-Identifier: Apache-2.0

// Package record writes a peer's picture and voice to Matroska files as they come, H.264 and Opus, without encoding them
// again. A file plays up to its last second whatever ends it.
//
// It never makes its callers wait: a slow disk costs the recording something, and nobody else. It knows neither the link nor
// GStreamer, decodes nothing, and does not decide when to record.
package record

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/record/matroska"
)

const (
	// lookEvery is how often the recorder looks at what came.
	lookEvery = 250 * time.Millisecond
	// clusterTime is how much is written at once, and lost with a crash.
	clusterTime = time.Second
	// spread is by how much what was captured at the same time may come apart.
	spread = 500 * time.Millisecond
	// keyFrameLimit is how long a recording waits for a key frame after a loss. A peer who cannot be asked for one sends it
	// after seconds only; a damaged picture is better than none then, as it is on the screen.
	keyFrameLimit = 2 * time.Second
	// voiceAlone is how long a voice waits for the first picture before it gets a file of its own.
	voiceAlone = 10 * time.Second
	// slowFor is how long a disk counts as slow after it was too slow.
	slowFor = 30 * time.Second
	// most bounds what waits to be written: more than a few seconds of any picture.
	most = 32 << 20
)

// app is what files say that wrote them.
const app = "costream-obs"

// Options configure a Recorder.
type Options struct {
	// Dir is where the files are made. It exists.
	Dir string
	// Name is what the peer is called.
	Name string
	// VoiceDelay is an extra delay of the voice. It may be negative.
	VoiceDelay time.Duration
	// KeyFrame asks the peer for a key frame, because the recording missed something. It must not block.
	KeyFrame func()
	// Changed is called when State has changed, from any goroutine. It must not block, and not call the Recorder.
	Changed func()
	Log     *slog.Logger
}

// Recorder writes one time on air to one file, or to several: a file has pictures of one size. Its methods may be called from
// any goroutine.
type Recorder struct {
	o     Options
	queue queue
	stop  chan struct{}
	once  sync.Once
	done  chan struct{}

	mu    sync.Mutex
	path  string
	slow  time.Time // when the disk was last too slow
	fault error     // why nothing is written any more

	// The rest belongs to the recorder's goroutine.
	batch   batch
	clock   clock
	create  func(dir, name string, now time.Time) (file, error)
	media   [2]source
	pending []frame
	bytes   int // of the pending frames
	current *part
	waiting time.Time // since when the recording waits for a key frame; zero if it does not
	failed  bool
}

// source is what comes of one medium.
type source struct {
	stream   *stream
	order    order
	pictures assembler
}

// frame is a picture or a packet of the voice that is not written yet.
type frame struct {
	medium medium
	stream *stream
	ticks  int64
	key    bool
	data   []byte
	at     time.Duration // as far as it is known
}

// part is an open file.
type part struct {
	file   file
	writer *matroska.Writer
	shape  shape // zero if it has no pictures
	begins time.Duration
	last   [2]time.Duration // of what was written
}

// Start begins to record. A file is made when there is something to write.
func Start(o Options) *Recorder {
	r := newRecorder(o, time.Now())
	go r.run()
	return r
}

func newRecorder(o Options, now time.Time) *Recorder {
	return &Recorder{o: o, stop: make(chan struct{}), done: make(chan struct{}), clock: clock{began: now}, create: create}
}

// Picture takes an RTP packet of a stream of H.264, which is copied.
func (r *Recorder) Picture(stream uint64, packet []byte, at time.Time) {
	r.put(item{medium: pictures, stream: stream, at: at}, packet)
}

// Voice takes an RTP packet of a stream of Opus, which is copied.
func (r *Recorder) Voice(stream uint64, packet []byte, at time.Time) {
	r.put(item{medium: voice, stream: stream, at: at}, packet)
}

// PictureReport takes a sender report of a stream: which time it was by the peer's clock, in the format of NTP, at an RTP time,
// and when the report came.
func (r *Recorder) PictureReport(stream uint64, ntp uint64, rtp uint32, at time.Time) {
	r.put(item{medium: pictures, stream: stream, at: at, ntp: ntp, rtp: rtp}, nil)
}

// VoiceReport is the same for the voice.
func (r *Recorder) VoiceReport(stream uint64, ntp uint64, rtp uint32, at time.Time) {
	r.put(item{medium: voice, stream: stream, at: at, ntp: ntp, rtp: rtp}, nil)
}

func (r *Recorder) put(i item, data []byte) {
	if !r.queue.put(i, data) {
		return
	}
	r.mu.Lock()
	r.slow = time.Now()
	r.mu.Unlock()
	r.o.Changed()
}

// State is the file that is being written, empty if there is none, and what is wrong, in the user's words.
func (r *Recorder) State() (path string, wrong error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.fault != nil:
		return "", r.fault
	case !r.slow.IsZero() && time.Since(r.slow) < slowFor:
		return r.path, fmt.Errorf("the disk of %s is too slow, so parts of the recording are missing; the co-stream is not affected. Record to another disk: --record-peer DIR", r.o.Dir)
	}
	return r.path, nil
}

// Close ends the recording, and returns when the file is finished. It gives up after limit; a disk that answers later still gets
// the rest.
func (r *Recorder) Close(limit time.Duration) {
	r.once.Do(func() { close(r.stop) })
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-r.done:
	case <-timer.C:
		r.o.Log.Warn("the disk does not take the end of the recording in time", "dir", r.o.Dir)
	}
}

func (r *Recorder) run() {
	defer close(r.done)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-r.stop:
			r.look(time.Now(), true)
			r.finish()
			return
		case <-tick.C:
			r.look(time.Now(), false)
		}
	}
}

// look takes what came, and writes what is ripe, or at the end everything.
func (r *Recorder) look(now time.Time, end bool) {
	var full bool
	r.batch, full = r.queue.take(r.batch)
	if r.failed {
		return
	}
	for _, i := range r.batch.items {
		r.take(i, r.batch.bytes(i), now)
	}
	if full {
		// What comes next needs something that is missing.
		r.media[pictures].pictures.skipped = true
		r.o.KeyFrame()
	}
	if end {
		for kind := range r.media {
			r.flush(medium(kind), now)
		}
	}
	r.cut(now, end)
}

// take takes an item of the queue.
func (r *Recorder) take(i item, data []byte, now time.Time) {
	m := &r.media[i.medium]
	if i.size == 0 {
		if m.stream != nil && m.stream.id == i.stream {
			m.stream.report(i.ntp, i.rtp, i.at)
		}
		return
	}
	p, ok := parse(data, i.at)
	if !ok {
		return
	}
	if m.stream == nil || m.stream.id != i.stream {
		r.begin(i.medium, i.stream, now)
	}
	m.order.put(p, func(p packet, gap bool) { r.ordered(i.medium, p, gap, now) })
}

// begin begins a new stream. What the old one left behind is not lost.
func (r *Recorder) begin(kind medium, id uint64, now time.Time) {
	m := &r.media[kind]
	r.flush(kind, now)
	rate := 90000
	if kind == voice {
		rate = 48000
	}
	*m = source{stream: &stream{clock: &r.clock, id: id, rate: rate}}
	// The first picture needs those before it unless it is a key frame.
	m.pictures.skipped = true
}

// flush takes what waits for packets before it.
func (r *Recorder) flush(kind medium, now time.Time) {
	r.media[kind].order.flush(func(p packet, gap bool) { r.ordered(kind, p, gap, now) })
}

// ordered takes the next packet of a stream.
func (r *Recorder) ordered(kind medium, p packet, gap bool, now time.Time) {
	m := &r.media[kind]
	if kind == voice {
		ticks := m.stream.unwrap(p.ticks, p.at)
		m.stream.arrived(ticks, p.at)
		r.add(frame{medium: voice, stream: m.stream, ticks: ticks, key: true, data: slices.Clone(p.payload)})
		return
	}
	m.pictures.put(p, gap, func(shown picture) { r.picture(shown, now) })
}

// picture takes a whole picture. Those that need a lost one are left out until the next key frame.
func (r *Recorder) picture(p picture, now time.Time) {
	m := &r.media[pictures]
	ticks := m.stream.unwrap(p.ticks, p.at)
	m.stream.arrived(ticks, p.at)
	if p.key {
		if !r.shaped(now) {
			return
		}
		m.pictures.skipped, r.waiting = false, time.Time{}
	}
	if r.current == nil || r.current.shape == (shape{}) {
		return // A file begins with a key frame.
	}
	if m.pictures.skipped {
		if r.waiting.IsZero() {
			r.waiting = p.at
		}
		if p.at.Sub(r.waiting) < keyFrameLimit {
			return
		}
		m.pictures.skipped, r.waiting = false, time.Time{}
	}
	r.add(frame{medium: pictures, stream: m.stream, ticks: ticks, key: p.key, data: slices.Clone(p.data)})
}

// shaped sees to it that the current file is one for pictures like the key frame that comes now.
func (r *Recorder) shaped(now time.Time) bool {
	a := &r.media[pictures].pictures
	if a.sps == nil || a.pps == nil {
		return false
	}
	s, err := parseSPS(a.sps)
	if err != nil {
		return false
	}
	if r.current != nil && r.current.shape == s {
		return true
	}
	if r.current != nil {
		// What comes before this key frame belongs to the old file.
		r.cut(now, true)
		r.finish()
	}
	return r.open(now, s, &matroska.VideoTrack{Width: s.width, Height: s.height, Config: s.config(a.sps, a.pps)})
}

// channels are declared for a voice in mono, too: the peer may share music in stereo at any time.
const channels = 2

// open makes a file.
func (r *Recorder) open(now time.Time, s shape, video *matroska.VideoTrack) bool {
	if r.failed {
		return false
	}
	f, err := r.create(r.o.Dir, r.o.Name, now)
	if err != nil {
		r.fail(err)
		return false
	}
	writer, err := matroska.NewWriter(f, matroska.Header{
		Title: r.o.Name + ", " + now.Format("2006-01-02 15:04"), App: app, Date: now,
		Video: video, Audio: &matroska.AudioTrack{Channels: channels},
	})
	if err != nil {
		_ = f.Close()
		// Nobody needs a file without content.
		_ = os.Remove(f.Name())
		r.fail(err)
		return false
	}
	r.current = &part{file: f, writer: writer, shape: s, begins: -1}
	r.o.Log.Info("recording", "to", f.Name())
	r.tell(f.Name(), nil)
	return true
}

// add adds what is to be written.
func (r *Recorder) add(f frame) {
	r.pending = append(r.pending, f)
	r.bytes += len(f.data)
}

// cut writes what is pending, but for what may yet have to be put in order. all writes that as well.
func (r *Recorder) cut(now time.Time, all bool) {
	if r.failed || len(r.pending) == 0 {
		return
	}
	all = all || r.bytes > most
	for _, m := range r.media {
		if m.stream != nil && m.stream.begun && !all && !m.stream.settled(now) {
			return
		}
	}
	for _, m := range r.media {
		if m.stream != nil && m.stream.begun {
			m.stream.look(now)
		}
	}
	for i := range r.pending {
		f := &r.pending[i]
		if !f.stream.known {
			f.stream.look(now)
		}
		f.at = f.stream.time(f.ticks)
		if f.medium == voice {
			f.at += r.o.VoiceDelay
		}
	}
	slices.SortStableFunc(r.pending, func(a, b frame) int { return cmp.Compare(a.at, b.at) })
	first, last := r.pending[0].at, r.pending[len(r.pending)-1].at
	if r.current == nil {
		if last-first < voiceAlone && !all || !r.open(now, shape{}, nil) {
			return
		}
	}
	n := len(r.pending)
	if !all {
		if now.Sub(r.clock.began)-first < clusterTime+spread {
			return
		}
		n, _ = slices.BinarySearchFunc(r.pending, now.Sub(r.clock.began)-spread, func(f frame, t time.Duration) int { return cmp.Compare(f.at, t) })
	}
	if err := r.current.write(r.pending[:n]); err != nil {
		r.fail(err)
		return
	}
	for _, f := range r.pending[:n] {
		r.bytes -= len(f.data)
	}
	r.pending = slices.Delete(r.pending, 0, n)
}

// write writes frames, which are in the order of their times.
func (p *part) write(frames []frame) error {
	if len(frames) == 0 {
		return nil
	}
	if p.begins < 0 {
		p.begins = frames[0].at
	}
	blocks := make([]matroska.Block, 0, len(frames))
	for _, f := range frames {
		track := matroska.Video
		if f.medium == voice {
			track = matroska.Audio
		}
		// No track goes back in time, also where its clock was corrected.
		at := max(f.at-p.begins, p.last[f.medium])
		p.last[f.medium] = at
		blocks = append(blocks, matroska.Block{Track: track, At: at, Key: f.key, Data: f.data})
	}
	slices.SortStableFunc(blocks, func(a, b matroska.Block) int { return cmp.Compare(a.At, b.At) })
	return p.writer.Write(blocks)
}

// finish closes the current file.
func (r *Recorder) finish() {
	if r.current == nil {
		return
	}
	p := r.current
	r.current = nil
	err := p.writer.Finish()
	if closing := p.file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		r.o.Log.Warn("the recording has no index; it plays all the same", "file", p.file.Name(), "error", err)
	}
	r.tell("", nil)
}

// fail ends the recording for this time on air.
func (r *Recorder) fail(err error) {
	r.failed, r.pending = true, nil
	path := r.o.Dir
	if r.current != nil {
		path = r.current.file.Name()
	}
	r.finish()
	switch {
	case errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT):
		err = fmt.Errorf("the disk is full, so the recording has stopped: %s is good up to here, and the co-stream goes on. To record next time, make room: df -h '%s'", path, r.o.Dir)
	default:
		err = fmt.Errorf("the recording has stopped, and the co-stream goes on: %w. Look at the directory: ls -ld '%s'", err, filepath.Clean(r.o.Dir))
	}
	r.o.Log.Warn("recording", "error", err)
	r.tell("", err)
}

func (r *Recorder) tell(path string, fault error) {
	r.mu.Lock()
	r.path, r.fault = path, fault
	r.mu.Unlock()
	r.o.Changed()
}
