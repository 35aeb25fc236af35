// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// RTMP is a server that takes one stream after the other and writes each to a
// file of its own.
type RTMP struct {
	Server string // the server part of the address, as OBS's settings want it
	Key    string

	tb   TB
	dir  string
	port int

	mu       sync.Mutex
	files    []string
	stopping bool
	current  *Process
	loop     chan struct{} // closed when the serving goroutine has ended
}

// NewRTMP starts a server that is ready for a first stream.
func NewRTMP(tb TB) *RTMP {
	tb.Helper()
	requirePrograms(tb, "ffmpeg")
	r := &RTMP{Key: "x", tb: tb, dir: shortDir(tb), port: FreePort(tb), loop: make(chan struct{})}
	r.Server = fmt.Sprintf("rtmp://127.0.0.1:%d/live", r.port)
	go r.serve()
	tb.Cleanup(r.stop)
	r.AwaitListening()
	return r
}

// serve keeps an ffmpeg listening, since each takes one stream and ends.
func (r *RTMP) serve() {
	defer close(r.loop)
	for n := 1; ; n++ {
		file := filepath.Join(r.dir, fmt.Sprintf("stream-%d.flv", n))
		r.mu.Lock()
		if r.stopping {
			r.mu.Unlock()
			return
		}
		process, err := start(Command{
			Name: "RTMP server",
			Path: "ffmpeg",
			Args: []string{"-nostdin", "-loglevel", "warning", "-analyzeduration", "300000", "-listen", "1", "-i", r.Server + "/" + r.Key,
				"-c", "copy", "-flush_packets", "1", file},
		})
		if err == nil {
			r.current = process
			r.files = append(r.files, file)
		}
		r.mu.Unlock()
		if err != nil {
			r.tb.Logf("%v", err)
			return
		}
		<-process.Done()
	}
}

func (r *RTMP) stop() {
	r.mu.Lock()
	r.stopping = true
	current := r.current
	r.mu.Unlock()
	if current != nil {
		current.Kill()
		if r.tb.Failed() {
			r.tb.Logf("--- last output of the RTMP server ---\n%s", current.log.last(20))
		}
	}
	<-r.loop
}

// AwaitListening returns when the server is ready for the next stream.
func (r *RTMP) AwaitListening() {
	r.tb.Helper()
	Await(r.tb, "the RTMP server listens", 20*time.Second, func() error {
		// To connect would use up the one stream that ffmpeg takes.
		if !listening(r.port) {
			return fmt.Errorf("nothing listens on TCP port %d", r.port)
		}
		return nil
	})
}

// listening looks the port up in the kernel's table of sockets.
func listening(port int) bool {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		const listen = "0A"
		for _, line := range strings.Split(string(text), "\n") {
			f := strings.Fields(line)
			if len(f) > 3 && f[3] == listen && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
				return true
			}
		}
	}
	return false
}

// Recordings are the files of the streams that have come so far, oldest
// first. The last one may still grow.
func (r *RTMP) Recordings() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var files []string
	for _, f := range r.files {
		if info, err := os.Stat(f); err == nil && info.Size() > 0 {
			files = append(files, f)
		}
	}
	return files
}

// Sound decodes the sound of a recording, as Pulse.Record returns it.
func (r *RTMP) Sound(file string) []float64 {
	r.tb.Helper()
	cmd := exec.CommandContext(r.tb.Context(), "ffmpeg", "-nostdin", "-loglevel", "error", "-i", file,
		"-vn", "-ac", "1", "-ar", fmt.Sprint(SampleRate), "-f", "s16le", "-")
	var out, msg bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &msg
	// A file that still grows ends in a broken packet, which is no fault.
	if err := cmd.Run(); err != nil && out.Len() == 0 {
		r.tb.Fatalf("decode %s: %v\n%s", file, err, msg.String())
	}
	return samples(out.Bytes())
}

// StreamTo points OBS's stream service at the server. It cannot be changed
// while OBS streams.
func (o *OBS) StreamTo(r *RTMP) {
	o.tb.Helper()
	o.Request("SetStreamServiceSettings", D{
		"streamServiceType":     "rtmp_custom",
		"streamServiceSettings": D{"server": r.Server, "key": r.Key, "use_auth": false},
	}, nil)
}

// StartStream starts the stream and returns when OBS is on air.
func (o *OBS) StartStream() {
	o.tb.Helper()
	o.Request("StartStream", nil, nil)
	o.awaitStream(true)
}

// StopStream stops the stream and returns when OBS is off air.
func (o *OBS) StopStream() {
	o.tb.Helper()
	o.Request("StopStream", nil, nil)
	o.awaitStream(false)
}

func (o *OBS) awaitStream(want bool) {
	o.tb.Helper()
	Await(o.tb, fmt.Sprintf("%s streams: %t", o.options.Name, want), 20*time.Second, func() error {
		var status struct{ OutputActive bool }
		if err := o.TryRequest("GetStreamStatus", nil, &status); err != nil {
			return err
		}
		if status.OutputActive != want {
			return errors.New("not yet")
		}
		return nil
	})
}
