// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/obsctl"
)

// TestDesktopAudioCarriesThePeer: the speaker for our input is silent exactly while Desktop Audio brings the peer to the
// viewers, and that changes with the event that says so.
func TestDesktopAudioCarriesThePeer(t *testing.T) {
	const (
		ears, usb = "ears", "usb"
		number    = 7 // of Desktop Audio's stream
		desktop   = "Desktop Audio"
		ours      = "Peer audio"
	)
	carried, neither, hushed := []string{FromPeerSink}, []string(nil), []string{FromPeerSink, ""}
	decided := make(chan struct{}, 1)
	type step struct {
		name string
		do   func(*desktopAudio)
		want []string // the speakers that are silent
	}
	records := func(index int, source string) func(*desktopAudio) {
		return func(d *desktopAudio) { d.records(map[string]recording{desktop: {index: index, source: source}}) }
	}
	mute := func(muted bool) func(*desktopAudio) {
		return func(d *desktopAudio) { d.mute(desktop, muted) }
	}
	asked := func(in desktopInput, names ...string) func(*desktopAudio) {
		return func(d *desktopAudio) {
			var all []obsctl.Input
			for _, name := range append(names, desktop) {
				all = append(all, obsctl.Input{Name: name})
			}
			d.set(map[string]desktopInput{desktop: in}, map[string]bool{ours: false}, all, time.Now())
		}
	}
	none := func(d *desktopAudio) { d.records(nil) }
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"another sink becomes the default", []step{
			{"at first", records(number, ears+".monitor"), carried},
			{"event", func(d *desktopAudio) { d.note(pulse.Change{Event: "change", Object: "server", Index: -1}) }, neither},
			{"it was another source", func(d *desktopAudio) { d.plays(ears) }, carried},
			{"it was the sink", func(d *desktopAudio) { d.plays(usb) }, neither},
			{"OBS stays where it was", records(number, ears+".monitor"), neither},
			{"back", func(d *desktopAudio) { d.plays(ears) }, carried},
			{"away, and the sound server moves OBS along", func(d *desktopAudio) { d.plays(usb) }, neither},
			{"moved", records(number, usb+".monitor"), carried},
		}},
		{"muted", []step{
			{"at first", records(number, ears+".monitor"), carried},
			{"event", mute(true), neither},
			{"and back", mute(false), carried},
			{"the user mutes the peer", func(d *desktopAudio) { d.mute(ours, true) }, hushed},
			{"who is heard by our input only", mute(true), neither},
			{"and by both", mute(false), hushed},
			{"the user wants the peer again", func(d *desktopAudio) { d.mute(ours, false) }, carried},
			{"another input", func(d *desktopAudio) { d.mute("Mic/Aux", true) }, carried},
		}},
		{"muted while OBS was asked", []step{
			{"at first", records(number, ears+".monitor"), carried},
			{"an answer from before", func(d *desktopAudio) {
				before := time.Now()
				time.Sleep(time.Millisecond)
				d.mute(desktop, true)
				d.set(map[string]desktopInput{desktop: {}}, nil, []obsctl.Input{{Name: desktop}}, before)
			}, neither},
			{"an answer from after that", func(d *desktopAudio) {
				time.Sleep(time.Millisecond)
				asked(desktopInput{})(d)
			}, carried},
		}},
		{"another device", []step{
			{"at first", records(number, ears+".monitor"), carried},
			{"its stream ends", func(d *desktopAudio) { d.note(pulse.Change{Event: "remove", Object: "source-output", Index: number}) }, neither},
			{"and is not there yet", none, neither},
			{"the other device", records(number+1, usb+".monitor"), neither},
			{"the first one again, from which no sound comes yet", records(number+2, ears+".monitor"), neither},
			{"then it does", func(*desktopAudio) {
				begin := time.Now()
				<-decided
				if waited := time.Since(begin); waited < openWithin/2 {
					t.Errorf("it took %v until its sound counted, want %v", waited, openWithin)
				}
			}, carried},
			{"another stream ends", func(d *desktopAudio) { d.note(pulse.Change{Event: "remove", Object: "source-output", Index: 1}) }, carried},
		}},
		{"monitored only", []step{
			{"at first", records(number, ears+".monitor"), carried},
			{"not in the stream", asked(desktopInput{only: true}), neither},
		}},
		{"OBS cannot be told from other programs", []step{
			{"the default device", none, carried},
			{"this device", asked(desktopInput{device: ears + ".monitor"}), carried},
			{"another device", asked(desktopInput{device: usb + ".monitor"}), neither},
		}},
		{"renamed after its stream was opened", []step{
			{"the old name", func(d *desktopAudio) {
				asked(desktopInput{}, "Mic/Aux")(d)
				d.records(map[string]recording{"Audio": {index: number, source: ears + ".monitor"}, "Mic/Aux": {index: 1, source: "mic"}})
			}, carried},
			{"it is not recorded", func(d *desktopAudio) { d.records(map[string]recording{"Mic/Aux": {index: 1, source: "mic"}}) }, neither},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := desktopAudio{log: slog.New(slog.DiscardHandler)}
			var silent atomic.Pointer[[]string]
			d.attach(func(sinks []string) {
				silent.Store(&sinks)
				select {
				case decided <- struct{}{}:
				default:
				}
			})
			defer d.detach()
			asked(desktopInput{})(&d)
			d.plays(ears)
			for _, s := range tt.steps {
				s.do(&d)
				if diff := cmp.Diff(s.want, *silent.Load()); diff != "" {
					t.Errorf("%s: silent speakers (-want +got):\n%s", s.name, diff)
				}
				select {
				case <-decided:
				default:
				}
			}
		})
	}
}

// What happens to OBS's streams and to the default sink is to be looked at, and nothing else.
func TestDesktopAudioLooksAgain(t *testing.T) {
	var d desktopAudio
	for _, tt := range []struct {
		change pulse.Change
		want   bool
	}{
		{pulse.Change{Event: "change", Object: "server", Index: -1}, true},
		{pulse.Change{Event: "new", Object: "source-output", Index: 3}, true},
		{pulse.Change{Event: "change", Object: "source-output", Index: 3}, true},
		{pulse.Change{Event: "remove", Object: "source-output", Index: 3}, true},
		{pulse.Change{Event: "new", Object: "whole server", Index: -1}, true},
		{pulse.Change{Event: "change", Object: "sink-input", Index: 3}, false},
		{pulse.Change{Event: "change", Object: "sink", Index: 3}, false},
	} {
		if got := d.note(tt.change); got != tt.want {
			t.Errorf("%v: got %t, want %t", tt.change, got, tt.want)
		}
	}
}
