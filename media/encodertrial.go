// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// EncoderTrial is what a trial of an encoder found out.
type EncoderTrial struct {
	// Fault says why the encoder cannot be used; empty means that it can.
	Fault string `json:"fault,omitempty"`
	// Slow says that the encoder was too slow, or did not answer. That may be due to what else the machine does.
	Slow bool `json:"slow,omitempty"`
	// Failed says that the encoder reported an error, or could not be tried. Another trial may end otherwise: other programs may
	// use up the sessions of a card.
	Failed bool `json:"failed,omitempty"`
	// PerFrame is how long the encoder worked on a picture, the median.
	PerFrame time.Duration `json:"per_frame_ns,omitempty"`
	// KeyOnRate says that a change of the bitrate makes a key frame.
	KeyOnRate bool `json:"key_on_rate,omitempty"`
}

// The parts of a trial, in pictures.
const (
	// trialSettle are those in which the rate control gets used to the pictures and the bitrate.
	trialSettle = 6
	trialHigh   = 6
	trialLow    = 6
	// trialKey is how many pictures may pass until a key frame that was asked for.
	trialKey = 3
	// trialHold is how long a picture may take, and trialFirst the first one, for which the device opens.
	trialHold  = 250 * time.Millisecond
	trialFirst = startWithin
	// trialDecode is how long our decoder may take for all of them.
	trialDecode = 700 * time.Millisecond
	// trialFurther is how many pictures an encoder gets that has let none out.
	trialFurther = 6
	// trialPart is the share of its bitrate that the encoder is told to take then.
	trialPart = 3
)

// TryEncoder tries an encoder with pictures of a format, at a bitrate in kbit/s. It blocks where a driver does, and a driver may
// crash the process: run it in a process that may end.
func TryEncoder(ctx context.Context, name string, f VideoFormat, kbps int) EncoderTrial {
	t, err := newTrial(name, f, kbps)
	if err != nil {
		return EncoderTrial{Fault: err.Error()}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	var result EncoderTrial
	ran := make(chan error, 1)
	go func() { ran <- t.sender.Run(ctx) }()
	go func() {
		select {
		case err := <-ran:
			cancel(err)
			ran <- err
		case <-ctx.Done():
		}
	}()
	fault := t.run(ctx, &result)
	if cause := context.Cause(ctx); fault != nil && cause != nil && !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		fault = cause // The pipeline's error says more than that no picture came.
		result.Failed = !errors.Is(cause, errStalled)
	}
	cancel(nil)
	if fault == nil {
		if fault = t.decode(); fault != nil {
			// A busy machine may have been too slow for some of the packets.
			fault = t.decode()
		}
	}
	if fault != nil {
		var slow slowError
		result.Slow = errors.As(fault, &slow) || errors.Is(fault, errStalled)
		var encoder *EncoderError
		if errors.As(fault, &encoder) {
			fault = encoder.Err
		}
		result.Fault = fault.Error()
	}
	return result
}

// slowError is a fault that a busy machine may cause.
type slowError struct{ error }

// trialSource takes raw I420 pictures with times of their own.
type trialSource struct{ VideoFormat }

func (s trialSource) capture() ([]node, VideoFormat, error) {
	f, err := s.normal()
	if err != nil {
		return nil, f, err
	}
	return []node{element("appsrc", prop("name", nameImages), "is-live=true", "format=time",
		prop("caps", fmt.Sprintf("video/x-raw,format=I420,width=%d,height=%d,framerate=%d/%d,pixel-aspect-ratio=1/1,colorimetry=bt709",
			f.W, f.H, f.FPSNum, f.FPSDen)))}, f, nil
}

// trial is one trial. The encoder's pipeline is the one of a call.
type trial struct {
	format   VideoFormat
	kbps     int
	sender   *VideoSender
	pictures [][]byte
	pushed   int // pictures
	came     chan codedPicture
	all      []codedPicture
}

// codedPicture is one encoded picture.
type codedPicture struct {
	packets [][]byte
	bytes   int
	key     bool // a decoder can begin with it
	b       bool // it has parts of a B-frame
}

