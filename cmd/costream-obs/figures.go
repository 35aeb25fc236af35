// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/terminal"
)

// statusParts are the parts of the live line, in their order.
func statusParts(s control.Status, now time.Time, verbose bool) []terminal.Part {
	parts := []terminal.Part{{Texts: stateTexts(s), Rank: 0, Colour: lamp(s.State)}}
	f := s.Figures
	if f == nil {
		return parts
	}
	return append(parts,
		terminal.Part{Rank: 1, Texts: []string{clock(now.Sub(f.Since))}},
		terminal.Part{Rank: 3, Texts: tallyTexts(s.Tally)},
		terminal.Part{Rank: 2, Texts: append(delayTexts("picture", f.Picture, verbose), shortDelay(f.Picture)...)},
		terminal.Part{Rank: 7, Texts: delayTexts("voice", f.Voice, verbose)},
		terminal.Part{Rank: 8, Texts: apartTexts(f.PictureAfterVoice)},
		terminal.Part{Rank: 6, Texts: roundTripTexts(f.RoundTrip)},
		terminal.Part{Rank: 4, Texts: lossTexts(f.In, f.Out)},
		terminal.Part{Rank: 5, Texts: rateTexts(f.Out, f.In)},
		terminal.Part{Rank: 10, Texts: encoderTexts(f.Encoder)},
		terminal.Part{Rank: 9, Texts: droppedTexts(f.Dropped)},
	)
}

func stateTexts(s control.Status) []string {
	switch {
	case s.State == control.OnAirWithPeer && s.Break != "" && s.Peer != "":
		return []string{"● on a break, with " + s.Peer, "● on a break"}
	case s.State == control.OnAirWithPeer && s.Break != "":
		return []string{"● on a break"}
	case s.State == control.OnAirWithPeer && s.Peer != "":
		return []string{"● on air with " + s.Peer, "● " + s.Peer}
	case s.State == control.OnAir && s.Peer != "":
		return []string{"● on air, waiting for " + s.Peer, "● waiting for " + s.Peer}
	}
	return []string{"● " + string(s.State)}
}

