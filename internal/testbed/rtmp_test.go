// SPDX-License-Identifier: Apache-2.0

package testbed_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

type errLevel float64

func (e errLevel) Error() string { return fmt.Sprintf("level %.3f", float64(e)) }

func TestRealStream(t *testing.T) {
	testbed.Need(t)
	server := testbed.NewRTMP(t)
	obs := testbed.StartOBS(t, testbed.OBSOptions{Width: 320, Height: 180, FPS: 10})
	obs.StreamTo(server)
	tone := testbed.Tone{Hz: 1000, On: 100 * time.Millisecond, Period: 500 * time.Millisecond}
	obs.Pulse.PlayTone(testbed.MicrophoneSink, tone)
	for n := 1; n <= 2; n++ {
		server.AwaitListening()
		obs.StartStream()
		var file string
		testbed.Await(t, "a recording holds two bursts", 20*time.Second, func() error {
			files := server.Recordings()
			if len(files) != n {
				return fmt.Errorf("got %d recordings, want %d", len(files), n)
			}
			file = files[n-1]
			if got := len(testbed.Bursts(server.Sound(file), 1000, 0.05)); got < 2 {
				return fmt.Errorf("got %d bursts, want 2", got)
			}
			return nil
		})
		obs.StopStream()
		if got := testbed.ToneLevel(server.Sound(file), 440); got > 0.01 {
			t.Errorf("440 Hz in the stream: got level %.3f, want none", got)
		}
	}
}
