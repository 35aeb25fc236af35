// SPDX-License-Identifier: Apache-2.0

package call

import (
	"context"
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/internal/lipsync"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
)

const (
	measureEvery = time.Second
	// lossWindow is over how many measurements loss and load are taken, and rateWindow bitrates.
	lossWindow = 10
	rateWindow = 3
	tripWindow = 5
	// reportLimit is how old the peer's newest receiver report may be. Those of 2020 send one every 5 s or so.
	reportLimit = 15 * time.Second
	// mostDelay is more than any delay: the reports of such a peer tell nothing.
	mostDelay = 10 * time.Second
)

// meter turns counts into figures. It is used by one goroutine.
type meter struct {
	secure  bool // the link recovers lost packets and knows what was lost before
	frame   time.Duration
	since   time.Time
	link    link.Link
	streams [2]uint64 // of the peer, by medium
	samples []sample  // the newest last
	trips   []time.Duration

	unsent, unshown, late, broken counter
	breaks                        counter
	keepUp                        keepUp
}

// sample are counts at one time.
type sample struct {
	at      time.Time
	out, in traffic
	sender  *media.VideoSender
	encoder media.EncoderLoad
}

// traffic are counts of one direction. First are those of packets as they were sent first, final those after recovery.
type traffic struct {
	bytes        uint64
	first, final share
}

// share is how many of some packets were lost.
type share struct {
	packets, lost int64
	known         bool
}

// counter adds up counts of things that are replaced and begin at 0.
type counter struct {
	of        any
	last, sum uint64
}

func (c *counter) note(of any, count uint64) {
	if of != c.of {
		c.of, c.last = of, 0
	}
	c.sum += count - min(c.last, count)
	c.last = count
}