func newTrial(name string, f VideoFormat, kbps int) (*trial, error) {
	f, err := f.normal()
	if err != nil {
		return nil, err
	}
	t := &trial{format: f, kbps: kbps, came: make(chan codedPicture, 64), pictures: trialPictures(f)}
	var now codedPicture
	var kinds nalKinds
	t.sender, err = NewVideoSender(VideoSenderOptions{
		Source:  trialSource{f},
		Encoder: EncoderOptions{BitrateKbps: kbps, Choice: EncoderChoice{Name: name}},
		Out: func(packet []byte) {
			now.packets = append(now.packets, slices.Clone(packet))
			now.bytes += len(packet)
			kinds.add(packet)
			if len(packet) > 1 && packet[1]&0x80 != 0 {
				now.key, now.b = kinds.key(), kinds.b
				select {
				case t.came <- now:
				default: // It makes more pictures than it gets.
				}
				now, kinds = codedPicture{}, nalKinds{}
			}
		},
	})
	if err == nil {
		t.sender.opens = 2 * startWithin // After trialFirst, it shall show whether further pictures let the first one out.
	}
	return t, err
}

// run passes pictures through the encoder, one at a time.
func (t *trial) run(ctx context.Context, result *EncoderTrial) error {
	var took []time.Duration
	next := func() (codedPicture, error) {
		p, d, err := t.next(ctx)
		took = append(took, d)
		return p, err
	}
	several := func(n int) (bytes int, keys int, err error) {
		for range n {
			p, err := next()
			if err != nil {
				return 0, 0, err
			}
			if p.b {
				return 0, 0, errors.New("it makes B-frames, which come late")
			}
			bytes += p.bytes
			if p.key {
				keys++
			}
		}
		return bytes, keys, nil
	}
	if _, err := next(); err != nil {
		return err
	}
	if !t.all[0].key {
		return errors.New("its first picture is no key frame with parameter sets")
	}
	if _, _, err := several(trialSettle); err != nil {
		return err
	}
	high, _, err := several(trialHigh)
	if err != nil {
		return err
	}
	t.sender.SetBitrate(t.kbps / trialPart)
	_, keys, err := several(trialSettle)
	if err != nil {
		return err
	}
	result.KeyOnRate = keys > 0
	low, _, err := several(trialLow)
	if err != nil {
		return err
	}
	target := int(float64(t.kbps) * 1000 / 8 * t.format.FrameTime().Seconds())
	if high/trialHigh > 2*target {
		return fmt.Errorf("it makes %d bytes of a picture where %d kbit/s are %d", high/trialHigh, t.kbps, target)
	}
	if low*3 > high*2 && low/trialLow > target/trialPart {
		return fmt.Errorf("it does not follow its bitrate: %d bytes a picture at %d kbit/s, %d at a third", high/trialHigh, t.kbps, low/trialLow)
	}
	t.sender.ForceKeyFrame()
	for i := range trialKey {
		p, err := next()
		if err != nil {
			return err
		}
		if p.key {
			break
		}
		if i == trialKey-1 {
			return errors.New("it makes no key frame on request")
		}
	}
	slices.Sort(took)
	median := took[len(took)/2]
	if limit := 2 * t.format.FrameTime(); median > limit {
		return slowError{fmt.Errorf("it takes %v for a picture, where %v is the limit", median.Round(time.Millisecond), limit.Round(time.Millisecond))}
	}
	load := t.sender.Load()
	result.PerFrame = min(median, load.Busy/time.Duration(max(load.Frames, 1)))
	return nil
}

// next passes one picture in and awaits one. If that comes late and with others, the result has what all of them have.
func (t *trial) next(ctx context.Context) (codedPicture, time.Duration, error) {
	before := len(t.all)
	limit := max(trialHold, 4*t.format.FrameTime())
	if len(t.all) == 0 {
		limit = trialFirst
	}
	expired := time.NewTimer(limit)
	defer expired.Stop()
	began := time.Now()
	// Does a picture that does not come need further ones to let it out, or is the encoder late?
	for further := 0; further <= trialFurther; {
		if err := t.push(ctx); err != nil {
			return codedPicture{}, 0, err
		}
		late := false
		for len(t.all) < t.pushed && !late {
			select {
			case p := <-t.came:
				t.all = append(t.all, p)
			case <-ctx.Done():
				return codedPicture{}, 0, slowError{errors.New("it has not passed its trial in time")}
			case <-expired.C:
				late = true
			}
		}
		switch {
		case !late:
			p := t.all[len(t.all)-1]
			for _, other := range t.all[before:] {
				p.key, p.b = p.key || other.key, p.b || other.b
			}
			return p, time.Since(began), nil
		case further > 0 && len(t.all) > before:
			// One that is late at each picture looks the same.
			return codedPicture{}, 0, slowError{errors.New("it holds pictures back until it gets further ones")}
		}
		further++
		limit = trialHold / 2
		expired.Reset(limit)
	}
	return codedPicture{}, 0, slowError{fmt.Errorf("no picture came out of it within %v", time.Since(began).Round(10*time.Millisecond))}
}

