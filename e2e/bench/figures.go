// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"github.com/costream-obs/costream-obs/e2e/bench/score"
)

// Figures are those of a system in one case, of all its turns. Times and rates are the medians of the turns, so that one
// that something disturbed does not count; shares are of all turns together. A turn that showed nothing is frozen all the time,
// and has neither times nor cost.
type Figures struct {
	Case   string `json:"case"`
	System string `json:"system"`
	Title  string `json:"title"`

	// End to end, from the first byte of a picture into the sender to its last out of the receiver.
	P50 float64 `json:"p50_ms"`
	P95 float64 `json:"p95_ms"`
	P99 float64 `json:"p99_ms"`
	// From a sound in one null sink to the same in the other; 0 where no sound is carried.
	EarP50 float64 `json:"ear_p50_ms"`
	EarP95 float64 `json:"ear_p95_ms"`

	First   float64 `json:"first_ms"` // from the start of both ends to the first picture
	Sent    int     `json:"sent"`     // pictures
	Shown   int     `json:"shown"`
	Frozen  float64 `json:"frozen"` // share of the time
	Wrong   float64 `json:"wrong"`  // share of the time
	Bad     float64 `json:"bad"`    // both
	Longest float64 `json:"longest_ms"`

	SendCPU float64 `json:"send_cpu"` // seconds each second
	RecvCPU float64 `json:"recv_cpu"`
	Kbps    float64 `json:"kbps"` // 0 of one process
	PSNR    float64 `json:"psnr_db"`
	PSNRLow float64 `json:"psnr_low_db"` // that of the worst twentieth

	AllowedKbps float64 `json:"allowed_kbps,omitempty"` // mean of what the link allowed a picture
	Breaks      float64 `json:"breaks_per_minute"`      // of the voice

	FrozenSeconds float64 `json:"frozen_s,omitempty"`   // in all, of the worst turn; where the rate changes
	Recovery      float64 `json:"recovery_s,omitempty"` // until the full rate is back; negative: not within the window
	Error         string  `json:"error,omitempty"`      // of a turn that was not to be
}

// CPU is that of both ends.
func (f Figures) CPU() float64 { return f.SendCPU + f.RecvCPU }

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// summarise makes figures of the turns.
func summarise(c testCase, s system, turns []turn) Figures {
	f := Figures{Case: c.name, System: s.name, Title: s.title}
	var window, frozen, wrong, worst time.Duration
	var p50, p95, p99, ear50, ear95, first, send, recv, kbps, psnr, low, recovery []float64
	var allowed, breaks int
	for _, t := range turns {
		window += t.window
		frozen += t.screen.Frozen
		wrong += t.screen.Wrong
		worst = max(worst, t.screen.Frozen+t.screen.Wrong)
		f.Longest = max(f.Longest, millis(t.screen.Longest))
		f.Sent += t.sent
		f.Shown += len(t.shown)
		if c.recovers() {
			recovery = append(recovery, recoveryOf(c, t))
		}
		if len(t.shown) == 0 {
			continue
		}
		if delays := score.Delays(t.shown); len(delays) > 0 {
			p50 = append(p50, millis(score.Quantile(delays, 0.5)))
			p95 = append(p95, millis(score.Quantile(delays, 0.95)))
			p99 = append(p99, millis(score.Quantile(delays, 0.99)))
		}
		if len(t.ear) > 0 {
			ear50 = append(ear50, millis(score.Quantile(t.ear, 0.5)))
			ear95 = append(ear95, millis(score.Quantile(t.ear, 0.95)))
		}
		var quality []float64
		for _, picture := range t.shown {
			if picture.PSNR > 0 {
				quality = append(quality, picture.PSNR)
			}
		}
		psnr = append(psnr, score.Quantile(quality, 0.5))
		low = append(low, score.Quantile(quality, 0.05))
		seconds := t.window.Seconds()
		first = append(first, millis(t.first))
		breaks += t.breaks
		allowed += t.allowed / 1000
		send = append(send, t.sendCPU.Seconds()/seconds)
		recv = append(recv, t.recvCPU.Seconds()/seconds)
		if s.ports > 0 {
			kbps = append(kbps, float64(t.bytes)*8/1000/seconds)
		}
	}
	median := func(values []float64) float64 { return score.Quantile(values, 0.5) }
	f.P50, f.P95, f.P99 = median(p50), median(p95), median(p99)
	f.EarP50, f.EarP95 = median(ear50), median(ear95)
	f.First, f.SendCPU, f.RecvCPU, f.Kbps = median(first), median(send), median(recv), median(kbps)
	f.PSNR, f.PSNRLow = median(psnr), median(low)
	if window > 0 {
		f.AllowedKbps, f.Breaks = float64(allowed)/float64(len(turns)), float64(breaks)/window.Minutes()
		f.Frozen, f.Wrong = float64(frozen)/float64(window), float64(wrong)/float64(window)
		f.Bad = f.Frozen + f.Wrong
	}
	if c.recovers() {
		f.FrozenSeconds, f.Recovery = worst.Seconds(), score.Quantile(recovery, 1)
	}
	return f
}

// fullShare of the bytes of before is the full rate again.
const fullShare = 0.85

// recoveryOf is how many seconds a turn took until its rate was what it had been at the begin of the window, where the same
// was on the screen.
func recoveryOf(c testCase, t turn) float64 {
	last := c.network.rates[len(c.network.rates)-1].after
	tenth := int(last / (100 * time.Millisecond))
	d, ok := score.Recovered(t.tenths, tenth, tenth, fullShare)
	if !ok {
		return -1
	}
	return d.Seconds()
}