// watchFigures measures once a second until ctx ends.
func (c *Call) watchFigures(ctx context.Context) {
	m := meter{secure: c.o.PeerAsks, frame: c.o.FrameTime, since: time.Now()}
	tick := time.NewTicker(measureEvery)
	defer tick.Stop()
	for {
		c.measure(&m, time.Now())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// measure takes one measurement.
func (c *Call) measure(m *meter, now time.Time) {
	f := Figures{Since: m.since, At: now}
	var load media.EncoderLoad
	sender := c.videoSender.Load()
	if sender != nil {
		load = sender.Load()
		if n, known := sender.Dropped(); known {
			m.unsent.note(sender, n)
		}
		c.keepUp(&m.keepUp, sender, load, now)
	}
	if l := c.Link(); l != nil {
		stats := l.Stats()
		m.add(now, l, stats, sender, load)
		if rtt := m.trip(roundTrip(stats, now)); rtt > 0 {
			f.RoundTrip = millis(rtt)
			f.Picture, f.Voice = c.delays(rtt / 2)
		}
		if apart, known := c.avSync.sync.Apart(); known && !c.o.Apart && apart.Abs() < mostDelay {
			f.PictureAfterVoice = millis(apart)
		}
	} else {
		m.samples = nil
	}
	if r, ok := c.video.running().(*media.VideoReceiver); ok && m.secure {
		m.unshown.note(r, r.Dropped())
	}
	f.Out, f.In = m.direction(func(s sample) traffic { return s.out }), m.direction(func(s sample) traffic { return s.in })
	if f.Encoder = m.load(); f.Encoder != nil {
		f.Encoder.Why = valueAt(c.encoderWhy.Load())
	}
	f.Dropped = m.dropped()
	if r, ok := c.audio.running().(*media.AudioReceiver); ok {
		m.breaks.note(r, uint64(r.Breaks()))
	}
	if m.breaks.of != nil {
		n := int(m.breaks.sum)
		f.VoiceBreaks = &n
	}
	c.figures.Store(&f)
}

// roundTrip is the round-trip time if it is known now, else 0. A plain link has it from receiver reports.
func roundTrip(stats link.Stats, now time.Time) time.Duration {
	if stats.RTT > 0 && stats.Peer.IsValid() {
		return stats.RTT
	}
	var rtt time.Duration
	for _, s := range []link.SendStats{stats.Video.Send, stats.Audio.Send} {
		if s.RTT > 0 && now.Sub(s.LastReport) < reportLimit && (rtt == 0 || s.RTT < rtt) {
			rtt = s.RTT // The other report waited for longer.
		}
	}
	return rtt
}

// trip is the median of the newest round-trip times, since a single one may be that of a packet that waited.
func (m *meter) trip(rtt time.Duration) time.Duration {
	if rtt == 0 {
		m.trips = nil
		return 0
	}
	if len(m.trips) == tripWindow {
		m.trips = append(m.trips[:0], m.trips[1:]...)
	}
	m.trips = append(m.trips, rtt)
	sorted := slices.Sorted(slices.Values(m.trips))
	return sorted[(len(sorted)-1)/2]
}

// delays are how late picture and voice of the peer are.
func (c *Call) delays(network time.Duration) (picture, voice *Delay) {
	video, audio, seen, heard := c.avSync.sync.Latency(network)
	delay := func(l lipsync.Latency, known bool, obs time.Duration) *Delay {
		if total := l.Total(); !known || total < 0 || total > mostDelay {
			return nil
		}
		return &Delay{
			Total: Millis(l.Total()), Peer: Millis(l.Transit - network), Network: Millis(network),
			Receive: Millis(l.Output - obs), OBS: Millis(obs), Wait: Millis(l.Wait),
		}
	}
	return delay(video, seen, valueOf(c.o.External.Screen)), delay(audio, heard, -c.o.External.Speaker)
}

// add takes the counts of a link. Those before a break, in which some began again at 0, are forgotten.
func (m *meter) add(now time.Time, l link.Link, stats link.Stats, sender *media.VideoSender, load media.EncoderLoad) {
	streams := [2]uint64{stats.Video.Receive.Stream.ID, stats.Audio.Receive.Stream.ID}
	if l != m.link || streams != m.streams {
		m.link, m.streams, m.samples = l, streams, nil
	}
	s := sample{at: now, sender: sender, encoder: load}
	for _, medium := range []link.MediumStats{stats.Video, stats.Audio} {
		s.out.bytes += medium.Send.Bytes
		s.in.bytes += medium.Receive.Bytes
		if medium.Receive.Stream.ID != 0 {
			s.in.final.packets += int64(medium.Receive.Packets-medium.Receive.Duplicates) + medium.Receive.Lost
			s.in.final.lost += medium.Receive.Lost
			s.in.final.known = true
		}
		if !medium.Send.LastReport.IsZero() && now.Sub(medium.Send.LastReport) < reportLimit {
			s.out.final.packets += int64(medium.Send.Packets)
			s.out.final.lost += medium.Send.RemoteLost
			s.out.final.known = true
		}
	}
	if m.secure {
		m.late.note(l, stats.Video.Send.Late)
		m.broken.note(l, stats.Video.Receive.Broken)
		for _, way := range []struct {
			of   *traffic
			from link.Counts
		}{{&s.out, stats.Out}, {&s.in, stats.In}} {
			way.of.bytes = way.from.Bytes
			way.of.first = share{int64(way.from.Packets), int64(way.from.Lost), way.from.Packets > 0}
		}
	} else {
		s.out.first, s.out.final = s.out.final, share{}
		s.in.first, s.in.final = s.in.final, share{}
	}
	if len(m.samples) > lossWindow {
		m.samples = append(m.samples[:0], m.samples[1:]...)
	}
	m.samples = append(m.samples, s)
}

// back is the newest sample and the one n before it, or the oldest.
func (m *meter) back(n int) (then, now sample, ok bool) {
	last := len(m.samples) - 1
	if last < 1 {
		return then, now, false
	}
	return m.samples[max(last-n, 0)], m.samples[last], true
}

// direction works out the figures of one direction.
func (m *meter) direction(of func(sample) traffic) (d Direction) {
	if then, now, ok := m.back(rateWindow); ok {
		bytes := of(now).bytes - min(of(then).bytes, of(now).bytes)
		d.Kbps = int(float64(8*bytes) / now.at.Sub(then.at).Seconds() / 1000)
	}
	if then, now, ok := m.back(lossWindow); ok {
		d.Loss = lost(of(then).first, of(now).first)
		d.LossAfterRepair = lost(of(then).final, of(now).final)
	}
	return d
}

// lost is the share of packets that were lost between two times.
func lost(then, now share) *Percent {
	packets := now.packets - then.packets
	if !now.known || packets <= 0 {
		return nil
	}
	// What was missing then may have come late.
	p := Percent(100 * float64(max(now.lost-then.lost, 0)) / float64(packets))
	return &p
}

// load is the encoder and its load, if there was an encoder all the time.
func (m *meter) load() *Encoder {
	then, now, ok := m.back(lossWindow)
	if !ok || now.sender == nil {
		return nil
	}
	if then.sender != now.sender {
		then.encoder = media.EncoderLoad{}
	}
	frames := now.encoder.Frames - then.encoder.Frames
	if frames == 0 {
		return nil
	}
	every := media.SavingOf(m.keepUp.step).Every
	return &Encoder{
		Name: now.encoder.Name, OneIn: oneIn(every), Smaller: now.encoder.Smaller,
		PerFrame: Millis((now.encoder.Busy - then.encoder.Busy) / time.Duration(frames)), Frame: Millis(m.frame * time.Duration(every)),
	}
}

// dropped are the pictures that were lost up to now.
func (m *meter) dropped() (d Dropped) {
	if m.unsent.of != nil || m.unshown.of != nil {
		n := int(m.unsent.sum + m.unshown.sum)
		d.Us = &n
	}
	if m.secure {
		n := int(m.late.sum + m.broken.sum)
		d.Network = &n
	}
	return d
}

// oneIn is 0 where all pictures are sent.
func oneIn(every int) int {
	if every <= 1 {
		return 0
	}
	return every
}

func valueAt(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func millis(d time.Duration) *Millis {
	m := Millis(d)
	return &m
}