// push passes the next picture into the pipeline, once that runs.
func (t *trial) push(ctx context.Context) error {
	picture := t.pictures[t.pushed%len(t.pictures)]
	for {
		err := t.sender.images.PushTimed(len(picture), t.format.at(int64(t.pushed)), func(b []byte) { copy(b, picture) })
		if err == nil {
			t.pushed++
			return nil
		}
		select {
		case <-ctx.Done():
			return slowError{errors.New("its device does not open in time")}
		case <-time.After(5 * time.Millisecond): // The pipeline is starting.
		}
	}
}

// decode decodes the pictures and looks at the last one.
func (t *trial) decode() error {
	shown := make(chan Frame, 1)
	r, err := NewVideoReceiver(VideoReceiverOptions{Format: t.format, Ordered: true, Out: func(f Frame) {
		f.Data = slices.Clone(f.Data)
		select {
		case <-shown:
		default:
		}
		shown <- f
	}})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), trialDecode)
	defer cancel()
	ran := make(chan error, 1)
	go func() { ran <- r.Run(ctx) }()
	defer func() { cancel(); <-ran }()
	want := t.pictures[(len(t.all)-1)%len(t.pictures)]
	for _, p := range t.all {
		for _, packet := range p.packets {
			for r.packets.Push(packet) != nil {
				select {
				case <-ctx.Done():
					return slowError{errors.New("the decoder does not start in time")}
				case <-time.After(5 * time.Millisecond): // The pipeline is starting.
				}
			}
		}
	}
	differs := -1
	for {
		select {
		case f := <-shown:
			if differs = unlike(f.Data, want, t.format); differs < trialUnlike {
				return nil
			}
		case <-ctx.Done():
			if differs < 0 {
				return errors.New("what it makes cannot be decoded")
			}
			return fmt.Errorf("its pictures differ by %d of 219 levels from what went in", differs)
		}
	}
}

// trialUnlike is more than the difference of a picture that was encoded at a low bitrate (5, measured), and less than that of a grey
// or green one.
const trialUnlike = 12

// unlike is the mean difference of the brightness of a picture and of another one in GStreamer's layout.
func unlike(got, padded []byte, f VideoFormat) int {
	planes, _ := i420Planes(f.W, f.H)
	sum := 0
	for y := range f.H {
		want := padded[y*planes[0].stride:]
		for x, v := range got[y*f.W : (y+1)*f.W] {
			d := int(v) - int(want[x])
			sum += max(d, -d)
		}
	}
	return sum / (f.W * f.H)
}

// trialPictures are pictures that take more bits than there are: a part of them, as large as that of a camera beside a game, is
// noise. The same each time.
func trialPictures(f VideoFormat) [][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	planes, size := i420Planes(f.W, f.H)
	pictures := make([][]byte, 4)
	for n := range pictures {
		b := make([]byte, size)
		luma := planes[0]
		for y := range f.H {
			row := b[y*luma.stride:][:f.W]
			for x := range row {
				row[x] = byte(40 + 160*x/f.W)
			}
		}
		for y := f.H / 2; y < f.H; y++ {
			row := b[y*luma.stride:][:f.W/2]
			var bits uint64
			for x := range row {
				if x%8 == 0 {
					bits = random.Uint64()
				}
				row[x] = byte(96 + bits&63)
				bits >>= 8
			}
		}
		for _, p := range planes[1:] {
			for i := range p.stride * p.rows {
				b[p.offset+i] = 128
			}
		}
		pictures[n] = b
	}
	return pictures
}
