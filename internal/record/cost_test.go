// SPDX-License-Identifier: Apache-2.0

package record

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkRecorder records 10 s of a picture of 1920x1080 with 30 pictures and 6 Mbit a second, and a voice. cpu-% is the share
// of a processor that this takes, with what the kernel does to write the file; the file is on the disk of temporary files.
func BenchmarkRecorder(b *testing.B) {
	const seconds = 10
	video := packets(b, "videotestsrc num-buffers=300 pattern=snow ! video/x-raw,format=I420,width=1920,height=1080,framerate=30/1"+
		" ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=6000 vbv-buf-capacity=100 key-int-max=3000"+
		" ! rtph264pay pt=96 mtu=1200 config-interval=-1 aggregate-mode=zero-latency")
	voice := realVoice(b, seconds)
	var used time.Duration
	var size int64
	for b.Loop() {
		p := newPeer(b, b.TempDir())
		before := processTime(b)
		p.play(video, voice, nothing)
		p.end()
		used += processTime(b) - before
		for _, path := range files(b, p.r.o.Dir) {
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			size = info.Size()
		}
	}
	b.ReportMetric(100*used.Seconds()/float64(b.N)/seconds, "cpu-%")
	b.ReportMetric(float64(size)*8/seconds/1e6, "Mbit/s")
}

// processTime is what this process has used of processors.
func processTime(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