// clock is a time as clocks show it.
func clock(d time.Duration) string {
	s := int(max(d, 0).Seconds())
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

func ms(m call.Millis) string { return fmt.Sprintf("%.0f", whole(m)) }

// whole rounds to milliseconds, without a negative 0.
func whole(m call.Millis) float64 { return math.Round(m.Duration().Seconds()*1000) + 0 }

func delayTexts(what string, d *call.Delay, verbose bool) []string {
	if d == nil {
		return nil
	}
	texts := []string{what + " " + ms(d.Total) + " ms"}
	if verbose {
		texts = append([]string{texts[0] + " (" + madeOf(*d) + ")"}, texts...)
	}
	return texts
}

// shortDelay is for where there is no room to say what it is of.
func shortDelay(d *call.Delay) []string {
	if d == nil {
		return nil
	}
	return []string{ms(d.Total) + " ms"}
}

// madeOf says what a delay is made of.
func madeOf(d call.Delay) string {
	var parts []string
	for _, part := range []struct {
		name string
		ms   call.Millis
	}{{"peer", d.Peer}, {"network", d.Network}, {"receive", d.Receive}, {"OBS", d.OBS}, {"A/V sync", d.Wait}} {
		if whole(part.ms) != 0 {
			parts = append(parts, part.name+" "+ms(part.ms))
		}
	}
	return strings.Join(parts, ", ")
}

func apartTexts(m *call.Millis) []string {
	if m == nil {
		return nil
	}
	if whole(*m) == 0 {
		return []string{"A/V 0 ms"}
	}
	return []string{fmt.Sprintf("A/V %+.0f ms", whole(*m))}
}

func roundTripTexts(m *call.Millis) []string {
	if m == nil {
		return nil
	}
	return []string{"RTT " + ms(*m) + " ms"}
}

// lossTexts is the loss in both directions: before repair, and after it where anything is repaired.
func lossTexts(in, out call.Direction) []string {
	short := func(d call.Direction) string {
		if d.Loss == nil {
			return ""
		}
		text := fmt.Sprintf("%.1f", *d.Loss)
		if d.LossAfterRepair != nil {
			text += fmt.Sprintf("→%.1f", *d.LossAfterRepair)
		}
		return text
	}
	i, o := short(in), short(out)
	switch {
	case i == "" && o == "":
		return nil
	case o == "":
		return []string{"loss in " + i + " %"}
	case i == "":
		return []string{"loss out " + o + " %"}
	}
	return []string{"loss in " + i + " % out " + o + " %", "loss " + i + " %"}
}

func mbit(kbps int) string {
	if kbps < 1000 {
		return fmt.Sprintf("%.2f", float64(kbps)/1000)
	}
	return fmt.Sprintf("%.1f", float64(kbps)/1000)
}

func rateTexts(out, in call.Direction) []string {
	return []string{
		"out " + mbit(out.Kbps) + " in " + mbit(in.Kbps) + " Mbit/s",
		mbit(out.Kbps) + "/" + mbit(in.Kbps) + " Mbit/s",
	}
}

func encoderTexts(e *call.Encoder) []string {
	if e == nil {
		return nil
	}
	text := fmt.Sprintf("%s %.1f of %.1f ms", e.Name, e.PerFrame.Duration().Seconds()*1000, e.Frame.Duration().Seconds()*1000)
	if e.OneIn > 1 {
		text += fmt.Sprintf(", too slow: 1 of %d pictures", e.OneIn)
	}
	if e.Smaller != "" {
		text += ", as small as " + e.Smaller
	}
	return []string{text}
}

// encoderWhy is why this encoder is used, in brackets.
func encoderWhy(e *call.Encoder) string {
	if e.Why == "" {
		return ""
	}
	return " (" + e.Why + ")"
}

func droppedTexts(d call.Dropped) []string {
	var parts []string
	sum := 0
	for _, part := range []struct {
		name  string
		count *int
	}{{"OBS", d.OBS}, {"us", d.Us}, {"network", d.Network}} {
		if part.count != nil {
			parts = append(parts, fmt.Sprintf("%s %d", part.name, *part.count))
			sum += *part.count
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{"dropped " + strings.Join(parts, ", "), fmt.Sprintf("dropped %d", sum)}
}

// summary is the status in one line of a log, with all figures.
func summary(s control.Status, now time.Time) string {
	var texts []string
	for _, p := range statusParts(s, now, true)[1:] {
		if len(p.Texts) > 0 {
			texts = append(texts, p.Texts[0])
		}
	}
	with := ""
	if s.Peer != "" && s.State == control.OnAirWithPeer {
		with = " (" + s.Peer + ")"
	}
	return fmt.Sprintf("%s %s%s%s: %s\n", now.Format(time.RFC3339), s.State, with, way(s.Report), strings.Join(texts, "; "))
}

// block is all figures, a line each.
func block(s control.Status, now time.Time) string {
	f := s.Figures
	if f == nil {
		return ""
	}
	var b strings.Builder
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "  %-11s %s\n", name, text)
		}
	}
	after := func(name string, texts []string) {
		if len(texts) > 0 {
			line(name, strings.TrimPrefix(texts[0], name+" "))
		}
	}
	line("peer", s.Peer)
	line("tally", tallySentence(s.Tally, s.Peer))
	line("on air", clock(now.Sub(f.Since)))
	line("bitrate", rateTexts(f.Out, f.In)[0])
	after("picture", delayTexts("picture", f.Picture, true))
	after("voice", delayTexts("voice", f.Voice, true))
	after("A/V", apartTexts(f.PictureAfterVoice))
	after("RTT", roundTripTexts(f.RoundTrip))
	after("loss", lossTexts(f.In, f.Out))
	if f.Encoder != nil {
		line("encoder", encoderTexts(f.Encoder)[0]+" for each picture"+encoderWhy(f.Encoder))
	}
	after("dropped", droppedTexts(f.Dropped))
	line("recording", s.Recording)
	return b.String()
}
